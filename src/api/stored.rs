//! What OpenAI's Responses keep, by their ids: `GET` and `DELETE /v1/responses/{id}`, `POST …/cancel`, `GET …/input_items`.
//!
//! Each goes to the account that made the response, which its id says ([`crate::binding`]), once, and comes back as it is. With `stream=true` a response is
//! followed: that is how a client gets what is made in the background, and goes on where its stream broke off (`starting_after`).

use std::rc::Rc;

use serde_json::Value;

use crate::auth::Caller;
use crate::binding::{self, Account, Binder, Opened};
use crate::chat::Object;
use crate::config::{Config, Protocol};
use crate::dialect::{Dialect, responses};
use crate::error::Error;
use crate::gateway::{self, Credential, Gateway, ProviderState};
use crate::http::{Body, Headers, Request, Response};
use crate::provider::address;
use crate::runtime::{Call, CallError, Destination, Payload, Reply, Runtime, StreamLimits};
use crate::secret::Hidden;
use crate::stream::{EVENT_STREAM, Hold, Relay, Wording};
use crate::verdict::{self, About, Evidence};

/// Below which everything here is.
pub(crate) const BELOW: &str = "/v1/responses/";

/// The most that such an answer may hold, in bytes.
const MAX_ANSWER: usize = 10 * 1024 * 1024;

/// Serves one of them.
pub(crate) async fn serve<R: Runtime>(
    gateway: &Rc<Gateway>,
    runtime: &R,
    config: &Config,
    request: &Request,
    caller: &Caller,
) -> Response<R::Stream> {
    match answer(gateway, runtime, config, request, caller).await {
        Ok(response) => response,
        Err(error) => gateway::refuse(Dialect::Responses, &error),
    }
}

/// What is asked of a response.
struct Asked<'a> {
    id: &'a str,
    method: &'static str,
    /// Behind the id.
    rest: &'static str,
}

impl<'a> Asked<'a> {
    fn read(request: &'a Request) -> Result<Self, Error> {
        let path = request.path.strip_prefix(BELOW).unwrap_or_default();
        let (id, rest) = path.split_once('/').unwrap_or((path, ""));
        let (method, rest) = match (request.method.as_str(), rest) {
            ("GET", "") => ("GET", ""),
            ("DELETE", "") => ("DELETE", ""),
            ("POST", "cancel") => ("POST", "/cancel"),
            ("GET", "input_items") => ("GET", "/input_items"),
            (method, "") => return Err(Error::method_not_allowed(method, "GET, DELETE")),
            (method, "cancel") => return Err(Error::method_not_allowed(method, "POST")),
            (method, "input_items") => return Err(Error::method_not_allowed(method, "GET")),
            _ => return Err(Error::not_found(&request.path)),
        };
        Ok(Self { id, method, rest })
    }

    /// The query as it goes up: of a response itself what the API knows ("Get a model response"); of its items all, with an id among them that is
    /// the provider's own.
    fn query(&self, query: &str, account: &Account<'_>) -> String {
        let mut up = String::new();
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let own = account.open(value);
            let goes_up = match (self.method, self.rest) {
                // A list is `include`, `include[]` or, encoded, `include%5B%5D`.
                ("GET", "") => {
                    matches!(name, "stream" | "starting_after" | "include_obfuscation" | "include")
                        || name.starts_with("include[")
                        || name.starts_with("include%5B")
                }
                _ => !pair.is_empty(),
            };
            if goes_up {
                up.push(if up.is_empty() { '?' } else { '&' });
                match own {
                    Some(own) => up.extend([name, "=", &own.id]),
                    None => up.push_str(pair),
                }
            }
        }
        up
    }
}

/// The account that made a response.
struct Holder<'a> {
    provider: &'a str,
    state: &'a ProviderState,
    headers: &'a [(String, String)],
    credential: &'a Credential,
    opened: Opened,
}

fn holder<'a>(gateway: &'a Gateway, config: &'a Config, caller: &Caller, id: &str) -> Option<Holder<'a>> {
    config.providers.iter().zip(gateway.providers()).find_map(|(provider, state)| {
        provider.protocols.contains(&Protocol::Responses).then_some(())?;
        state.credentials.iter().find_map(|credential| {
            let opened = account(&provider.name, credential, &caller.scope).open(id)?;
            Some(Holder { provider: &provider.name, state, headers: &provider.headers, credential, opened })
        })
    })
}

