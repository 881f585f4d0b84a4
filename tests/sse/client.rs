//! A stream from the provider's first byte to the client's last: held back until the first content, then relayed.

use std::cell::Cell;
use std::rc::Rc;

use breakwater::dialect::Dialect;
use breakwater::runtime::{End, Step, Tap};
use breakwater::stream::{Ending, Failure, Held, Hold, Relay};

/// What a client was sent, and how it ended.
#[derive(Debug, PartialEq)]
pub(crate) struct Told {
    pub(crate) sent: Vec<u8>,
    pub(crate) ending: Result<Ending, Failure>,
}

/// Plays chunks and then `end`. Nothing is fed behind an end, as no runtime would.
pub(crate) fn play<'a>(chunks: impl IntoIterator<Item = &'a [u8]>, end: End, finish_is_enough: bool) -> Told {
    let mut chunks = chunks.into_iter();
    let mut hold = Hold::new(Dialect::Chat, finish_is_enough);
    let first = loop {
        let held = match chunks.next() {
            Some(chunk) => hold.feed(chunk),
            None if end == End::Eof => hold.end(),
            None => Held::Failed(Failure::Empty),
        };
        match held {
            Held::More => {}
            Held::Commit(first) => break first,
            Held::Complete(all) => return Told { sent: all, ending: Ok(Ending::Complete) },
            Held::Failed(failure) => return Told { sent: Vec::new(), ending: Err(failure) },
        }
    };
    let (relay, ending) = relay(hold);
    let (mut relay, mut sent) = relay.after(first);
    for chunk in chunks {
        match relay.chunk(chunk) {
            Step::Pass => sent.extend_from_slice(chunk),
            Step::Replace(bytes) => sent.extend(bytes),
            Step::Finish(bytes) => {
                sent.extend(bytes);
                assert_eq!(ending.get(), Some(Ending::Complete), "finished");
                return Told { sent, ending: Ok(Ending::Complete) };
            }
            Step::Leave => panic!("nobody goes on in its stead"),
            Step::Abort(bytes) => {
                sent.extend(bytes);
                let ending = ending.get().expect("an aborted stream has ended");
                assert_ne!(ending, Ending::Complete, "aborted");
                return Told { sent, ending: Ok(ending) };
            }
        }
        assert_eq!(ending.get(), None, "it goes on");
    }
    sent.extend(relay.end(end).expect("nobody goes on in its stead"));
    Told { sent, ending: Ok(ending.get().expect("it has ended")) }
}

/// The relay behind a hold, and the ending that it has told, once.
pub(crate) fn relay(hold: Hold) -> (Relay, Rc<Cell<Option<Ending>>>) {
    let told = Rc::new(Cell::new(None));
    let seen = Rc::clone(&told);
    let ended = move |ending| assert_eq!(seen.replace(Some(ending)), None, "a stream ends once");
    (Relay::new(hold, Box::new(ended)), told)
}
