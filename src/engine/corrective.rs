//! Calls with something to put right: an answer that was not what was demanded of its form, a schema that the provider would not have.
//!
//! They are attempts like any other, under the same deadline and the same budgets, in the same trace. What differs is what they say ([`Guise`]), and that
//! the same target is asked at once: it is not in trouble. The next target is told of the wrong answer too where that is JSON, which it can put right.

use super::attempt::About;
use super::{Job, Progress, Shared, Won};
use crate::chat::Means;
use crate::consult::Consult;
use crate::demand::{Correction, Mark, Passed};
use crate::dialect::Dialect;
use crate::route::Candidate;
use crate::runtime::Runtime;
use crate::translation::Guise;
use crate::verdict::{Fault, Verdict};

/// How a candidate is asked at first.
pub(super) fn guise<R: Runtime>(consult: &Consult<R>, job: &Job<'_>, candidate: &Candidate<'_>, progress: &Shared) -> Guise {
    let correction = progress.borrow().correction.clone().and_then(Correction::for_others);
    progress.borrow_mut().corrected += u32::from(correction.is_some());
    Guise { means: means(consult, job, candidate), correction }
}

fn means<R: Runtime>(consult: &Consult<R>, job: &Job<'_>, candidate: &Candidate<'_>) -> Means {
    let (record, now) = (consult.gateway.demand_record().borrow(), consult.runtime.now());
    match job.demand.and_then(|demand| record.refuses(&candidate.name, demand.id, now)) {
        None => Means::Native,
        Some(true) => Means::Loose,
        Some(false) => other_means(job, candidate),
    }
}

/// The means where the provider's own are refused.
fn other_means(job: &Job<'_>, candidate: &Candidate<'_>) -> Means {
    match candidate.dialect {
        // Responses look for the word JSON, which `json_object` wants, in the input, and not in the instructions.
        Dialect::Messages | Dialect::Responses => Means::Words,
        _ if candidate.provider.quirks.has_objects(job.envelope.has_tools()) => Means::Object,
        _ => Means::Words,
    }
}

/// How the same candidate is asked again, where that is worth it.
pub(super) fn again<R: Runtime>(
    consult: &Consult<R>,
    job: &Job<'_>,
    candidate: &Candidate<'_>,
    progress: &Shared,
    fault: Fault,
    about: About,
    corrections: u32,
) -> Option<Guise> {
    let demand = job.demand?;
    let record = consult.gateway.demand_record();
    let now = consult.runtime.now();
    match fault {
        Fault::SchemaRefused if matches!(about, About::Spent) => return None,
        Fault::SchemaRefused => {
            let mut record = record.borrow_mut();
            record.count(&candidate.name, Passed::Refused);
            record.refused(&candidate.name, demand.id, matches!(about, About::Tool), now);
        }
        Fault::Unsatisfied => {
            let wrong = if let About::Answer(wrong) = about { Some(*wrong) } else { None };
            progress.borrow_mut().correction = wrong.and_then(|wrong| Correction::of(wrong, demand));
            if corrections >= job.schema_retries || progress.borrow().correction.is_none() {
                record.borrow_mut().failed(&candidate.name, demand.id, now);
                return None;
            }
        }
        _ => return None,
    }
    let correction = progress.borrow().correction.clone();
    progress.borrow_mut().corrected += u32::from(correction.is_some() && fault == Fault::Unsatisfied);
    Some(Guise { means: means(consult, job, candidate), correction })
}

/// Whether a verdict is on what was added to the request rather than on that: the wrong answer and what is said of it. The same request without it was
/// answered, by this target or by another one.
pub(super) fn is_refused(verdict: &Verdict, guise: &Guise) -> bool {
    guise.correction.is_some()
        && matches!(
            verdict.fault,
            Fault::Refused | Fault::ContentPolicy | Fault::ContextLength | Fault::Unsupported | Fault::Declined
        )
}

/// An answer is what was demanded.
pub(super) fn met<R: Runtime>(
    consult: &Consult<R>,
    job: &Job<'_>,
    candidate: &Candidate<'_>,
    progress: &Shared,
    won: &mut Won<R::Body>,
) {
    let (Some(demand), Some(mark)) = (job.demand, &mut won.mark) else { return };
    consult.gateway.demand_record().borrow_mut().met(&candidate.name, demand.id);
    let corrected = progress.borrow().corrected;
    if corrected > 0 {
        *mark = Mark::Retried(corrected);
    }
}

/// The place of the next candidate in order: of those that keep failing the demand only where nobody else is left.
pub(super) fn next<R: Runtime>(consult: &Consult<R>, job: &Job<'_>, progress: &mut Progress) -> Option<usize> {
    let left = || progress.ruled_out.iter().zip(job.candidates).enumerate().filter(|(_, (out, _))| !**out);
    let first = left().next()?.0;
    let Some(demand) = job.demand else { return Some(first) };
    let (record, now) = (consult.gateway.demand_record().borrow(), consult.runtime.now());
    let fit = left().find(|(_, (_, candidate))| !record.is_unfit(&candidate.name, demand.id, now));
    Some(fit.map_or(first, |(place, _)| place))
}
