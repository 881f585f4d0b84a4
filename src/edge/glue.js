// The Worker's I/O, in as few crossings of the wasm boundary as it takes. Nothing here decides: what to send, for how long to
// wait and what becomes of each chunk is told by Rust. Every function that can fail says so in its result: an exception through an
// import without `catch` would reset the isolate and every request in it.

const TOO_LARGE = Symbol("too large");
const ENCODER = new TextEncoder();

// All header fields as `name\nvalue\nname\nvalue`, the form of `Headers::from_flat`.
function flatten(headers) {
  let flat = "";
  for (const [name, value] of headers) flat += flat === "" ? name + "\n" + value : "\n" + name + "\n" + value;
  return flat;
}

function unflatten(flat) {
  const fields = [];
  if (flat === "") return fields;
  const lines = flat.split("\n");
  for (let at = 0; at + 1 < lines.length; at += 2) fields.push([lines[at], lines[at + 1]]);
  return fields;
}

// Reads a body as text, or gives TOO_LARGE as soon as it is known to pass `limit` bytes.
async function readText(message, limit) {
  const length = message.headers.get("content-length");
  if (length !== null) return Number(length) > limit ? TOO_LARGE : message.text();
  if (message.body === null) return "";
  const reader = message.body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    size += value.byteLength;
    if (size > limit) {
      reader.cancel().catch(() => {});
      return TOO_LARGE;
    }
    text += decoder.decode(value, { stream: true });
  }
}

// A client's request. `state` is "ok", "too_large" or "broken".
export class Intake {
  constructor(request) {
    const cf = request.cf;
    this.method = request.method;
    this.url = request.url;
    this.headers = flatten(request.headers);
    this.continent = cf?.continent ?? "";
    this.country = cf?.country ?? "";
    this.longitude = Number(cf?.longitude ?? NaN);
    this.body = "";
  }

  async read(request, limit) {
    try {
      const text = await readText(request, limit);
      if (text === TOO_LARGE) return "too_large";
      this.body = text;
      return "ok";
    } catch {
      return "broken";
    }
  }
}

// One client request's upstream calls, which end together when the client leaves. Rust's `Drop` does not run on a disconnect, as its
// future is never polled again: this listener is what aborts.
export class Scope {
  constructor(request) {
    this.calls = new Set();
    this.gone = false;
    request.signal?.addEventListener("abort", () => {
      this.gone = true;
      for (const call of this.calls) call.stop("gone");
    });
  }
}

// One upstream call. `failure` is "", "connect", "timeout", "cut", "too_large" or "gone".
export class Call {
  constructor(scope) {
    this.scope = scope;
    this.controller = new AbortController();
    this.reason = "";
    this.failure = "";
    this.status = 0;
    this.headers = "";
    this.text = "";
    this.reader = null;
    this.timer = 0;
    this.wake = null;
    scope.calls.add(this);
    if (scope.gone) this.stop("gone");
  }

  // Ends the call for `reason`; whoever waits for it learns at once, even where the platform would keep it waiting.
  stop(reason) {
    if (this.reason !== "") return;
    this.reason = reason;
    this.scope.calls.delete(this);
    clearTimeout(this.timer);
    this.controller.abort();
    this.wake?.();
  }

  // The promise of `work`, or of this call's being stopped, whichever is first; `stop("timeout")` after `ms`.
  async within(ms, work) {
    if (this.reason !== "") return;
    const stopped = new Promise((resolve) => (this.wake = resolve));
    this.timer = setTimeout(() => this.stop("timeout"), ms);
    try {
      await Promise.race([work, stopped]);
    } finally {
      clearTimeout(this.timer);
    }
  }

  // Sends a request, or plays `script` where that is not "".
  async send(url, script, flat, body, streamed, ms, limit) {
    let headed = false;
    const work = async () => {
      const signal = this.controller.signal;
      const response =
        script === ""
          ? await fetch(url, { method: "POST", headers: unflatten(flat), body, redirect: "manual", signal })
          : await play(JSON.parse(script), signal);
      headed = true;
      this.status = response.status;
      this.headers = flatten(response.headers);
      const type = response.headers.get("content-type") ?? "";
      if (streamed && response.ok && response.body !== null && !type.includes("json") && !type.includes("html")) {
        this.reader = response.body.getReader();
        return;
      }
      const text = await readText(response, limit);
      if (text === TOO_LARGE) this.failure = "too_large";
      else this.text = text;
      this.scope.calls.delete(this);
    };
    try {
      await this.within(ms, work());
    } catch {
      this.failure = headed ? "cut" : "connect";
    }
    if (this.reason !== "") this.failure = this.reason;
  }

  // The next bytes of a streamed body: a Uint8Array, or "eof", "cut", "silence" or "gone".
  async next(ms) {
    let result;
    try {
      await this.within(ms, this.reader.read().then((read) => (result = read)));
    } catch {
      if (this.reason === "") return "cut";
    }
    if (this.reason !== "") return this.reason === "timeout" ? "silence" : "gone";
    return result.done ? "eof" : result.value;
  }
}

