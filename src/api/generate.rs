//! What asks a model: `/v1/chat/completions`, `/v1/completions`, `/v1/responses`, `/v1/messages` and its `count_tokens`, streamed and not.
//!
//! They differ in the dialect alone ([`crate::dialect`]). Where a provider speaks the client's, the body passes through: what was not understood here
//! reaches the provider, and the client, unchanged.
//!
//! `inquiry` is a request with everything that follows from it, `asked` what its header fields ask for, `answer` an answer's way to the client,
//! `live` the streams that go on after their head was sent.

mod answer;
mod asked;
mod inquiry;
mod live;
mod recording;
mod state;

use std::rc::Rc;

use crate::auth::Caller;
use crate::config::Config;
use crate::dialect::Dialect;
use crate::engine;
use crate::envelope::Envelope;
use crate::error::Error;
use crate::gateway::{self, Gateway};
use crate::http::{Request, Response};
use crate::provider::address::Operation;
use crate::runtime::Runtime;
use inquiry::Inquiry;

/// Serves one request for an answer.
pub(crate) async fn serve<R: Runtime>(
    gateway: &Rc<Gateway>,
    runtime: &R,
    config: &Config,
    request: &Request,
    caller: &Caller,
    asked: Endpoint,
) -> Response<R::Stream> {
    let dialect = asked.dialect;
    answer(gateway, runtime, config, request, caller, asked).await.unwrap_or_else(|error| gateway::refuse(dialect, &error))
}

/// What an endpoint speaks, and what is asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) dialect: Dialect,
    pub(crate) operation: Operation,
}

impl Endpoint {
    /// The endpoint at a path.
    pub(crate) fn at(path: &str) -> Option<Self> {
        let (dialect, operation) = match path {
            "/v1/chat/completions" => (Dialect::Chat, Operation::Generate),
            "/v1/completions" => (Dialect::Completions, Operation::Generate),
            "/v1/responses" => (Dialect::Responses, Operation::Generate),
            "/v1/messages" => (Dialect::Messages, Operation::Generate),
            "/v1/messages/count_tokens" => (Dialect::Messages, Operation::Count),
            _ => return None,
        };
        Some(Self { dialect, operation })
    }
}

async fn answer<R: Runtime>(
    gateway: &Rc<Gateway>,
    runtime: &R,
    config: &Config,
    request: &Request,
    caller: &Caller,
    endpoint: Endpoint,
) -> Result<Response<R::Stream>, Error> {
    let came = runtime.now();
    let whole = match endpoint.dialect {
        Dialect::Responses => state::put_back(runtime, config, request, caller).await?,
        _ => None,
    };
    let request = whole.as_ref().unwrap_or(request);
    let envelope = Envelope::parse(endpoint.dialect, &request.body)?;
    let mut inquiry = Inquiry::new(gateway, runtime, config, request, &envelope, caller, endpoint.operation)?;
    inquiry.started = came;
    if inquiry.goes_on_after_its_head() {
        return Ok(live::serve(gateway, runtime, request, caller, endpoint, came).await);
    }
    let known = inquiry.look_up().await;
    if let Some(hit) = inquiry.hit(&known)? {
        return Ok(hit);
    }
    inquiry.deposit();
    let engine::Outcome { trace, result } = engine::run(&inquiry.consult, &inquiry.job(&[])).await;
    let response = match result {
        Ok(won) => inquiry.commit(won),
        Err(error) => inquiry.stale(&known, &error).unwrap_or_else(|| gateway::answer_error(endpoint.dialect, &error, &trace)),
    };
    Ok(inquiry.tell(response, &known, &trace))
}
