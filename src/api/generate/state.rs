//! Requests that go on with something that a provider keeps.
//!
//! Responses can refer to what is not in them: an earlier response, a conversation, an item by its id. Only the account that holds it can answer, so that
//! such a request goes there, once, or nowhere: it is never failed over, hedged, tried again elsewhere or cached. The ids are bound to their accounts
//! ([`crate::binding`]), which is how the account is known.
//!
//! What a translated target said is kept by nobody, and its answer says so (`store: false`). Some clients refer to it all the same: the official `ai`
//! package asks for `store: true` unless it is told otherwise, and then sends items by their ids alone. So the items of such an answer are kept by the
//! gateway ([`keep`]), for as long as `OpenAI` keeps a response, and put back in the place of their ids ([`put_back`]) before anything else looks at a request.

use std::collections::HashMap;
use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::asked;
use crate::auth::Caller;
use crate::binding::{self, Opened};
use crate::chat::Object;
use crate::config::{Config, Unsupported};
use crate::dialect::{Dialect, responses};
use crate::envelope::Envelope;
use crate::error::Error;
use crate::http::Request;
use crate::route::{self, Candidate, Resolved};
use crate::runtime::Runtime;
use crate::secret::hex;

/// What a request's state asks of the engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    /// Whether it is sent at most once.
    pub(super) once: bool,
    /// Whether, all the same, who answered it may be told what is wrong with the form of its answer.
    pub(super) corrects: bool,
    /// Whether the provider keeps the answer, under an id that is nobody else's.
    pub(super) kept: bool,
}

impl State {
    /// Looks at a request, and leaves those candidates that can answer it.
    pub(super) fn of(envelope: &Envelope<'_>, resolved: &mut Resolved<'_>, tenant: &str) -> Result<Self, Error> {
        if envelope.dialect != Dialect::Responses {
            return Ok(Self::default());
        }
        let Some(body) = crate::json::object::<Object>(envelope.body) else { return Ok(Self::default()) };
        let kept = body.get("store") != Some(&Value::Bool(false));
        let ids = ids(&body);
        let mut once = responses::is_stateful(&body).is_some();
        if ids.is_empty() && once && resolved.candidates.iter().any(|candidate| candidate.dialect == Dialect::Responses) {
            resolved.candidates.retain(|candidate| candidate.dialect == Dialect::Responses);
        }
        let open = |candidate: &Candidate<'_>, id: &str| {
            if candidate.dialect == Dialect::Responses { binding::account(candidate, tenant).open(id) } else { None }
        };
        let mut opened: Option<Opened> = None;
        for (name, id) in ids {
            // Whatever the client made at the provider itself has no account of ours in its id; only the first target can be meant.
            if name == "conversation" && !binding::is_bound(&id) {
                if resolved.candidates.iter().all(|candidate| candidate.dialect != Dialect::Responses) {
                    // Nobody here has conversations: each target says so of itself.
                    continue;
                }
                resolved.candidates.retain(|candidate| candidate.dialect == Dialect::Responses);
                resolved.candidates.truncate(1);
                continue;
            }
            let holds = |candidate: &Candidate<'_>| open(candidate, &id);
            let found = resolved.candidates.iter().find_map(holds).ok_or_else(|| unknown(&name, &id))?;
            resolved.candidates.retain(|candidate| holds(candidate).is_some());
            opened = Some(found);
        }
        if let Some(opened) = opened {
            // The model that made it, where the route has it; the account's others can go on with it too.
            let candidates = std::mem::take(&mut resolved.candidates).into_iter();
            let (own, others): (Vec<_>, Vec<_>) = candidates.partition(|candidate| opened.is_of(candidate.model));
            resolved.candidates = own.into_iter().chain(others).collect();
        } else {
            // Nothing says whose it is but what was made for it, which it can do without: it goes to the maker where the route has that.
            let encrypted = resolved.settings.unsupported != Unsupported::Ignore;
            for id in responses::made(&body, encrypted).filter(|id| binding::is_bound(id)) {
                let made = |candidate: &Candidate<'_>| open(candidate, id).is_some_and(|opened| opened.is_of(candidate.model));
                if resolved.candidates.iter().any(made) {
                    resolved.candidates.retain(made);
                    once = true;
                    break;
                }
            }
        }
        Ok(Self { once, corrects: once && !responses::acts(&body), kept })
    }
}

