// Beyond one target after the other, in the built worker: hedges, streams held back, begun early, begun anew; keys; pinned conversations.

import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, test } from "node:test";

import { chat, eventually, events, outcomes, said, start } from "./harness.mjs";
import { provider, upstream } from "./upstream.mjs";

let up;
let worker;

before(async () => {
  up = await upstream();
  worker = await start({
    vars: { K1: "sk-limited-key", K2: "sk-other-key" },
    config: `[defaults]
deadline = "10s"
first_token = "5s"
stall = "2s"
${provider("a", up.base)}${provider("b", up.base)}${provider("c", up.base)}
${provider("keyed", up.base, 'keys = ["K1", "K2"]')}
[routes.hedged]
targets = ["a/hang~hedged", "b/well~hedged"]
hedge_after = "200ms"
[routes.unhedged]
targets = ["a/well~quick", "b/well~never"]
hedge_after = "2s"
[routes.held]
targets = ["a/rst~held", "b/well~held"]
hold = "200 tokens"
[routes.held-by-time]
targets = ["a/slowly~held", "b/well~never"]
hold = "200ms"
[routes.early]
targets = [{ target = "a/hang~early", first_token = "1s" }, "b/well~early"]
early_headers = true
[routes.early-fails]
targets = ["a/s500~early"]
early_headers = true
[routes.early-hangs]
targets = [{ target = "a/hang~left", first_token = "30s" }]
deadline = "30s"
early_headers = true
[routes.anew]
targets = ["a/thinks~anew", "b/well~anew"]
on_cut = "restart"
[routes.keys]
targets = ["keyed/limitedkey"]
[routes.spread]
targets = ["a/well~spread", "b/well~spread", "c/well~spread"]
order = "weighted"
`,
  });
});

after(async () => {
  await worker?.stop();
  await up?.stop();
});

test("a hedge answers for a target that hangs, which is aborted in that moment", async () => {
  for (const stream of [false, true]) {
    const before = up.callsOf("hang~hedged").length;
    const started = Date.now();
    const response = await chat(worker, { model: "hedged", stream });
    const took = Date.now() - started;
    assert.equal(response.status, 200, response.text);
    assert.deepEqual(outcomes(response), ["a/hang~hedged;hedge_lost", "b/well~hedged;ok"]);
    assert.ok(took >= 195 && took < 1000, `${took} ms`);
    await eventually(() => up.callsOf("hang~hedged").length === before + 1 && up.openOf("hang~hedged") === 0, 500);
  }
  const status = await (await fetch(`${worker.url}/status`)).json();
  const { budget } = status.routes.find(({ route }) => route === "hedged");
  assert.equal(budget.withdrawn.hedges, 2);
});

test("a target that is in time is not hedged", async () => {
  assert.deepEqual(outcomes(await chat(worker, { model: "unhedged" })), ["a/well~quick;ok"]);
  assert.equal(up.callsOf("well~never").length, 0);
});

test("a stream that breaks off within its window is unseen", async () => {
  const response = await chat(worker, { model: "held", stream: true });
  assert.deepEqual(outcomes(response), ["a/rst~held;cut", "b/well~held;ok"]);
  assert.equal(said(response.text), "Hello from the upstream");
  assert.equal(events(response.text).at(-1), "[DONE]");
});

test("a window of time ends by the clock, and the stream goes on", async () => {
  const response = await chat(worker, { model: "held-by-time", stream: true });
  assert.deepEqual(outcomes(response), ["a/slowly~held;ok"]);
  assert.equal(said(response.text), "abcde");
  assert.equal(events(response.text).at(-1), "[DONE]");
});

test("with early headers the 200 is there at once, and comments before the content", async () => {
  const started = Date.now();
  const response = await fetch(`${worker.url}/v1/chat/completions`, {
    method: "POST",
    body: JSON.stringify({ model: "early", stream: true, messages: [{ role: "user", content: "Hello" }] }),
  });
  const head = Date.now() - started;
  assert.equal(response.status, 200);
  assert.ok(head < 700, `the head took ${head} ms`);
  const text = await response.text();
  assert.ok(Date.now() - started >= 1000, "the first target had its second");
  assert.ok(text.startsWith(": keep-alive\n\n"), text);
  assert.equal(said(text), "Hello from the upstream");
  assert.equal(events(text).at(-1), "[DONE]");
});

test("with early headers a failure is an error event", async () => {
  const response = await chat(worker, { model: "early-fails", stream: true });
  assert.equal(response.status, 200);
  assert.equal(events(response.text).at(-1).error.code, "upstream_failed");
  assert.ok(!response.text.includes("[DONE]"));
  assert.equal((await chat(worker, { model: "early-fails" })).status, 502, "who does not stream is told by the status");
});

test("a client that leaves an early stream ends the upstream's call", async () => {
  // A FIN is noticed when the next comments are written, an RST at once.
  for (const [way, within] of [["resetAndDestroy", 1000], ["destroy", 12_000]]) {
    const before = up.callsOf("hang~left").length;
    const body = JSON.stringify({ model: "early-hangs", stream: true, messages: [{ role: "user", content: "Hello" }] });
    const socket = connect(worker.port, "127.0.0.1");
    socket.on("error", () => {});
    let received = "";
    socket.on("data", (data) => (received += data));
    socket.write(`POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    await eventually(() => received.includes("keep-alive") && up.callsOf("hang~left").length === before + 1);
    socket[way]();
    await eventually(() => up.openOf("hang~left") === 0, within);
  }
});

test("a stream that broke off after reasoning goes on with the next target", async () => {
  const response = await chat(worker, { model: "anew", stream: true });
  assert.equal(response.status, 200);
  const reasoning = events(response.text).map((event) => event.choices?.[0]?.delta?.reasoning_content ?? "").join("");
  assert.equal(reasoning, "Let me think");
  assert.equal(said(response.text), "Hello from the upstream");
  assert.equal(events(response.text).at(-1), "[DONE]");
  assert.ok(!response.text.includes('"error"'));
  await eventually(() => up.openOf("thinks~anew") === 0, 500);
});

test("a key that has reached its limit gives way to the next, and is left alone", async () => {
  const first = await chat(worker, { model: "keys" });
  assert.deepEqual(outcomes(first), ["keyed/limitedkey;rate_limited", "keyed/limitedkey;ok"]);
  const second = await chat(worker, { model: "keys" });
  assert.deepEqual(outcomes(second), ["keyed/limitedkey;ok"]);
  assert.deepEqual(up.callsOf("limitedkey").map((call) => call.headers.authorization), ["Bearer sk-limited-key", "Bearer sk-other-key", "Bearer sk-other-key"]);
});

test("a conversation stays with its target, and conversations spread", async () => {
  const ask = async (talk, more = []) => {
    const messages = [{ role: "system", content: "Be brief." }, { role: "user", content: `talk ${talk}` }, ...more];
    return (await chat(worker, { model: "spread", messages })).headers.get("x-breakwater-target");
  };
  const targets = new Set();
  for (let talk = 0; talk < 12; talk++) {
    const target = await ask(talk);
    targets.add(target);
    const more = [{ role: "assistant", content: "Yes." }, { role: "user", content: "Go on." }];
    assert.equal(await ask(talk, more), target, "the same beginning");
  }
  assert.ok(targets.size > 1, [...targets].join());
});
