//! What `glue.js` offers, as Rust sees it. Every import returns rather than throws.

use js_sys::{Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::ReadableStream;

#[wasm_bindgen(module = "/src/edge/glue.js")]
extern "C" {
    pub(super) type Intake;
    #[wasm_bindgen(constructor)]
    pub(super) fn new(request: &web_sys::Request) -> Intake;
    #[wasm_bindgen(method)]
    pub(super) fn read(this: &Intake, request: &web_sys::Request, limit: f64, number: u32);
    #[wasm_bindgen(method, getter, js_name = tooLarge)]
    pub(super) fn too_large(this: &Intake) -> bool;
    #[wasm_bindgen(method)]
    pub(super) fn discard(this: &Intake, request: &web_sys::Request, number: u32);
    #[wasm_bindgen(method, getter)]
    pub(super) fn head(this: &Intake) -> String;
    #[wasm_bindgen(method, getter)]
    pub(super) fn body(this: &Intake) -> Option<Vec<u8>>;
    pub(super) fn place(request: &web_sys::Request) -> String;

    #[derive(Clone)]
    pub(super) type Scope;
    #[wasm_bindgen(constructor)]
    pub(super) fn new(request: &web_sys::Request) -> Scope;

    #[derive(Clone)]
    pub(super) type Call;
    #[wasm_bindgen(constructor)]
    pub(super) fn new(scope: &Scope) -> Call;
    #[wasm_bindgen(method)]
    #[expect(clippy::too_many_arguments, reason = "one crossing for the whole call")]
    pub(super) fn send(
        this: &Call,
        url: &str,
        script: &str,
        headers: &str,
        body: &str,
        streamed: bool,
        ms: f64,
        limit: f64,
        number: u32,
    );
    #[wasm_bindgen(method)]
    pub(super) fn next(this: &Call, ms: f64, number: u32);
    #[wasm_bindgen(method)]
    pub(super) fn took(this: &Call) -> JsValue;
    #[wasm_bindgen(method)]
    pub(super) fn stop(this: &Call, reason: &str);
    #[wasm_bindgen(method, getter)]
    pub(super) fn came(this: &Call) -> String;
    #[wasm_bindgen(method, getter)]
    pub(super) fn text(this: &Call) -> Option<Vec<u8>>;

    pub(super) type Pipe;
    #[wasm_bindgen(constructor)]
    pub(super) fn new() -> Pipe;
    #[wasm_bindgen(method, getter)]
    pub(super) fn readable(this: &Pipe) -> ReadableStream;
    #[wasm_bindgen(method)]
    pub(super) fn write(this: &Pipe, bytes: Uint8Array);
    #[wasm_bindgen(method)]
    pub(super) fn close(this: &Pipe);

    pub(super) type Relay;
    #[wasm_bindgen(constructor)]
    #[expect(clippy::too_many_arguments, reason = "one crossing for the whole stream")]
    pub(super) fn new(
        call: &Call,
        pipe: &Pipe,
        first: Uint8Array,
        stall: f64,
        ms: f64,
        chunk: &JsValue,
        take: &JsValue,
        end: &JsValue,
    ) -> Relay;
    #[wasm_bindgen(method, getter)]
    pub(super) fn finished(this: &Relay) -> Promise;

    pub(super) type Entry;
    #[wasm_bindgen(constructor)]
    pub(super) fn new(namespace: &JsValue, key: &str, number: u32) -> Entry;
    #[wasm_bindgen(method, getter)]
    pub(super) fn value(this: &Entry) -> Option<Vec<u8>>;
    #[wasm_bindgen(method, getter)]
    pub(super) fn metadata(this: &Entry) -> Option<String>;

    #[wasm_bindgen(js_name = onWake)]
    pub(super) fn on_wake(callback: &JsValue);

    pub(super) type Answer;
    #[wasm_bindgen(constructor)]
    pub(super) fn new() -> Answer;
    #[wasm_bindgen(method, getter)]
    pub(super) fn promise(this: &Answer) -> Promise;
    #[wasm_bindgen(method)]
    pub(super) fn give(this: &Answer, status: u16, headers: &str, body: &JsValue);

    pub(super) fn exchange(namespace: &JsValue, name: &str, hint: &str, message: &str) -> Promise;
    #[wasm_bindgen(js_name = kvPut)]
    pub(super) fn kv_put(namespace: &JsValue, key: &str, value: &str, metadata: &str, expiration_ttl: f64) -> Promise;

    pub(super) type Timer;
    #[wasm_bindgen(constructor)]
    pub(super) fn new(ms: f64, number: u32) -> Timer;
    #[wasm_bindgen(method)]
    pub(super) fn stop(this: &Timer);
}

/// Bytes that JavaScript encoded from a string, and so are UTF-8.
pub(super) fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_default()
}
