// Chat completions through the built worker: what goes up, what comes down, and how a model is chosen.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { chat, events, outcomes, said, start } from "./harness.mjs";
import { provider, upstream } from "./upstream.mjs";

let up;
let worker;

before(async () => {
  up = await upstream();
  const config = `${provider("a", up.base, 'key = "A_KEY"\nheaders = { "x-team" = "blue" }')}
${provider("b", up.base)}
${provider("down", "http://127.0.0.1:9")}
[providers.gone]
preset = "openai"
key = "NEVER_SET"

[routes.plain]
targets = ["a/well"]
[routes.fallback]
targets = ["down/any", "a/s500", "b/well"]
[routes.sets]
targets = ["b/well~sets"]
set = { temperature = 0, seed = 7 }
[routes.split]
targets = ["b/split"]
[routes.flood]
targets = ["b/flood"]
[routes.whole]
targets = ["b/whole"]
[routes.tools]
targets = ["b/tools"]
[routes.echo]
targets = ["b/echo"]
[routes."gpt-4o*"]
targets = ["b/well~pattern"]
[routes.gpt-4o-exactly]
targets = ["b/well~exact"]
[routes.zipped]
targets = ["b/zipped"]
[routes.bomb]
targets = ["b/bomb", "b/well~bomb"]
[routes.unfinished]
targets = ["b/unfinished", "b/well~unfinished"]
[routes.keyless]
targets = ["gone/gpt-4o"]
`;
  worker = await start({ config, vars: { A_KEY: "sk-of-a-provider" } });
});

after(async () => {
  await worker?.stop();
  await up?.stop();
});

test("an answer comes from the first target, whole or streamed", async () => {
  const whole = await chat(worker, { model: "plain" });
  assert.equal(whole.status, 200);
  assert.equal(whole.json.choices[0].message.content, "Hello from the upstream");
  assert.equal(whole.json.model, "upstream-model");
  assert.equal(whole.headers.get("content-type"), "application/json");

  const streamed = await chat(worker, { model: "plain", stream: true });
  assert.equal(streamed.status, 200);
  assert.match(streamed.headers.get("content-type"), /^text\/event-stream/);
  assert.equal(said(streamed.text), "Hello from the upstream");
  assert.equal(events(streamed.text).at(-1), "[DONE]");

  for (const response of [whole, streamed]) {
    assert.deepEqual(outcomes(response), ["a/well;ok"]);
    assert.equal(response.headers.get("x-breakwater-target"), "a/well");
    assert.equal(response.headers.get("x-breakwater-cache"), "bypass");
    assert.equal(response.headers.get("x-ratelimit-remaining-requests"), "41");
    assert.equal(response.headers.get("x-upstream-request-id"), "req_upstream");
    assert.match(response.headers.get("x-request-id"), /^[0-9A-HJKMNP-TV-Z]{26}$/);
  }
});

test("the provider sees its own key and model, the client's fields as they were written, and nothing that is not its business", async () => {
  const body = '{"messages":[{"role":"user","content":"\\u00e9 é"}], "future_field": {"exact": 1.0e2, "big": 12345678901234567890}, "models": ["echo"]}';
  const response = await chat(worker, body, {
    authorization: "Bearer the-callers-own",
    cookie: "a=b",
    "x-breakwater-deadline-ms": "5000",
    "x-forwarded-for": "10.0.0.1",
    "cf-connecting-ip": "10.0.0.1",
    "openai-organization": "org-1",
    "idempotency-key": "once",
    "x-api-key": "another",
  });
  assert.equal(response.status, 200, response.text);
  assert.match(response.text, /"future":\{"exact":1\.0e2\}/);
  const [seen] = up.callsOf("echo");
  const got = JSON.parse(seen.body);
  assert.equal(got.model, "echo");
  assert.equal("models" in got, false);
  assert.match(seen.body, /"future_field": ?\{"exact": 1\.0e2, "big": 12345678901234567890\}/);
  assert.match(seen.body, /\\u00e9 é/);
  assert.equal(seen.line, "POST /v1/chat/completions HTTP/1.1");
  assert.equal(seen.headers["openai-organization"], "org-1");
  assert.equal(seen.headers["idempotency-key"], "once");
  const names = Object.keys(seen.headers);
  for (const name of ["authorization", "cookie", "x-forwarded-for", "cf-connecting-ip", "x-api-key"]) assert.ok(!names.includes(name), name);
  assert.deepEqual(names.filter((name) => name.startsWith("x-breakwater")), []);

  await chat(worker, { model: "a/well~keyed" });
  const [keyed] = up.callsOf("well~keyed");
  assert.equal(keyed.headers.authorization, "Bearer sk-of-a-provider");
  assert.equal(keyed.headers["x-team"], "blue");
});

test("a target that is down or failing is passed over, and the trace tells", async () => {
  for (const stream of [false, true]) {
    const response = await chat(worker, { model: "fallback", stream });
    assert.equal(response.status, 200, response.text);
    assert.deepEqual(outcomes(response), ["down/any;connect_failed", "a/s500;server_error", "b/well;ok"]);
    assert.equal(response.headers.get("x-breakwater-target"), "b/well");
    assert.equal(stream ? said(response.text) : response.json.choices[0].message.content, "Hello from the upstream");
  }
});

