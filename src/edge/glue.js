// The Worker's I/O, in as few crossings of the wasm boundary as it takes. Nothing here decides: what to send, for how long to
// wait and what becomes of each chunk is told by Rust. Every function that can fail says so in its result: an exception through an
// import without `catch` would reset the isolate and every request in it.

const TOO_LARGE = Symbol("too large");
const ENCODER = new TextEncoder();

// All header fields as `name\nvalue\nname\nvalue`, the form of `Headers::from_flat`.
function flatten(headers) {
  let flat = "";
  headers.forEach((value, name) => (flat += flat === "" ? name + "\n" + value : "\n" + name + "\n" + value));
  return flat;
}

// An object is what the platform reads fastest: pairs cost it twice as much.
function unflatten(flat) {
  const fields = {};
  if (flat === "") return fields;
  const lines = flat.split("\n");
  for (let at = 0; at + 1 < lines.length; at += 2) {
    const name = lines[at];
    fields[name] = name in fields ? fields[name] + ", " + lines[at + 1] : lines[at + 1];
  }
  return fields;
}

// Reads a body as text, or gives TOO_LARGE as soon as it is known to pass `limit` bytes. The length of one that comes compressed is not that of
// its text.
async function readText(message, limit) {
  const length = message.headers.get("content-encoding") === null ? message.headers.get("content-length") : null;
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
      reader.releaseLock();
      return TOO_LARGE;
    }
    text += decoder.decode(value, { stream: true });
  }
}

// How much of a body that is refused is still taken in: who is cut off in the middle of sending never sees the answer.
const MOST_DISCARDED = 64 * 1024 * 1024;

async function discard(message) {
  const reader = message.body?.getReader();
  for (let size = 0; reader !== undefined && size < MOST_DISCARDED; ) {
    const { done, value } = await reader.read();
    if (done) return;
    size += value.byteLength;
  }
}

// Calls back into Rust: what is waited for by a number is there (see `task.rs`).
let wake;

export function onWake(callback) {
  wake = (number) => {
    try {
      callback(number);
    } catch (error) {
      // A trap. It must not end as a rejection of some promise here: the worker's shim makes a new instance for it when it hears of it.
      reportError(error);
    }
  };
}

// A client's request.
export class Intake {
  constructor(request) {
    // Method, address and header fields in one string: to cross costs more than to take it apart.
    this.head = `${request.method}\n${request.url}\n${flatten(request.headers)}`;
    this.body = undefined;
    this.tooLarge = false;
  }

  // Reads the body, as bytes: a long string crosses far slower. Without a `body` then it was too large, or it broke off.
  async read(request, limit, number) {
    const woken = wake;
    try {
      const text = await readText(request, limit);
      if (text === TOO_LARGE) {
        this.tooLarge = true;
        await discard(request);
      } else this.body = ENCODER.encode(text);
    } catch {
      // It broke off.
    }
    woken(number);
  }

  // Takes the body in, and leaves it at that.
  async discard(request, number) {
    const woken = wake;
    try {
      await discard(request);
    } catch {
      // The client has gone: there is nobody to answer.
    }
    woken(number);
  }
}

