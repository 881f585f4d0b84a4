//! The Worker's entrance: a JavaScript request in, a JavaScript response out.

use std::cell::OnceCell;
use std::rc::Rc;

use js_sys::Reflect;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use worker::{Context, Env, Result, event};

use super::glue;
use super::runtime::Workers;
use crate::gateway::{self, Bindings, Gateway};
use crate::http::{Body, Headers, Request, Response};

thread_local! {
    /// This isolate's gateway: made by its first request, as bindings are not to be had before.
    static GATEWAY: OnceCell<Rc<Gateway>> = const { OnceCell::new() };
}

#[event(start)]
fn start() {
    super::panic::install();
}

#[event(fetch)]
async fn fetch(request: web_sys::Request, env: Env, context: Context) -> Result<web_sys::Response> {
    let gateway = GATEWAY.with(|cell| {
        Rc::clone(cell.get_or_init(|| {
            Rc::new(Gateway::new(&Bindings { text: &|name| text_binding(&env, name) }, &|line| worker::console_log!("{line}")))
        }))
    });
    let intake = glue::Intake::new(&request);
    let response = match read(&request, &intake, &gateway).await {
        Ok(read) => gateway::handle(gateway, Workers::new(request, env, context), read).await,
        Err(response) => response,
    };
    Ok(render(response))
}

/// A variable's or a secret's text.
fn text_binding(env: &Env, name: &str) -> Option<String> {
    Reflect::get(env, &JsValue::from_str(name)).ok()?.as_string()
}

/// The whole request, or the answer to one whose body cannot be had.
async fn read(
    request: &web_sys::Request,
    intake: &glue::Intake,
    gateway: &Gateway,
) -> std::result::Result<Request, Response<web_sys::ReadableStream>> {
    let url = intake.url();
    let (host, path) = gateway::split_url(&url);
    let mut read = Request {
        method: intake.method(),
        path: path.to_owned(),
        host: host.to_owned(),
        headers: Headers::from_flat(&intake.headers()),
        body: String::new(),
    };
    if read.method == "POST" {
        #[expect(clippy::cast_precision_loss, reason = "a limit of some megabytes")]
        let limit = gateway.body_limit() as f64;
        let state = JsFuture::from(intake.read(request, limit)).await.ok().and_then(|state| state.as_string());
        match state.as_deref() {
            Some("ok") => read.body = glue::text(intake.body()),
            state => return Err(gateway::unreadable(gateway, &read, state == Some("too_large"))),
        }
    }
    Ok(read)
}

fn render(response: Response<web_sys::ReadableStream>) -> web_sys::Response {
    let body = match response.body {
        Body::Empty => JsValue::NULL,
        Body::Text(text) => JsValue::from_str(&text),
        Body::Stream(stream) => stream.into(),
    };
    glue::respond(response.status, &response.headers.to_flat(), &body)
}
