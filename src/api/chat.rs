//! `POST /v1/chat/completions`: OpenAI's Chat Completions, streamed and not.
//!
//! The provider speaks the same dialect, so the body passes through: what was not understood here reaches the provider, and the client,
//! unchanged.
//!
//! `inquiry` is a request with everything that follows from it, `asked` what its header fields ask for, `answer` an answer's way to the client,
//! `live` the streams that go on after their head was sent.

mod answer;
mod asked;
mod inquiry;
mod live;

use std::rc::Rc;

use crate::auth::Caller;
use crate::config::Config;
use crate::engine;
use crate::error::Error;
use crate::gateway::{self, Gateway};
use crate::http::{Request, Response};
use crate::provider::openai::Envelope;
use crate::runtime::Runtime;
use inquiry::Inquiry;

/// Serves one chat completion.
pub(crate) async fn serve<R: Runtime>(
    gateway: &Rc<Gateway>,
    runtime: &R,
    config: &Config,
    request: &Request,
    caller: &Caller,
) -> Response<R::Stream> {
    answer(gateway, runtime, config, request, caller).await.unwrap_or_else(|error| gateway::refuse(&error))
}

async fn answer<R: Runtime>(
    gateway: &Rc<Gateway>,
    runtime: &R,
    config: &Config,
    request: &Request,
    caller: &Caller,
) -> Result<Response<R::Stream>, Error> {
    let envelope = Envelope::parse(&request.body)?;
    let inquiry = Inquiry::new(gateway, runtime, config, request, &envelope, caller)?;
    if inquiry.goes_on_after_its_head() {
        return Ok(live::serve(gateway, runtime, request, caller).await);
    }
    let known = inquiry.look_up().await;
    if let Some(hit) = inquiry.hit(&known)? {
        return Ok(hit);
    }
    inquiry.deposit();
    let engine::Outcome { trace, result } = engine::run(&inquiry.consult, &inquiry.job(&[])).await;
    let response = match result {
        Ok(won) => inquiry.commit(won),
        Err(error) => inquiry.stale(&known, &error).unwrap_or_else(|| gateway::answer_error(&error, &trace)),
    };
    Ok(inquiry.tell(response, &known, &trace))
}