// Where the caller is: continent, country and longitude, one a line. Reading `cf` costs, so that it is left until somebody asks.
export function place(request) {
  const cf = request.cf;
  return `${cf?.continent ?? ""}\n${cf?.country ?? ""}\n${cf?.longitude ?? ""}`;
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

// One upstream call. `failure` is "", "connect", "timeout", "cut", "too_large" or "gone"; `head` is then the status and the header fields,
// one a line. `text` is there where the body was read whole.
export class Call {
  constructor(scope) {
    this.scope = scope;
    this.controller = new AbortController();
    this.reason = "";
    this.failure = "";
    this.head = "";
    this.text = undefined;
    this.reader = null;
    this.pulling = undefined;
    this.piece = undefined;
    // Whether nothing is left to abort: an abort of what has ended costs more than the rest of the call.
    this.over = false;
    this.timer = 0;
    this.waiting = 0;
    this.woken = wake;
    scope.calls.add(this);
    if (scope.gone) this.stop("gone");
  }

  // Ends the call for `reason`; whoever waits for it learns at once, even where the platform would keep it waiting.
  stop(reason) {
    if (this.reason !== "") return;
    this.reason = reason;
    this.scope.calls.delete(this);
    clearTimeout(this.timer);
    if (!this.over) this.controller.abort();
    this.resume();
  }

  // Somebody waits for this call, by this number; `stop("timeout")` after `ms`.
  wait(number, ms) {
    this.waiting = number;
    if (this.reason !== "") this.resume();
    else this.timer = setTimeout(() => this.stop("timeout"), ms);
  }

  resume() {
    const number = this.waiting;
    if (number === 0) return;
    this.waiting = 0;
    clearTimeout(this.timer);
    if (this.reason !== "") this.failure = this.reason;
    this.woken(number);
  }

  // Sends a request, or plays `script` where that is not "". Before the address may stand another method than POST.
  async send(url, script, flat, body, streamed, ms, limit, number) {
    this.wait(number, ms);
    let headed = false;
    try {
      const signal = this.controller.signal;
      const [address, request] = asked(url, body);
      const response =
        script === ""
          ? await fetch(address, { ...request, headers: unflatten(flat), redirect: "manual", signal })
          : await play(JSON.parse(script), signal);
      headed = true;
      this.head = `${response.status}\n${flatten(response.headers)}`;
      const type = response.headers.get("content-type") ?? "";
      if (streamed && response.ok && response.body !== null && !type.includes("json") && !type.includes("html")) {
        this.reader = response.body.getReader();
      } else {
        const text = await readText(response, limit);
        if (text === TOO_LARGE) this.failure = "too_large";
        else {
          this.text = ENCODER.encode(text);
          this.over = true;
        }
        this.scope.calls.delete(this);
      }
    } catch {
      this.failure = headed ? "cut" : "connect";
    }
    this.resume();
  }

  // One read of the body. Whoever waits for it may stop waiting: what comes then is the next one's.
  pull() {
    this.pulling ??= this.reader.read().then(
      ({ done, value }) => (done ? "eof" : value),
      () => "cut",
    );
    return this.pulling;
  }

  // The read that somebody has stopped waiting for, as a reader gives it.
  async pulled() {
    const piece = await this.pulling;
    this.pulling = undefined;
    if (piece === "cut") throw new Error("cut");
    return piece === "eof" ? { done: true, value: undefined } : { done: false, value: piece };
  }

  // The next bytes of a streamed body: `piece` is then a Uint8Array, or "eof", "cut", "gone", or, as nothing came within `ms`, "silence".
  async next(ms, number) {
    this.waiting = number;
    if (this.reason !== "") return this.resume();
    this.timer = setTimeout(() => {
      this.piece = "silence";
      this.resume();
    }, ms);
    const piece = await this.pull();
    if (this.waiting !== number) return;
    this.pulling = undefined;
    this.piece = piece;
    this.resume();
  }

  // What `send` came to: the head, or one word for why there is none.
  get came() {
    return this.failure === "" ? this.head : this.failure;
  }

  // What `next` came to.
  took() {
    return this.reason === "" ? this.piece : "gone";
  }
}

// An address without a method before it, and what is asked of it.
function asked(url, body) {
  const space = url.indexOf(" ");
  if (space < 0) return [url, { method: "POST", body }];
  const method = url.slice(0, space);
  return [url.slice(space + 1), method === "POST" ? { method, body } : { method }];
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

// What `chunk` of a tap answers: pass it on, or send `take()` instead, and perhaps that was all, or the upstream went wrong, in which case
// the client's stream may be left open for another one.
const PASS = 0;
const FINISH = 2;
const ABORT = 3;
const LEAVE = 4;

// What comes within this many milliseconds of the last write goes out with the next one. A write costs twice what a read does and ten
// times what looking at the bytes does, so that a provider in a hurry is relayed in fewer, larger pieces; one that is not waits for nothing.
const GATHER = 2;

// Nor is more held back than this, in bytes.
const MOST_GATHERED = 65536;

// How far a client may fall behind its stream before reading waits for it, in bytes.
const MOST_AHEAD = 65536;

// How long after its terminator a provider may take to end its body, in milliseconds: then its connection can carry the next call. One that
// leaves it open longer is cut off.
const LINGER = 100;

function joined(pieces, size) {
  if (pieces.length === 1) return pieces[0];
  const all = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.byteLength;
  }
  return all;
}

// The client's stream. Writing to a client that has gone does nothing; who has to know it sets `gone`.
export class Pipe {
  constructor() {
    const { readable, writable } = new IdentityTransformStream();
    this.readable = readable;
    this.writer = writable.getWriter();
    // When something was written last, and the promise of it.
    this.written = 0;
    this.writing = undefined;
    // Bytes that were written since a write was last waited for.
    this.ahead = 0;
    this.gone = () => {};
    this.failed = () => this.gone();
  }

  write(bytes) {
    if (bytes.byteLength === 0) return;
    this.written = Date.now();
    this.ahead += bytes.byteLength;
    this.writing = this.writer.write(bytes);
    this.writing.catch(this.failed);
  }

  close() {
    const closing = Promise.resolve(this.writing).then(() => this.writer.close());
    closing.catch(this.failed);
    return closing;
  }
}

// Relays the rest of `call`'s body to the client: `first`, then what the tap makes of each further piece. `finished` resolves when all is over,
// whatever ended it, and `end` has been asked unless the tap itself said that it was over. The client's stream is closed then, or left open
// where the tap says so.
export class Relay {
  constructor(call, pipe, first, stall, ms, chunk, take, end) {
    this.call = call;
    this.pipe = pipe;
    this.stall = stall;
    this.until = Date.now() + ms;
    this.chunk = chunk;
    this.take = take;
    this.pieces = [];
    this.size = 0;
    this.gathering = 0;
    // Set once the tap has said that all is said.
    this.closing = undefined;
    pipe.gone = () => call.stop("gone");
    this.finished = this.run(first, end);
  }

  // Hands on what has gathered.
  flush() {
    clearTimeout(this.gathering);
    this.gathering = 0;
    if (this.size === 0) return;
    const bytes = joined(this.pieces, this.size);
    this.pieces = [];
    this.size = 0;
    const step = this.chunk(bytes);
    if (step === LEAVE) this.closing = Promise.resolve();
    else this.pipe.write(step === PASS ? bytes : this.take());
    if (step === FINISH || step === ABORT) this.close();
    if (step >= ABORT) this.call.stop("broken");
  }

  // Ends the client's stream; what comes of the upstream's is nobody's business any more.
  close() {
    const { call } = this;
    clearTimeout(call.timer);
    call.timer = setTimeout(() => call.stop("finished"), LINGER);
    this.closing = this.pipe.close();
  }

  // One timer for the whole relay, set anew only when it fires: a piece costs it nothing but a look at the clock.
  watch() {
    const { call } = this;
    if (this.closing !== undefined) return;
    const now = Date.now();
    const quiet = this.waiting ? this.heard + this.stall - now : this.stall;
    if (this.until <= now) call.stop("overlong");
    else if (quiet <= 0) call.stop("silence");
    else call.timer = setTimeout(() => this.watch(), Math.min(quiet, this.until - now));
  }

  // Reads until something ends it, and says what did.
  async pump() {
    const { call } = this;
    for (;;) {
      if (call.reason !== "") return call.reason;
      this.waiting = true;
      this.heard = Date.now();
      let read;
      try {
        if (call.pulling === undefined) read = await call.reader.read();
        else read = await call.pulled();
      } catch {
        // Stopping the call aborts its body, so that this is also how everything else arrives.
        return call.reason === "" ? "cut" : call.reason;
      }
      this.waiting = false;
      if (read.done) {
        call.over = true;
        return "eof";
      }
      if (this.closing !== undefined) continue;
      this.pieces.push(read.value);
      this.size += read.value.byteLength;
      if (this.size >= MOST_GATHERED || Date.now() - this.pipe.written >= GATHER) this.flush();
      else if (this.gathering === 0) this.gathering = setTimeout(() => this.flush(), GATHER);
      // A client that reads slowly is not read far ahead of. To wait for each write would wake the isolate once more for each.
      if (this.pipe.ahead >= MOST_AHEAD) {
        await this.pipe.writing;
        this.pipe.ahead = 0;
      }
    }
  }

  async run(first, end) {
    const { call, pipe } = this;
    try {
      this.watch();
      pipe.write(first);
      const how = await this.pump();
      // What was left may hold the terminator.
      if (this.closing === undefined) this.flush();
      if (this.closing === undefined) {
        const ended = end;
        end = undefined;
        const last = ended(how);
        if (last !== undefined) {
          pipe.write(last);
          this.close();
        }
      }
      await this.closing;
    } catch {
      if (this.closing === undefined) end?.("gone");
    } finally {
      clearTimeout(call.timer);
      clearTimeout(this.gathering);
      pipe.gone = () => {};
      call.stop("done");
    }
  }
}

// What a client is promised, and given.
export class Answer {
  constructor() {
    this.promise = new Promise((resolve) => (this.resolve = resolve));
  }

  // A response; where the platform refuses it, a plain 502 instead of an exception.
  give(status, flat, body) {
    let response;
    try {
      response = new Response(body, { status, headers: unflatten(flat) });
    } catch {
      response = new Response('{"error":{"message":"the answer cannot be sent","type":"server_error","param":null,"code":"upstream_failed"}}', {
        status: 502,
        headers: { "content-type": "application/json" },
      });
    }
    this.resolve(response);
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

// A KV entry: its value as bytes and its metadata as JSON, undefined where there is none.
export class Entry {
  constructor(namespace, key, number) {
    this.value = undefined;
    this.metadata = undefined;
    this.read(namespace, key, number, wake);
  }

  async read(namespace, key, number, woken) {
    try {
      const { value, metadata } = await namespace.getWithMetadata(key);
      if (value !== null) {
        this.value = ENCODER.encode(value);
        this.metadata = JSON.stringify(metadata);
      }
    } catch {
      // A cache that cannot be read is an empty one.
    }
    woken(number);
  }
}

export async function kvPut(namespace, key, value, metadata, expirationTtl) {
  try {
    await namespace.put(key, value, { metadata: JSON.parse(metadata), expirationTtl });
  } catch (error) {
    console.warn("cache: not stored:", String(error));
  }
}

// Calls back into Rust, unless it is stopped before.
export class Timer {
  constructor(ms, number) {
    const woken = wake;
    this.id = setTimeout(() => woken(number), ms);
  }

  stop() {
    clearTimeout(this.id);
  }
}
