//! Answers that were repaired, of targets that speak the client's dialect: in their provider's own JSON, where only the repaired texts and arguments are
//! others, so that nothing is lost which nobody here knows, and ids are bound as a valid answer's are.

use super::{Job, WonBody};
use crate::chat::{Answer, Kind};
use crate::demand::{Demand, Judgement};
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

/// The same of one that came as a stream, `all` of which is there.
pub(super) fn streamed<B>(job: &Job<'_>, dialect: Dialect, all: &[u8], answer: Answer) -> WonBody<B> {
    let demand = job.demand.filter(|_| dialect == job.envelope.dialect);
    let Some((demand, events)) = demand.zip(stream::events(all)) else { return told(None, answer) };
    if let Some(frames) = dialect.retold(&events, &answer) {
        return WonBody::Streamed(frames.into_bytes());
    }
    told(stream::whole(dialect, &events).and_then(|whole| amended(demand, dialect, &whole)), answer)
}

/// What a stream tells as a whole, repaired in its place. What it tells at its end need not be all that it told.
fn amended(demand: &Demand, dialect: Dialect, whole: &str) -> Option<String> {
    let mut answer = dialect.decode(whole)?;
    matches!(demand.judge(&mut answer), Judgement::Repaired).then(|| dialect.amended(whole, &answer)).flatten()
}
