// A real model behind the gateway: llama.cpp's server with SmolLM2-135M-Instruct, which says what it likes, at its own pace, in its own
// dialect of OpenAI's protocol.

import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, test } from "node:test";

import { chat, eventually, events, freePort, outcomes, said, start } from "../harness.mjs";
import { provider } from "../upstream.mjs";
import { serve } from "./server.mjs";

// How long the model may take for anything, on a machine that is busy with other things.
const PATIENCE = 60_000;

let model;
let worker;

before(async () => {
  model = await serve();
  worker = await start({
    config: `[defaults]\nfirst_token = "60s"\nstall = "60s"\n
${provider("down", `http://127.0.0.1:${await freePort()}/v1`, "breaker = { failures = 1000, error_rate = 1.0, min_requests = 1000 }")}
[providers.llamacpp]
base_url = "${model.url}/v1"
[providers.simulated]
[providers.simulated.models.spare]
text = "The spare one answers."
[routes.real]
targets = ["down/any", "llamacpp/smollm2"]
[routes.kept]
targets = ["llamacpp/smollm2"]
cache = "1h"
[routes.spared]
targets = ["llamacpp/smollm2", "simulated/spare"]
[routes.hasty]
targets = [{ target = "llamacpp/smollm2", first_token = "10ms" }, "simulated/spare"]
`,
  });
});

after(async () => {
  await worker?.stop();
  await model?.stop();
});

const TRACE = ["down/any;connect_failed", "llamacpp/smollm2;ok"];
// With `ignore_eos: true`, which is llama.cpp's own, an answer goes on until something else ends it.
const about = (content) => ({ messages: [{ role: "user", content }] });
const QUESTION = { ...about("What is the capital of France?"), temperature: 0, seed: 1, max_tokens: 24 };

// What the model's one slot is doing, and how many tokens it has made of the answer.
async function slot() {
  const [{ is_processing, next_token }] = JSON.parse(await model.get("/slots"));
  return { busy: is_processing, made: next_token?.[0]?.n_decoded ?? 0 };
}

// How many tokens the model has ever made.
const made = async () => Number((await model.get("/metrics")).match(/^llamacpp:tokens_predicted_total (\d+)/m)[1]);

// Waits until the model does nothing, and tells how many tokens of its answer were seen being made: a slot that is free has forgotten.
async function idle() {
  let most = 0;
  await eventually(async () => {
    const { busy, made } = await slot();
    if (busy) most = Math.max(most, made);
    return !busy;
  }, PATIENCE);
  return most;
}

// What the model answers to the question without a gateway: always the same.
let own;
async function directly() {
  own ??= await (await fetch(`${model.url}/v1/chat/completions`, { method: "POST", body: JSON.stringify({ model: "smollm2", ...QUESTION }) })).json();
  return own;
}

test("a real stream, after a target that is down", async () => {
  const response = await chat(worker, { model: "real", ...QUESTION, stream: true });
  assert.equal(response.status, 200, response.text);
  assert.match(response.headers.get("content-type"), /^text\/event-stream/);
  assert.equal(response.headers.get("x-breakwater-target"), "llamacpp/smollm2");
  assert.deepEqual(outcomes(response), TRACE);
  const all = events(response.text);
  assert.equal(all.at(-1), "[DONE]");
  const chunks = all.slice(0, -1);
  assert.ok(chunks.filter((chunk) => chunk.choices[0]?.delta.content).length > 3, "in pieces");
  const finishes = chunks.flatMap((chunk) => chunk.choices.map((choice) => choice.finish_reason)).filter((reason) => reason !== null);
  assert.equal(finishes.length, 1);
  assert.match(finishes[0], /^(stop|length)$/);
  assert.ok(chunks.every((chunk) => chunk.usage === undefined || chunk.usage === null), "nobody asked for it");
  assert.equal(said(response.text), (await directly()).choices[0].message.content, "word for word what the model says");
});

test("a real answer, unstreamed, with its usage and what llama.cpp adds", async () => {
  const response = await chat(worker, { model: "real", ...QUESTION });
  assert.equal(response.status, 200, response.text);
  assert.deepEqual(outcomes(response), TRACE);
  const { choices, usage, model: name, timings } = response.json;
  const expected = await directly();
  assert.deepEqual([choices, usage, name], [expected.choices, expected.usage, expected.model]);
  assert.equal(name, "smollm2");
  assert.ok(usage.prompt_tokens > 0 && usage.completion_tokens > 0);
  assert.equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens);
  assert.equal(timings.predicted_n, usage.completion_tokens);
});

test("usage is in a stream that asks for it", async () => {
  const response = await chat(worker, { model: "real", ...QUESTION, stream: true, stream_options: { include_usage: true } });
  const all = events(response.text);
  const [last, done] = all.slice(-2);
  assert.equal(done, "[DONE]");
  assert.deepEqual(last.choices, []);
  assert.deepEqual(last.usage, (await directly()).usage);
});

test("an answer that max_tokens cuts off says so", async () => {
  for (const how of [{}, { stream: true, stream_options: { include_usage: true } }]) {
    const response = await chat(worker, { model: "real", ...about("Count from one to one hundred."), max_tokens: 5, ignore_eos: true, ...how });
    const chunks = how.stream ? events(response.text).slice(0, -1) : [response.json];
    const finish = chunks.flatMap((chunk) => chunk.choices).findLast((choice) => choice.finish_reason)?.finish_reason;
    assert.equal(finish, "length");
    assert.equal(chunks.at(-1).usage.completion_tokens, 5);
  }
});

test("fields that only llama.cpp knows reach it", async () => {
  // A grammar leaves the model one of two words.
  const body = { model: "real", ...about("Is the sea wet?"), grammar: 'root ::= "perhaps" | "hardly"' };
  for (const stream of [false, true]) {
    const response = await chat(worker, { ...body, stream });
    const text = stream ? said(response.text) : response.json.choices[0].message.content;
    assert.match(text, /^(perhaps|hardly)$/);
    const finish = stream ? events(response.text).findLast((event) => event.choices?.[0]?.finish_reason).choices[0] : response.json.choices[0];
    assert.equal(finish.finish_reason, "stop");
  }
});

test("a requested schema is kept by a real model", async () => {
  const schema = { type: "object", properties: { capital: { enum: ["Paris", "Oslo"] }, coastal: { type: "boolean" } }, required: ["capital", "coastal"], additionalProperties: false };
  const response = await chat(worker, { model: "real", ...QUESTION, max_tokens: 200, response_format: { type: "json_schema", json_schema: { name: "answer", strict: true, schema } } });
  const value = JSON.parse(response.json.choices[0].message.content);
  assert.deepEqual(Object.keys(value).sort(), ["capital", "coastal"]);
  assert.ok(["Paris", "Oslo"].includes(value.capital) && typeof value.coastal === "boolean");
});

test("a client that leaves ends the generation", async () => {
  // Left alone, it would go on until the model's context is full.
  const text = JSON.stringify({ model: "llamacpp/smollm2", ...about("Tell a long story."), stream: true, ignore_eos: true });
  for (const leave of [(socket) => socket.destroy(), (socket) => socket.resetAndDestroy()]) {
    await idle();
    const socket = connect(worker.port, "127.0.0.1");
    socket.on("error", () => {});
    let received = "";
    socket.on("data", (data) => (received += data));
    socket.write(`POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:${worker.port}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
    await eventually(() => received.split('"content":"').length > 3, PATIENCE);
    const at = await slot();
    assert.ok(at.busy && at.made > 0, JSON.stringify(at));
    leave(socket);
    const end = await idle();
    assert.ok(end < 200, `left at ${at.made} tokens, and ${end} were made`);
  }
});

test("a real model that is too slow is passed over, and stops", async () => {
  const response = await chat(worker, { model: "hasty", ...about("Tell a long story. ".repeat(60)), stream: true, ignore_eos: true });
  assert.deepEqual(outcomes(response), ["llamacpp/smollm2;first_token_timeout", "simulated/spare;ok"]);
  assert.equal(said(response.text), "The spare one answers.");
  const tokens = await idle();
  assert.ok(tokens < 50, `it went on for ${tokens} tokens`);
});

// The stored answer, as soon as it is: that is after the first one was answered.
const stored = (body) =>
  eventually(async () => {
    const response = await chat(worker, body, { "cache-control": "only-if-cached" });
    return response.status === 200 && response;
  });

test("an answer of the real model is replayed from the cache, identical, without the model", async () => {
  // Whatever it says this time: at this temperature it would say something else the next.
  const body = { model: "kept", ...about("Invent the name of a ship, and say why."), temperature: 1.5, max_tokens: 40, ignore_eos: true };
  const first = await chat(worker, body);
  assert.equal(first.headers.get("x-breakwater-cache"), "miss");
  const hit = await stored(body);
  assert.equal(hit.headers.get("x-breakwater-cache"), "hit");
  assert.equal(hit.text, first.text);
  assert.equal(hit.headers.get("x-breakwater-target"), "llamacpp/smollm2");
  const before = await made();
  const streamed = await chat(worker, { ...body, stream: true, stream_options: { include_usage: true } });
  assert.equal(streamed.headers.get("x-breakwater-cache"), "hit");
  assert.equal(said(streamed.text), first.json.choices[0].message.content);
  const all = events(streamed.text);
  assert.equal(all.at(-1), "[DONE]");
  assert.equal(all.findLast((event) => event.choices?.[0]?.finish_reason).choices[0].finish_reason, first.json.choices[0].finish_reason);
  assert.equal(all.findLast((event) => event.usage).usage.total_tokens, first.json.usage.total_tokens);
  assert.equal(await made(), before);
});

test("a stream of the real model is stored with its usage, and replayed as an answer", async () => {
  const body = { model: "kept", ...about("Invent the name of a lighthouse."), temperature: 1.5, max_tokens: 24, ignore_eos: true };
  const first = await chat(worker, { ...body, stream: true });
  assert.equal(first.headers.get("x-breakwater-cache"), "miss");
  assert.deepEqual(events(first.text).filter((event) => event.usage), [], "which its client did not ask for");
  const hit = await stored(body);
  assert.equal(hit.json.choices[0].message.content, said(first.text));
  assert.ok(hit.json.usage.completion_tokens > 0);
});

test("a prompt that is too long is the client's to shorten", async () => {
  const long = about("All work and no play makes a long prompt. ".repeat(100));
  for (const stream of [false, true]) {
    const response = await chat(worker, { model: "llamacpp/smollm2", ...long, stream });
    assert.equal(response.status, 400, response.text);
    assert.equal(response.headers.get("x-should-retry"), "false");
    const { code, message, attempts } = response.json.error;
    assert.equal(code, "context_length_exceeded", "llama.cpp has another word for it");
    assert.match(message, /context/);
    assert.deepEqual(attempts.map(({ target, outcome }) => `${target};${outcome}`), ["llamacpp/smollm2;context_length"]);
  }
});

test("a prompt that is too long for one model is another one's to answer", async () => {
  const response = await chat(worker, { model: "spared", ...about("All work and no play makes a long prompt. ".repeat(100)) });
  assert.deepEqual(outcomes(response), ["llamacpp/smollm2;context_length", "simulated/spare;ok"]);
  assert.equal(response.json.choices[0].message.content, "The spare one answers.");
});