test("a route sets its fields, whatever the client says", async () => {
  await chat(worker, { model: "sets", temperature: 1.5, top_p: 0.5 });
  const got = JSON.parse(up.callsOf("well~sets")[0].body);
  assert.deepEqual([got.temperature, got.seed, got.top_p], [0, 7, 0.5]);
});

test("names: exact over pattern over direct, chains in order, unknown is 404 with what there is", async () => {
  const target = async (body) => (await chat(worker, body)).headers.get("x-breakwater-target");
  assert.equal(await target({ model: "gpt-4o-exactly" }), "b/well~exact");
  assert.equal(await target({ model: "gpt-4o-mini" }), "b/well~pattern");
  assert.equal(await target({ model: "b/well~with/slash:free" }), "b/well~with/slash:free");
  assert.equal(JSON.parse(up.callsOf("well~with/slash:free")[0].body).model, "well~with/slash:free");
  assert.equal(await target({ models: ["b/s500~chain", "plain"] }), "a/well");
  const unknown = await chat(worker, { model: "nothing" });
  assert.equal(unknown.status, 404);
  assert.equal(unknown.json.error.code, "model_not_found");
  assert.match(unknown.json.error.message, /plain/);
  assert.equal(unknown.headers.get("x-should-retry"), "false");
});

test("a route whose provider has no secret names the secret", async () => {
  const response = await chat(worker, { model: "keyless" });
  assert.equal(response.status, 503);
  assert.equal(response.json.error.code, "no_target");
  assert.match(response.json.error.message, /NEVER_SET/);
  assert.equal(worker.log.filter((line) => line.includes("NEVER_SET")).length, 1, "the log says so once");
});

test("frames that pieces tear apart arrive whole", async () => {
  const response = await chat(worker, { model: "split", stream: true });
  assert.equal(said(response.text), "é漢字");
  assert.equal(events(response.text).at(-1), "[DONE]");
});

test("two thousand words arrive in order", async () => {
  const response = await chat(worker, { model: "flood", stream: true });
  assert.equal(said(response.text), Array.from({ length: 2000 }, (_, at) => `word-${at} `).join(""));
});

test("the connection of a stream that was complete carries the next call", async () => {
  const own = await upstream();
  const alone = await start({ config: `${provider("a", own.base)}[routes.one]\ntargets = ["a/well"]` });
  for (let at = 0; at < 5; at++) assert.equal((await chat(alone, { model: "one", stream: true })).status, 200);
  assert.deepEqual([own.calls.length, own.connections.length], [5, 1]);
  await alone.stop();
  await own.stop();
});

test("usage is in a stream only where it was asked for", async () => {
  const usages = (response) => events(response.text).filter((event) => event.usage !== undefined && event.usage !== null);
  const asked = await chat(worker, { model: "plain", stream: true, stream_options: { include_usage: true } });
  assert.deepEqual(usages(asked).map((event) => event.usage.total_tokens), [5]);
  const unasked = await chat(worker, { model: "plain", stream: true });
  assert.deepEqual(usages(unasked), []);
});

test("a provider that answers a streamed request at once is still an answer", async () => {
  const response = await chat(worker, { model: "whole", stream: true });
  assert.equal(response.status, 200, response.text);
  assert.equal(said(response.text), "all at once");
  assert.equal(events(response.text).at(-1), "[DONE]");
});

test("a compressed answer is read, and its limit is that of its text", async () => {
  assert.equal((await chat(worker, { model: "zipped" })).json.choices[0].message.content, "unzipped");
  assert.deepEqual(outcomes(await chat(worker, { model: "bomb" })), ["b/bomb;garbage", "b/well~bomb;ok"]);
});

test("an answer that cannot be told as a stream is none for a client that streams", async () => {
  const response = await chat(worker, { model: "unfinished", stream: true });
  assert.deepEqual(outcomes(response), ["b/unfinished;garbage", "b/well~unfinished;ok"]);
  assert.equal(said(response.text), "Hello from the upstream");
});

test("tool calls are answers", async () => {
  const response = await chat(worker, { model: "tools" });
  assert.equal(response.json.choices[0].message.tool_calls[0].function.name, "weather");
});

test("models are listed, and one by one", async () => {
  const list = await (await fetch(`${worker.url}/v1/models`)).json();
  assert.equal(list.object, "list");
  const ids = list.data.map((model) => model.id);
  assert.ok(ids.includes("plain") && ids.includes("gpt-4o-exactly"), ids.join());
  assert.equal((await (await fetch(`${worker.url}/v1/models/plain`)).json()).id, "plain");
  assert.equal((await fetch(`${worker.url}/v1/models/nothing`)).status, 404);
});

test("health needs nothing; status tells of every provider", async () => {
  const health = await fetch(`${worker.url}/health`);
  assert.deepEqual([health.status, (await health.json()).status], [200, "ok"]);
  const status = await (await fetch(`${worker.url}/status`)).json();
  assert.ok(JSON.stringify(status).includes("NEVER_SET"));
  assert.ok(!JSON.stringify(status).includes("sk-of-a-provider"));
  assert.ok(!JSON.stringify(status).includes("127.0.0.1"));
});