// Waits `ms`, or for ever when it is negative, unless `signal` aborts first.
function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(new Error("aborted")), { once: true });
    if (ms >= 0) setTimeout(resolve, ms);
  });
}

// Plays a script (`runtime::Script` as JSON) as if an upstream had answered so.
async function play(script, signal) {
  await pause(script.head_after, signal);
  if (script.refuse) throw new Error("refused");
  let at = 0;
  const body = new ReadableStream({
    async pull(controller) {
      if (at < script.pieces.length) {
        const [wait, piece] = script.pieces[at++];
        if (wait > 0) await pause(wait, signal);
        controller.enqueue(ENCODER.encode(piece));
      } else if (script.ending === "eof") controller.close();
      else if (script.ending === "cut") controller.error(new Error("cut"));
      else await pause(-1, signal);
    },
  });
  return new Response(body, { status: script.status, headers: unflatten(script.headers) });
}

// What `chunk` of a tap answers: pass it on, send `take()` instead, or send `take()` and stop.
const PASS = 0;
const REPLACE = 1;

// Relays the rest of `call`'s body to the client: `first`, then what the tap makes of each chunk. `readable` is the client's body;
// `finished` resolves when all is over, whatever ended it, and `end` has been asked unless the tap itself said that it was over.
export class Relay {
  constructor(call, first, stall, ms, chunk, take, end) {
    const { readable, writable } = new IdentityTransformStream();
    this.readable = readable;
    this.finished = this.run(call, writable.getWriter(), first, stall, Date.now() + ms, chunk, take, end);
  }

  async run(call, writer, first, stall, until, chunk, take, end) {
    // One timer for the whole relay, set anew only when it fires: a chunk costs it nothing but a look at the clock.
    let heard = Date.now();
    let waiting = false;
    let overlong = false;
    const watch = () => {
      const now = Date.now();
      const quiet = waiting ? heard + stall - now : stall;
      overlong = until <= now;
      if (overlong || quiet <= 0) call.stop("timeout");
      else call.timer = setTimeout(watch, Math.min(quiet, until - now));
    };
    let how = "gone";
    try {
      watch();
      if (first.byteLength > 0) await writer.write(first);
      for (;;) {
        if (call.reason !== "") {
          how = call.reason === "timeout" ? (overlong ? "overlong" : "silence") : "gone";
          break;
        }
        waiting = true;
        heard = Date.now();
        let read;
        try {
          read = await call.reader.read();
        } catch {
          // Stopping the call aborts its body, so that this is also how silence and a client's leaving arrive.
          if (call.reason !== "") continue;
          how = "cut";
          break;
        }
        waiting = false;
        if (read.done) {
          how = "eof";
          break;
        }
        const step = chunk(read.value);
        if (step === PASS) await writer.write(read.value);
        else {
          const bytes = take();
          if (bytes.byteLength > 0) await writer.write(bytes);
          if (step !== REPLACE) {
            how = "finished";
            break;
          }
        }
      }
      if (how !== "finished") {
        const last = end(how);
        end = undefined;
        if (last.byteLength > 0) await writer.write(last);
      }
      await writer.close();
    } catch {
      if (end !== undefined && how !== "finished") end("gone");
    } finally {
      clearTimeout(call.timer);
      call.stop("done");
    }
  }
}

// A response of Rust's making; where the platform refuses it, a plain 502 instead of an exception.
export function respond(status, flat, body) {
  try {
    return new Response(body, { status, headers: unflatten(flat) });
  } catch {
    return new Response('{"error":{"message":"the answer cannot be sent","type":"server_error","param":null,"code":"upstream_failed"}}', {
      status: 502,
      headers: { "content-type": "application/json" },
    });
  }
}

// Sends a message to a Durable Object; undefined where it cannot be reached or does not answer 200.
export async function exchange(namespace, name, hint, message) {
  try {
    const stub = namespace.get(namespace.idFromName(name), { locationHint: hint });
    const response = await stub.fetch("https://breaker/", { method: "POST", body: message });
    const text = await response.text();
    return response.ok ? text : undefined;
  } catch {
    return undefined;
  }
}

// A KV entry as [value, metadata as JSON], or undefined.
export async function kvGet(namespace, key) {
  try {
    const { value, metadata } = await namespace.getWithMetadata(key);
    return value === null ? undefined : [value, JSON.stringify(metadata)];
  } catch {
    return undefined;
  }
}

export async function kvPut(namespace, key, value, metadata, expirationTtl) {
  try {
    await namespace.put(key, value, { metadata: JSON.parse(metadata), expirationTtl });
  } catch (error) {
    console.warn("cache: not stored:", String(error));
  }
}

export function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
