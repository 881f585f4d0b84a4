//! The core's [`Runtime`] on Workers.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use js_sys::{JsString, Uint8Array};
use serde_json::json;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::glue;
use super::task::{self, Woken};
use crate::breaker;
use crate::http::Headers;
use crate::region;
use crate::runtime::{
    Call, CallError, Destination, End, Ending, Payload, Read, Reply, Runtime, Script, ScriptHead, Step, StreamLimits, Tap,
};
use crate::time::{Timestamp, millis};

/// What one client request may use.
#[derive(Clone)]
pub(super) struct Workers {
    shared: Rc<Shared>,
}

struct Shared {
    request: web_sys::Request,
    scope: glue::Scope,
    context: worker::Context,
    env: worker::Env,
}

thread_local! {
    /// Where this isolate's callers are: they come to the data centre that is nearest to them, and an isolate stays in one.
    static REGION: OnceCell<&'static str> = const { OnceCell::new() };
    /// Seeded by this isolate's first request, as the platform gives no randomness before.
    static RANDOM: RefCell<Option<fastrand::Rng>> = const { RefCell::new(None) };
}

impl Workers {
    pub(super) fn new(request: web_sys::Request, env: worker::Env, context: worker::Context) -> Self {
        let scope = glue::Scope::new(&request);
        Self { shared: Rc::new(Shared { request, scope, context, env }) }
    }
}

impl Shared {
    fn binding(&self, name: &str) -> JsValue {
        js_sys::Reflect::get(&self.env, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED)
    }
}

/// An upstream call under way; dropping it aborts the call.
pub(super) struct Body(glue::Call);

impl Drop for Body {
    fn drop(&mut self) {
        self.0.stop("dropped");
    }
}

/// A timer; dropping it stops it.
struct Timer(glue::Timer);

impl Drop for Timer {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// Durations and byte counts as JavaScript's numbers.
#[expect(clippy::cast_precision_loss, reason = "bounded far below 2^53 by the configuration")]
fn number(value: u64) -> f64 {
    value as f64
}

impl Runtime for Workers {
    type Body = Body;
    type Stream = web_sys::ReadableStream;
    type Pipe = glue::Pipe;

    fn now(&self) -> Timestamp {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of milliseconds since 1970")]
        Timestamp::from_millis(task::time() as u64)
    }

    fn random(&self) -> u64 {
        // A draw from the platform costs as much as a dozen of these. What is drawn here need not be hard to guess.
        RANDOM.with_borrow_mut(|random| {
            random.get_or_insert_with(|| fastrand::Rng::with_seed(getrandom::u64().unwrap_or_default())).u64(..)
        })
    }

    async fn sleep(&self, duration: Duration) {
        let woken = Woken::new();
        let _timer = Timer(glue::Timer::new(number(millis(duration)), woken.number()));
        woken.await;
    }

    async fn call(&self, call: Call) -> Result<Reply<Body>, CallError> {
        let body = Body(glue::Call::new(&self.shared.scope));
        let (url, script) = match call.to {
            Destination::Post(url) => (url, String::new()),
            Destination::Other(method, url) => (format!("{method} {url}"), String::new()),
            Destination::Script(script) => (String::new(), script_json(script)),
        };
        let ms = number(millis(call.until.since(self.now())));
        let limit = number(call.max_bytes as u64);
        let woken = Woken::new();
        body.0.send(&url, &script, &call.headers.to_flat(), &call.body, call.streamed, ms, limit, woken.number());
        woken.await;
        let came = body.0.came();
        let Some((status, headers)) = came.split_once('\n') else { return Err(failure(&came)) };
        let (status, headers) = (status.parse().unwrap_or_default(), Headers::from_flat(headers));
        let payload = body.0.text().map(glue::text).map_or(Payload::Stream(body), Payload::Whole);
        Ok(Reply { status, headers, body: payload })
    }

    async fn read(&self, body: &mut Body, until: Timestamp) -> Read {
        let woken = Woken::new();
        body.0.next(number(millis(until.since(self.now()))), woken.number());
        woken.await;
        match body.0.took().dyn_into::<Uint8Array>() {
            Ok(bytes) => Read::Bytes(bytes.to_vec()),
            Err(word) => Read::End(end_of(&word.as_string().unwrap_or_default())),
        }
    }

    fn pipe(&self) -> (glue::Pipe, web_sys::ReadableStream) {
        let pipe = glue::Pipe::new();
        let readable = pipe.readable();
        (pipe, readable)
    }

    fn write(&self, pipe: &glue::Pipe, bytes: Vec<u8>) {
        pipe.write(Uint8Array::from(bytes.as_slice()));
    }

    fn close(&self, pipe: &glue::Pipe) {
        pipe.close();
    }

