//! The last event of a stream that did not come to its end.

use super::{Ending, Relay};
use crate::error::Error;
use crate::sse;
use crate::verdict::{self, Said};

impl Relay {
    /// How the stream ends, as something of what was held back could not be told.
    pub(super) fn untold(&self) -> Option<Ending> {
        self.untold.then_some(if self.unsatisfied.is_some() { Ending::Unsatisfied } else { Ending::Garbage })
    }

    /// The event that ends the client's stream, which must not look complete.
    pub(super) fn event_for(&self, ending: Ending) -> Vec<u8> {
        let error = match ending {
            Ending::Cut => Error::upstream_failed("the provider's stream ended before it was complete"),
            Ending::Stalled => Error::upstream_failed("the provider's stream went silent before it was complete"),
            Ending::Overlong => Error::deadline_exceeded("the stream passed its greatest duration before it was complete"),
            Ending::Unsatisfied => Error::unsatisfied(self.unsatisfied.as_deref().unwrap_or_default()),
            Ending::Garbage | Ending::ErrorEvent => {
                Error::upstream_failed("the provider's stream broke its protocol before it was complete")
            }
            Ending::Complete | Ending::ClientGone => return Vec::new(),
        };
        self.event(&error)
    }

    pub(super) fn event(&self, error: &Error) -> Vec<u8> {
        let next = self.wording.sequence().or(self.sequence.map(|last| last + 1)).unwrap_or_default();
        error.event(self.client, next)
    }

    pub(super) fn said(&self, frame: &[u8]) -> Said {
        let said = sse::data(frame).map(|data| verdict::said(&String::from_utf8_lossy(&data))).unwrap_or_default();
        said.without(&self.hidden)
    }
}

/// The number of an event of Responses. No text can hold the same bytes, as quotes are escaped in it.
pub(super) fn sequence_number(data: &[u8]) -> Option<u64> {
    const NAME: &[u8] = b"\"sequence_number\":";
    let at = memchr::memmem::rfind(data, NAME)?;
    let rest = data.get(at + NAME.len()..)?.trim_ascii_start();
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(rest.get(..digits)?).ok()?.parse().ok()
}
