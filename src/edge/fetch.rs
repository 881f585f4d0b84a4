//! The Worker's entrance: a JavaScript request in, a JavaScript response out.

use std::cell::OnceCell;
use std::rc::Rc;

use js_sys::Reflect;
use wasm_bindgen::prelude::*;
use worker::{Context, Env, event, worker_sys};

use super::glue;
use super::runtime::Workers;
use super::task::{self, Woken};
use crate::gateway::{self, Bindings, Gateway};
use crate::http::{Body, Headers, Request, Response};

thread_local! {
    /// This isolate's gateway: made by its first request, as bindings are not to be had before.
    static GATEWAY: OnceCell<Rc<Gateway>> = const { OnceCell::new() };
}

#[event(start)]
fn start() {
    super::panic::install();
    task::install();
}

/// What `#[event(fetch)]` of the worker crate would export, on a task of our own; see [`super::task`].
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "what is exported to JavaScript must be public")]
pub fn fetch(request: web_sys::Request, env: Env, context: worker_sys::Context) -> js_sys::Promise {
    let answer = glue::Answer::new();
    let promise = answer.promise();
    task::spawn(async move {
        let response = serve(request, env, Context::new(context)).await;
        let body = match response.body {
            Body::Empty => JsValue::NULL,
            Body::Text(text) => JsValue::from_str(&text),
            Body::Stream(stream) => stream.into(),
        };
        answer.give(response.status, &response.headers.to_flat(), &body);
    });
    promise
}

async fn serve(request: web_sys::Request, env: Env, context: Context) -> Response<web_sys::ReadableStream> {
    let gateway = GATEWAY.with(|cell| {
        Rc::clone(cell.get_or_init(|| {
            Rc::new(Gateway::new(&Bindings { text: &|name| text_binding(&env, name) }, &|line| worker::console_log!("{line}")))
        }))
    });
    let intake = glue::Intake::new(&request);
    let runtime = Workers::new(Clone::clone(&request), env, context);
    let mut read = head(&intake);
    let holding = gateway::admit(&gateway, &runtime, &read);
    match &holding {
        Ok(_) => match body(&request, &intake, &read, gateway.body_limit()).await {
            Ok(body) => {
                read.body = body;
                gateway::handle(gateway, runtime, read).await
            }
            Err(too_large) => gateway::unreadable(&gateway, &runtime, &read, too_large),
        },
        Err(error) => {
            // A client that is still sending would take the answer for a broken connection.
            let woken = Woken::new();
            intake.discard(&request, woken.number());
            woken.await;
            gateway::turn_away(&gateway, &runtime, &read, error)
        }
    }
}

/// A variable's or a secret's text.
fn text_binding(env: &Env, name: &str) -> Option<String> {
    Reflect::get(env, &JsValue::from_str(name)).ok()?.as_string()
}

/// The request without its body.
fn head(intake: &glue::Intake) -> Request {
    let head = intake.head();
    let mut lines = head.splitn(3, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let (method, url, headers) = (line(), line(), line());
    let (host, path, query) = gateway::split_url(url);
    Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        host: host.to_owned(),
        headers: Headers::from_flat(headers),
        body: String::new(),
    }
}

/// The request's body; or whether it is too large, rather than broken.
async fn body(request: &web_sys::Request, intake: &glue::Intake, head: &Request, limit: usize) -> Result<String, bool> {
    if head.method != "POST" {
        return Ok(String::new());
    }
    #[expect(clippy::cast_precision_loss, reason = "a limit of some megabytes")]
    let limit = limit as f64;
    let woken = Woken::new();
    intake.read(request, limit, woken.number());
    woken.await;
    intake.body().map(glue::text).ok_or_else(|| intake.too_large())
}
