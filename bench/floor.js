// The same duties as Breakwater's, in JavaScript: what they cost on this platform when nothing crosses into wasm.
//
// It is written to be fast, by what measuring showed: whole bodies as text, headers as one object literal, one timer a call, native
// pumping of streams that are only looked at. Every duty is really carried out on the path that the benchmark takes; what only errors
// would need (their full table, stale answers, all of the configuration) is left out, which costs that path nothing.

const TARGETS = ["bench/gpt-4o-mini", "spare/gpt-4o-mini"];
const ROUTES = { smart: { targets: TARGETS, cacheSeconds: 0 }, cached: { targets: TARGETS, cacheSeconds: 3600 } };
const DEADLINE_MS = 120_000;
const FIRST_TOKEN_MS = 10_000;
const STALL_MS = 30_000;
const BODY_LIMIT = 10 * 1024 * 1024;
const FRESH_MS = 1500;
const FAILURES = 5;
const COOLDOWN_MS = 10_000;
const PASSED_DOWN = /^(x-ratelimit-|openai-)/;
const NOT_IN_KEY = new Set(["stream", "stream_options", "user", "metadata", "store", "service_tier"]);

const encoder = new TextEncoder();

// Data of this isolate: the breaker's snapshot, what has happened since, and who has shown a key before.
const circuits = new Map();
const outcomes = new Map();
const callers = new Map();
let asked = 0;
let serial = 0;

async function digest(text) {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(text)));
  let hex = "";
  for (const byte of bytes) hex += byte.toString(16).padStart(2, "0");
  return hex;
}

// Whose key it is: hashed once, then known by this isolate.
async function caller(headers, env) {
  const given = headers.get("authorization");
  if (given === null || !given.startsWith("Bearer ")) return undefined;
  const known = callers.get(given);
  if (known !== undefined) return known;
  const hash = await digest(given.slice(7));
  for (const line of env.GATEWAY_KEYS.split("\n")) {
    const [name, stored] = line.split(" ")[0].split(":");
    if (stored !== hash) continue;
    const record = { name, routes: new Set(["smart", "cached"]) };
    callers.set(given, record);
    return record;
  }
  return undefined;
}

function requestId(headers) {
  return headers.get("x-request-id") ?? `${Date.now().toString(36)}-${(serial++).toString(36)}`;
}

function failure(status, code, message, id, attempts) {
  const error = { message, type: status < 500 ? "invalid_request_error" : "server_error", param: null, code, attempts };
  return new Response(JSON.stringify({ error }), {
    status,
    headers: { "content-type": "application/json", "x-request-id": id, "x-should-retry": "false" },
  });
}

// The circuit breaker: a snapshot that is looked at, counts that are sent in batches, never waited for.
function admits(target, now) {
  const circuit = circuits.get(target);
  return circuit === undefined || circuit.openUntil <= now;
}

function record(target, ok, now) {
  let count = outcomes.get(target);
  if (count === undefined) outcomes.set(target, (count = { ok: 0, failed: 0, trailing: 0 }));
  if (ok) {
    count.ok++;
    count.trailing = 0;
  } else {
    count.failed++;
    if (++count.trailing >= FAILURES) circuits.set(target, { openUntil: now + COOLDOWN_MS });
  }
}

function refresh(env, ctx, now) {
  if (now - asked < FRESH_MS) return;
  asked = now;
  const report = JSON.stringify([...outcomes]);
  outcomes.clear();
  const stub = env.BREAKER.get(env.BREAKER.idFromName("breakers"));
  const exchange = async () => {
    const answer = await stub.fetch("https://breaker/", { method: "POST", body: report });
    for (const [target, circuit] of await answer.json()) circuits.set(target, circuit);
  };
  ctx.waitUntil(exchange().catch(() => {}));
}

// All of a client request's upstream calls end with it.
class Call {
  constructor(request, ms) {
    this.controller = new AbortController();
    this.reason = "";
    this.timer = setTimeout(() => this.stop("timeout"), ms);
    request.signal.addEventListener("abort", () => this.stop("gone"));
  }

  stop(reason) {
    if (this.reason !== "") return;
    this.reason = reason;
    clearTimeout(this.timer);
    this.controller.abort();
  }

  // An answer that is complete has nothing to abort, and an abort is dear: it makes an exception with a stack trace.
  complete() {
    this.reason = "done";
    clearTimeout(this.timer);
  }