fn account<'a>(provider: &'a str, credential: &'a Credential, tenant: &'a str) -> Account<'a> {
    Account { provider, credential: &credential.circuit, secret: credential.secret.as_ref(), tenant }
}

async fn answer<R: Runtime>(
    gateway: &Rc<Gateway>,
    runtime: &R,
    config: &Config,
    request: &Request,
    caller: &Caller,
) -> Result<Response<R::Stream>, Error> {
    let asked = Asked::read(request)?;
    let holder = holder(gateway, config, caller, asked.id).ok_or_else(|| Error::no_response(asked.id))?;
    let account = account(holder.provider, holder.credential, &caller.scope);
    let query = asked.query(&request.query, &account);
    let streamed = (asked.method, asked.rest) == ("GET", "") && query.split(['?', '&']).any(|pair| pair == "stream=true");
    let url = format!("{}/responses/{}{}{query}", holder.state.base, holder.opened.id, asked.rest);
    let mut headers = Headers::new();
    headers.push("accept", if streamed { "text/event-stream" } else { "application/json" });
    if asked.method == "POST" {
        headers.push("content-type", "application/json");
    }
    address::sign(&mut headers, Dialect::Responses, holder.credential.secret.as_ref());
    for (name, value) in holder.headers {
        headers.push(name.clone(), value.clone());
    }
    let until = runtime.now() + config.defaults.times.deadline;
    let to = Destination::Other(asked.method, url);
    let call = Call { to, headers, body: String::new(), streamed, until, max_bytes: MAX_ANSWER };
    let reply = runtime.call(call).await;
    let about = About { target: holder.provider, model: "", direct: true };
    let judged = |evidence: &Evidence<'_>| {
        let mut verdict = verdict::judge(&about, evidence, runtime.now());
        verdict.said = verdict.said.map(|said| said.without(&holder.state.hidden));
        verdict::aggregate(&[verdict], &[], false, runtime.now())
    };
    let Reply { status, headers, body } = reply.map_err(|error| match error {
        CallError::Connect => judged(&Evidence::Connect),
        CallError::Timeout => Error::deadline_exceeded(format!("the deadline passed: {} said nothing", holder.provider)),
        CallError::Cut => judged(&Evidence::Cut),
        CallError::TooLarge => judged(&Evidence::TooLarge),
        CallError::ClientGone => Error::client_gone(),
    })?;
    let bind = account.binder_beside(&holder.opened);
    let text = match body {
        Payload::Whole(text) => text,
        Payload::Stream(rest) => return Ok(follow(runtime, config, rest, bind, holder.state.hidden.clone())),
    };
    if !(200..300).contains(&status) {
        return Err(judged(&Evidence::Status { status, headers: &headers, body: &text }));
    }
    let Some(mut body) = crate::json::object::<Object>(&text) else { return Err(judged(&Evidence::Garbage)) };
    binding::bound(&mut body, &bind);
    // What was deleted, and a list, say their ids outside of any response.
    if let Some(Value::String(id)) = body.get_mut("id")
        && *id == holder.opened.id
    {
        asked.id.clone_into(id);
    }
    for item in body.get_mut("data").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(Value::String(id)) = item.get_mut("id") {
            *id = bind(id);
        }
    }
    let body = Value::Object(body).to_string();
    Ok(match streamed.then(|| responses::replay(&body)).flatten() {
        Some(events) => event_stream(Body::Text(events)),
        None => gateway::json(200, body),
    })
}

/// A response that is told while it is made, or again. How it ends is nobody's failure: it goes on where it is, and can be followed again.
fn follow<R: Runtime>(runtime: &R, config: &Config, rest: R::Body, bind: Binder, hidden: Hidden) -> Response<R::Stream> {
    let times = &config.defaults.times;
    let limits = StreamLimits { stall: times.stall, until: runtime.now() + times.max_duration };
    let relay = Relay::new(Hold::new(Dialect::Responses, false), Box::new(|_| {}));
    let relay = relay.worded(Dialect::Responses, Wording::bound(bind)).hiding(hidden);
    let (pipe, stream) = runtime.pipe();
    runtime.after(runtime.pump(&pipe, Vec::new(), rest, Box::new(relay), limits));
    event_stream(Body::Stream(stream))
}

fn event_stream<S>(body: Body<S>) -> Response<S> {
    let mut headers = Headers::new();
    headers.push("content-type", EVENT_STREAM);
    Response { status: 200, headers, body }
}