    fn pump(
        &self,
        pipe: &glue::Pipe,
        first: Vec<u8>,
        body: Body,
        tap: Box<dyn Tap>,
        limits: StreamLimits,
    ) -> impl Future<Output = ()> + 'static {
        // The tap answers with a number, and keeps what is to be sent instead until JavaScript takes it: most chunks pass as they are,
        // and then nothing but the number crosses back.
        let tap = Rc::new(RefCell::new((tap, Vec::new())));
        let (for_chunk, for_take, for_end) = (Rc::clone(&tap), Rc::clone(&tap), tap);
        let chunk = Closure::<dyn FnMut(Vec<u8>) -> u32>::new(move |bytes: Vec<u8>| {
            let (tap, instead) = &mut *for_chunk.borrow_mut();
            let (number, bytes) = match tap.chunk(&bytes) {
                Step::Pass => return 0,
                Step::Replace(bytes) => (1, bytes),
                Step::Finish(bytes) => (2, bytes),
                Step::Abort(bytes) => (3, bytes),
                Step::Leave => (4, Vec::new()),
            };
            *instead = bytes;
            number
        });
        let take = Closure::<dyn FnMut() -> Vec<u8>>::new(move || std::mem::take(&mut for_take.borrow_mut().1));
        let end = Closure::<dyn FnMut(JsString) -> Option<Vec<u8>>>::new(move |word: JsString| {
            for_end.borrow_mut().0.end(end_of(&String::from(word)))
        });
        let relay = glue::Relay::new(
            &body.0,
            pipe,
            Uint8Array::from(first.as_slice()),
            number(millis(limits.stall)),
            number(millis(limits.until.since(self.now()))),
            chunk.as_ref(),
            take.as_ref(),
            end.as_ref(),
        );
        let finished = relay.finished();
        // Owns the closures until the relay is over.
        async move {
            let _ = JsFuture::from(finished).await;
            drop((chunk, take, end, body));
        }
    }

    async fn cache_get(&self, key: &str) -> Option<(String, String)> {
        let woken = Woken::new();
        let entry = glue::Entry::new(&self.shared.binding("CACHE"), key, woken.number());
        woken.await;
        Some((glue::text(entry.value()?), entry.metadata()?))
    }

    fn cache_put(&self, key: String, value: String, metadata: String, expire: Duration) -> impl Future<Output = ()> + 'static {
        let put = glue::kv_put(&self.shared.binding("CACHE"), &key, &value, &metadata, number(expire.as_secs()));
        async move {
            let _ = JsFuture::from(put).await;
        }
    }

    fn exchange(&self, object: &str, message: String) -> impl Future<Output = Option<String>> + 'static {
        let place = breaker::object_region(object).unwrap_or_else(|| self.region());
        let answer = glue::exchange(&self.shared.binding("BREAKER"), object, place, &message);
        async move { JsFuture::from(answer).await.ok()?.as_string() }
    }

    fn region(&self) -> &'static str {
        REGION.with(|cell| {
            *cell.get_or_init(|| {
                let place = glue::place(&self.shared.request);
                let mut lines = place.split('\n');
                let mut line = || lines.next().unwrap_or_default();
                let (continent, country, longitude) = (line(), line(), line().parse().unwrap_or(f64::NAN));
                region::hint(continent, country, longitude)
            })
        })
    }

    fn after(&self, task: impl Future<Output = ()> + 'static) {
        self.shared.context.wait_until(task);
    }

    fn log(&self, line: &str) {
        worker::console_log!("{line}");
    }
}

/// Why a call has no head.
fn failure(word: &str) -> CallError {
    match word {
        "timeout" => CallError::Timeout,
        "cut" => CallError::Cut,
        "too_large" => CallError::TooLarge,
        "gone" => CallError::ClientGone,
        _ => CallError::Connect,
    }
}

fn end_of(word: &str) -> End {
    match word {
        "eof" => End::Eof,
        "silence" => End::Silence,
        "overlong" => End::Overlong,
        "gone" => End::ClientGone,
        _ => End::Cut,
    }
}

/// The form that `play` in `glue.js` reads; a negative wait lasts for ever.
fn script_json(script: Script) -> String {
    let head_after = millis(script.head_after);
    let (head_after, refuse, status, headers) = match script.head {
        ScriptHead::Answer(status, headers) => (json!(head_after), false, status, headers.to_flat()),
        ScriptHead::Refuse => (json!(head_after), true, 0, String::new()),
        ScriptHead::Hang => (json!(-1), false, 0, String::new()),
    };
    let pieces: Vec<_> =
        script.pieces.iter().map(|(wait, piece)| json!([millis(*wait), String::from_utf8_lossy(piece)])).collect();
    let ending = match script.ending {
        Ending::Eof => "eof",
        Ending::Cut => "cut",
        Ending::Hang => "hang",
    };
    json!({
        "head_after": head_after, "refuse": refuse, "status": status, "headers": headers, "pieces": pieces, "ending": ending,
    })
    .to_string()
}
