//! Answers that were repaired, of targets that speak the client's dialect: in their provider's own JSON, where only the repaired texts and arguments are
//! others, so that nothing is lost which nobody here knows, and ids are bound as a valid answer's are.

use super::{Job, WonBody};
use crate::chat::{Answer, Kind};
use crate::demand::Judgement;
use crate::dialect::Dialect;
use crate::stream;

/// An answer that was repaired: as it was told in place, if it was, and otherwise without the texts that nothing is left of.
pub(super) fn told<B>(in_place: Option<String>, mut answer: Answer) -> WonBody<B> {
    if let Some(text) = in_place {
        return WonBody::Whole(text, None);
    }
    for choice in &mut answer.choices {
        choice.parts.retain(|part| !matches!(&part.kind, Kind::Text { text, .. } if text.is_empty()));
    }
    WonBody::Whole(String::new(), Some(Box::new(answer)))
}

/// The whole of a stream that was repaired, as its provider would have told it at once.
pub(super) fn of_stream(job: &Job<'_>, dialect: Dialect, all: &[u8]) -> Option<String> {
    let demand = job.demand.filter(|_| dialect == job.envelope.dialect)?;
    let whole = stream::whole(dialect, all)?;
    let mut answer = dialect.decode(&whole)?;
    // What it tells at its end need not be all that it told.
    matches!(demand.judge(&mut answer), Judgement::Repaired).then(|| dialect.amended(&whole, &answer)).flatten()
}
