// The response cache in KV: what is served from it, to whom, and for how long.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";

import { chat, eventually, events, folder, outcomes, said, sleep, start } from "./harness.mjs";
import { BEHAVIOURS, provider, upstream } from "./upstream.mjs";

const line = (name, key, options = "") => `${name}:${createHash("sha256").update(key).digest("hex")}${options}`;
const KEYS = [line("alice", "key-a", " direct=yes"), line("bob", "key-b"), line("carol", "key-c", " scope=alice")].join("\n");

let up;
let state;
let config;
let worker;

const begin = () => start({ config, persist: state.path, vars: { BREAKWATER_OPEN: undefined, GATEWAY_KEYS: KEYS } });

before(async () => {
  up = await upstream();
  state = folder();
  config = `${provider("a", up.base)}
[providers.usage]
preset = "vllm"
base_url = "${up.base}"
[auth]
keys = "GATEWAY_KEYS"
[defaults]
deadline = "5s"
[routes.cached]
targets = ["a/well~cached"]
cache = "1h"
[routes.brief]
targets = ["a/well~brief"]
cache = "1s"
[routes.dies]
targets = ["a/well~dies"]
cache = "1s"
[routes.cut]
targets = ["a/unended~cut"]
cache = "1h"
[routes.error]
targets = ["a/eventually~error"]
cache = "1h"
[routes.tools]
targets = ["a/tools~tools"]
cache = "1h"
[routes.late]
targets = ["usage/late"]
cache = "1h"
[routes.not]
targets = ["a/well~not"]
`;
  worker = await begin();
});

after(async () => {
  await worker?.stop();
  await up?.stop();
  state?.remove();
});

const ask = (body, headers = {}) => chat(worker, body, { authorization: "Bearer key-a", ...headers });
const calls = (model) => up.callsOf(model).length;
const word = (response) => response.headers.get("x-breakwater-cache");
const about = (text) => [{ role: "user", content: text }];

// Asks until the answer comes from the cache: KV is written after the answer.
const cached = (body, headers) =>
  eventually(async () => {
    const response = await ask(body, headers);
    return word(response) === "hit" && response;
  });

test("an identical question is answered from the cache, streamed and not", async () => {
  const body = { model: "cached", messages: about("both") };
  const first = await ask(body);
  assert.equal(word(first), "miss");
  const hit = await cached(body);
  assert.equal(hit.text, first.text);
  assert.equal(hit.headers.get("x-breakwater-target"), "a/well~cached");
  assert.match(hit.headers.get("age"), /^\d+$/);
  assert.equal(hit.headers.get("x-breakwater-trace"), null);
  const before = calls("well~cached");
  const streamed = await ask({ ...body, stream: true, user: "someone", metadata: { a: "b" } });
  assert.equal(word(streamed), "hit");
  assert.match(streamed.headers.get("content-type"), /^text\/event-stream/);
  assert.equal(said(streamed.text), "Hello from the upstream");
  assert.equal(events(streamed.text).at(-1), "[DONE]");
  assert.equal(calls("well~cached"), before);
});

test("a stream that was complete is stored, with its usage, and replayed whole", async () => {
  const body = { model: "cached", messages: about("streamed first") };
  const first = await ask({ ...body, stream: true });
  assert.equal(word(first), "miss");
  assert.equal(said(first.text), "Hello from the upstream");
  assert.deepEqual(events(first.text).filter((event) => event.usage), [], "usage that nobody asked for is not shown");
  const hit = await cached(body);
  assert.equal(hit.json.choices[0].message.content, "Hello from the upstream");
  assert.equal(hit.json.choices[0].finish_reason, "stop");
  assert.equal(hit.json.object, "chat.completion");
});

test("usage that was asked for on the cache's account is hidden wherever it comes", async () => {
  const body = { model: "late", messages: about("usage") };
  const first = await ask({ ...body, stream: true });
  assert.equal(said(first.text), "Hello");
  assert.deepEqual(events(first.text).filter((event) => event.usage || event.choices?.length === 0), []);
  const hit = await cached(body);
  assert.equal(hit.json.usage.total_tokens, 5, "and stored");
});