  extend(ms) {
    if (this.reason !== "") return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.stop("timeout"), ms);
  }
}

function send(url, key, id, body, signal) {
  return fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json", authorization: key, "x-request-id": id },
    body,
    redirect: "manual",
    signal,
  });
}

function responseHeaders(id, target, trace, cache, upstream) {
  const headers = {
    "content-type": "application/json",
    "x-request-id": id,
    "x-breakwater-target": target,
    "x-breakwater-trace": trace,
    "x-breakwater-cache": cache,
  };
  upstream?.forEach((value, name) => {
    if (PASSED_DOWN.test(name)) headers[name] = value;
  });
  return headers;
}

// The end of the first frame that holds content in `text`, or -1.
function firstContent(text) {
  for (let at = text.indexOf("data: "); at >= 0; at = text.indexOf("data: ", at + 6)) {
    const end = text.indexOf("\n\n", at);
    if (end < 0) return -1;
    const data = text.slice(at + 6, end);
    if (data === "[DONE]") return -1;
    const delta = JSON.parse(data).choices?.[0]?.delta;
    if (delta?.content || delta?.tool_calls || delta?.refusal || delta?.reasoning_content) return end + 2;
  }
  return -1;
}

// A stream from its first content on. One branch is pumped natively to the client; the other is looked at in large pieces, several
// times a second, for the terminator and for silence.
class Relay {
  constructor(call, shown, seen, tail) {
    this.call = call;
    this.seen = seen;
    this.tail = tail;
    this.over = false;
    this.timer = 0;
    this.wake = undefined;
    const { readable, writable } = new IdentityTransformStream();
    this.readable = readable;
    this.finished = this.run(shown, writable);
  }

  async run(shown, writable) {
    const scanned = this.scan();
    try {
      await shown.pipeTo(writable, { preventClose: true, preventAbort: true });
    } catch {
      // A cut stream and an aborted one end the same way: without the terminator.
    }
    this.over = true;
    clearTimeout(this.timer);
    this.wake?.();
    const complete = await scanned;
    try {
      const writer = writable.getWriter();
      if (!complete) await writer.write(encoder.encode('\n\ndata: {"error":{"message":"the stream broke off","type":"server_error"}}\n\n'));
      await writer.close();
    } catch {
      // The client has gone.
    }
    if (complete) this.call.complete();
    else this.call.stop("cut");
    return complete;
  }

  async scan() {
    const decoder = new TextDecoder();
    let block = new Uint8Array(65_536);
    let complete = false;
    try {
      for (;;) {
        this.call.extend(STALL_MS);
        const { done, value } = await this.seen.read(block);
        if (done) return complete;
        const text = this.tail + decoder.decode(value, { stream: true });
        complete ||= text.includes("data: [DONE]\n\n");
        this.tail = text.slice(-16);
        block = new Uint8Array(value.buffer);
        if (!this.over && value.length < block.length) await this.pause();
      }
    } catch {
      return complete;
    }
  }

  pause() {
    return new Promise((resolve) => {
      this.wake = resolve;
      this.timer = setTimeout(resolve, 100);
    });
  }
}

// One attempt: a response to the client, or why there is none.
async function attempt(request, env, ctx, id, target, body, streamed, trace, now, cache) {
  const started = now;
  const call = new Call(request, streamed ? FIRST_TOKEN_MS : DEADLINE_MS);
  try {
    const answer = await send(env.UPSTREAM, env.BENCH_KEY, id, body, call.controller.signal);
    if (answer.status !== 200) {
      call.stop("status");
      return { outcome: `http_${answer.status}`, ms: Date.now() - started };
    }
    if (!streamed) {
      const text = await answer.text();
      call.complete();
      const parsed = JSON.parse(text);
      if (parsed.error !== undefined || !(parsed.choices?.length > 0)) return { outcome: "bad_answer", ms: Date.now() - started };
      const path = `${trace}${target};ok;${Date.now() - started}ms`;
      const headers = responseHeaders(id, target, path, cache, answer.headers);
      return { response: new Response(text, { status: 200, headers }), text };
    }
    const [shown, seen] = answer.body.tee();
    const reader = seen.getReader({ mode: "byob" });
    const decoder = new TextDecoder();
    let text = "";
    let block = new Uint8Array(4096);
    while (firstContent(text) < 0) {
      const { done, value } = await reader.read(block);
      if (done) {
        call.complete();
        return { outcome: "no_content", ms: Date.now() - started };
      }
      text += decoder.decode(value, { stream: true });
      block = new Uint8Array(value.buffer);
    }
    const relay = new Relay(call, shown, reader, text);
    ctx.waitUntil(relay.finished.then((complete) => complete || record(target, false, Date.now())));
    const path = `${trace}${target};ok;${Date.now() - started}ms`;
    const headers = responseHeaders(id, target, path, cache, answer.headers);
    headers["content-type"] = "text/event-stream; charset=utf-8";
    return { response: new Response(relay.readable, { status: 200, headers }) };
  } catch {
    const outcome = call.reason === "timeout" ? "timeout" : "connect";
    call.stop("failed");
    return { outcome, ms: Date.now() - started };
  }
}