/// The ids of what a request refers to and does not hold, each with the member that does.
fn ids(body: &Object) -> Vec<(String, String)> {
    let text = |name: &str, value: Option<&Value>| Some((name.to_owned(), value?.as_str()?.to_owned()));
    let conversation = body.get("conversation").map(|value| value.get("id").unwrap_or(value));
    let own = [text("previous_response_id", body.get("previous_response_id")), text("conversation", conversation)];
    let items = responses::references(body).into_iter().map(|id| ("input".to_owned(), id));
    own.into_iter().flatten().chain(items).collect()
}

fn unknown(name: &str, id: &str) -> Error {
    let id: String = id.chars().take(200).collect();
    let message = if responses::answer_of(&id).is_some() {
        format!(
            "'{id}' was made for a target that does not speak Responses, and is not kept; send what was said instead of its id \
             (`store: false` in most clients)"
        )
    } else {
        format!(
            "'{id}' is not held by any target of this model for this key; an id that this gateway gave goes to the account that made it, \
             which the model must have as a target"
        )
    };
    Error::invalid_request(Some(name), message)
}

/// How long what a translated target said is kept: as long as `OpenAI` keeps a response (its guide "Conversation state").
const KEPT: Duration = Duration::from_hours(30 * 24);

/// The most that is put back into one request, in answers: each is a lookup of its own.
const MOST_ANSWERS: usize = 64;

/// Where the items of an answer are kept. `answer` is what their ids have in common ([`responses::answer_of`]).
fn place(tenant: &str, answer: &str) -> String {
    let mut hash = Sha256::new();
    for part in ["breakwater items v1", tenant, answer] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    format!("items:{}", hex(&hash.finalize()))
}

/// Keeps the items of a translated answer, the text of a response in the client's dialect.
pub(super) fn keep<R: Runtime>(runtime: &R, tenant: &str, response: &str) {
    let Some(Value::Array(items)) = crate::json::object::<Object>(response).and_then(|mut body| body.shift_remove("output"))
    else {
        return;
    };
    let id = |item: &Value| item.get("id").and_then(Value::as_str).and_then(responses::answer_of).map(str::to_owned);
    if let Some(answer) = items.iter().find_map(id) {
        let put = runtime.cache_put(place(tenant, &answer), Value::Array(items).to_string(), "{}".to_owned(), KEPT);
        runtime.after(put);
    }
}

/// The request with the items that it only names, where they are those of translated answers. None where it names none; an error where they were not
/// found in the time that the request has, as nobody can answer without them.
pub(super) async fn put_back<R: Runtime>(
    runtime: &R,
    config: &Config,
    request: &Request,
    caller: &Caller,
) -> Result<Option<Request>, Error> {
    // Most requests hold no id of ours, which is seen without reading them.
    if memchr::memmem::find(request.body.as_bytes(), responses::MINTED.as_bytes()).is_none() {
        return Ok(None);
    }
    let Some(mut body) = crate::json::object::<Object>(&request.body) else { return Ok(None) };
    let mut answers: Vec<String> = Vec::new();
    for id in responses::references(&body) {
        if let Some(answer) = responses::answer_of(&id)
            && answers.len() < MOST_ANSWERS
            && !answers.iter().any(|known| known == answer)
        {
            answers.push(answer.to_owned());
        }
    }
    let lookups = answers.iter().map(|answer| async move { runtime.cache_get(&place(&caller.scope, answer)).await });
    let late = runtime.sleep(deadline(config, request)?);
    let found = match select(pin!(futures::future::join_all(lookups)), pin!(late)).await {
        Either::Left((found, _)) => found,
        Either::Right(_) => {
            return Err(Error::deadline_exceeded("the deadline passed: storage did not give the items that are referred to"));
        }
    };
    let mut items: HashMap<String, Value> = HashMap::new();
    for (text, _) in found.into_iter().flatten() {
        for item in serde_json::from_str::<Vec<Value>>(&text).into_iter().flatten() {
            if let Some(id) = item.get("id").and_then(Value::as_str) {
                items.insert(id.to_owned(), item);
            }
        }
    }
    if items.is_empty() {
        return Ok(None);
    }
    responses::resolve(&mut body, &|id| items.get(id).cloned());
    Ok(Some(Request { body: Value::Object(body).to_string(), ..request.clone() }))
}

/// The time that a request has, before it is known where it may go.
fn deadline(config: &Config, request: &Request) -> Result<Duration, Error> {
    let envelope = Envelope::parse(Dialect::Responses, &request.body)?;
    let ours = envelope.names().next().map_or(config.defaults.times.deadline, |name| route::deadline(config, name));
    let asked = request.headers.get(asked::DEADLINE).map(|value| asked::positive_millis(asked::DEADLINE, value)).transpose()?;
    Ok(asked.map_or(ours, |asked| asked.min(ours)))
}