test("spelling does not matter, meaning does", async () => {
  const messages = about("spelled");
  await ask({ model: "cached", messages, temperature: 0 });
  await cached({ temperature: 0, messages: [{ content: "spelled", role: "user" }], model: "cached" });
  assert.equal(word(await ask({ model: "cached", messages, temperature: 0.5 })), "miss");
  assert.equal(word(await ask({ model: "cached", messages: about("spelled ") })), "miss");
});

test("tenants share nothing, callers of one scope do", async () => {
  const body = { model: "cached", messages: about("secret of alice") };
  await ask(body);
  await cached(body);
  assert.equal(word(await ask(body, { authorization: "Bearer key-b" })), "miss");
  assert.equal(word(await ask(body, { authorization: "Bearer key-c" })), "hit");
});

test("a part of an answer, or a failed one, is never stored", async () => {
  for (const model of ["cut", "error"]) {
    for (let at = 0; at < 2; at++) {
      const response = await ask({ model, stream: true });
      assert.equal(response.status, 200);
      assert.equal(word(response), "miss");
      await sleep(100);
    }
  }
  assert.deepEqual([calls("unended~cut"), calls("eventually~error")], [2, 2]);
});

test("tool calls are stored", async () => {
  await ask({ model: "tools" });
  const hit = await cached({ model: "tools" });
  assert.equal(hit.json.choices[0].message.tool_calls[0].function.name, "weather");
  const streamed = await ask({ model: "tools", stream: true });
  assert.equal(word(streamed), "hit");
  assert.match(streamed.text, /"tool_calls"/);
});

test("cache-control is honoured", async () => {
  const body = { model: "cached", messages: about("directives") };
  const refused = await ask(body, { "cache-control": "only-if-cached" });
  assert.deepEqual([refused.status, refused.json.error.code], [504, "cache_miss"]);
  assert.equal(refused.headers.get("x-should-retry"), "false");
  assert.equal(word(await ask(body, { "cache-control": "no-store" })), "bypass");
  assert.equal(word(await ask(body)), "miss", "no-store stored nothing");
  await cached(body);
  assert.equal(word(await ask(body, { "cache-control": "only-if-cached" })), "hit");
  assert.equal(word(await ask(body, { "cache-control": "no-cache" })), "miss");
  assert.equal(word(await ask(body, { "cache-control": "max-age=600" })), "hit");
  assert.equal(word(await ask(body, { "cache-control": "max-age=0" })), "miss");
});

test("a route that does not cache says so", async () => {
  for (let at = 0; at < 2; at++) assert.equal(word(await ask({ model: "not" })), "bypass");
  assert.equal(calls("well~not"), 2);
});

test("an answer that is no longer fresh is asked for again, and stands in when every target fails", async () => {
  const body = { model: "dies", messages: about("stale") };
  await ask(body);
  await cached(body);
  await sleep(1100);
  assert.equal(word(await ask(body)), "miss");
  await sleep(1100);
  up.switches.set("well~dies", BEHAVIOURS.s500);
  const stale = await ask(body);
  assert.equal(stale.status, 200);
  assert.equal(word(stale), "stale");
  assert.ok(Number(stale.headers.get("age")) >= 1);
  assert.deepEqual(outcomes(stale), ["a/well~dies;server_error"]);
  const strict = await ask(body, { "cache-control": "no-cache" });
  assert.deepEqual([strict.status, strict.json.error.code], [502, "upstream_failed"]);
  // A refusal of the request itself is the client's to know.
  up.switches.set("well~dies", BEHAVIOURS.s400);
  assert.equal((await ask(body)).status, 400);
});

test("the cache outlives a restart", async () => {
  const body = { model: "cached", messages: about("restart") };
  await ask(body);
  await cached(body);
  await worker.stop();
  worker = await begin();
  const before = calls("well~cached");
  assert.equal(word(await ask(body)), "hit");
  assert.equal(calls("well~cached"), before);
});