// The same keys in the same order whatever the client's order was.
function canonical(value) {
  if (Array.isArray(value)) return value.map(canonical);
  if (value === null || typeof value !== "object") return value;
  const sorted = {};
  for (const name of Object.keys(value).sort()) sorted[name] = canonical(value[name]);
  return sorted;
}

function cacheKey(parsed, who, route) {
  const kept = {};
  for (const name of Object.keys(parsed).sort()) if (!NOT_IN_KEY.has(name)) kept[name] = canonical(parsed[name]);
  return digest(`${who.name}\n${route}\n${JSON.stringify(kept)}`);
}

async function lookup(env, key, id, now) {
  const { value, metadata } = await env.CACHE.getWithMetadata(key);
  if (value === null || metadata.until <= now) return undefined;
  const headers = responseHeaders(id, metadata.target, "", "hit");
  headers.age = String(Math.floor((now - metadata.at) / 1000));
  return new Response(value, { status: 200, headers });
}

async function chat(request, env, ctx, id) {
  const who = await caller(request.headers, env);
  if (who === undefined) return failure(401, "invalid_api_key", "no key, or an unknown one", id);
  if (Number(request.headers.get("content-length") ?? 0) > BODY_LIMIT) return failure(413, "request_too_large", "too large", id);
  let parsed;
  try {
    parsed = JSON.parse(await request.text());
  } catch {
    return failure(400, "invalid_request", "the body is not JSON", id);
  }
  const name = parsed.model;
  const route = ROUTES[name];
  if (route === undefined || !who.routes.has(name)) return failure(404, "model_not_found", "no such model", id);
  const now = Date.now();
  const store = (request.headers.get("cache-control") ?? "").includes("no-store");
  let key;
  if (route.cacheSeconds > 0 && !store) {
    key = await cacheKey(parsed, who, name);
    const hit = await lookup(env, key, id, now);
    if (hit !== undefined) return hit;
  }
  const attempts = [];
  let trace = "";
  for (const target of route.targets) {
    if (!admits(target, now)) continue;
    parsed.model = target.slice(target.indexOf("/") + 1);
    const body = JSON.stringify(parsed);
    const cache = key === undefined ? "bypass" : "miss";
    const result = await attempt(request, env, ctx, id, target, body, parsed.stream === true, trace, now, cache);
    record(target, result.response !== undefined, now);
    refresh(env, ctx, now);
    if (result.response !== undefined) {
      if (key !== undefined && result.text !== undefined) {
        const metadata = { target, at: now, until: now + route.cacheSeconds * 1000 };
        ctx.waitUntil(env.CACHE.put(key, result.text, { metadata, expirationTtl: route.cacheSeconds + 86_400 }));
      }
      return result.response;
    }
    attempts.push({ target, outcome: result.outcome, ms: result.ms });
    trace += `${target};${result.outcome};${result.ms}ms, `;
  }
  return failure(502, "upstream_failed", "every target failed", id, attempts);
}

export default {
  async fetch(request, env, ctx) {
    const { pathname } = new URL(request.url);
    if (pathname === "/health") return new Response('{"status":"ok"}', { headers: { "content-type": "application/json" } });
    const id = requestId(request.headers);
    if (request.method !== "POST" || pathname !== "/v1/chat/completions") return failure(404, "not_found", "no such endpoint", id);
    return chat(request, env, ctx, id);
  },
};

export class Breakers {
  constructor() {
    this.totals = new Map();
  }

  async fetch(request) {
    for (const [target, count] of await request.json()) {
      const total = this.totals.get(target) ?? { ok: 0, failed: 0 };
      this.totals.set(target, { ok: total.ok + count.ok, failed: total.failed + count.failed });
    }
    return Response.json([]);
  }
}
