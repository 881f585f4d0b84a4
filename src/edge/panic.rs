//! What happens when something panics in spite of the lints.
//!
//! Two hooks have to run: the worker crate's own, which flags the instance so that it is reset before it serves another request, and
//! `console_error_panic_hook`'s, which writes message and stack to the log. Installing the second one by its `set_once` would
//! replace the first, and leave a broken instance in service.

use std::sync::Once;

/// Chains the hooks; once per instance.
pub(super) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let reset = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            console_error_panic_hook::hook(panic);
            reset(panic);
        }));
    });
}
