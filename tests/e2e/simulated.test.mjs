// The configuration that is shipped, and the simulated provider that it answers from: what the README promises a newcomer.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { chat, events, outcomes, said, start } from "./harness.mjs";

let worker;

before(async () => {
  worker = await start();
});

after(() => worker?.stop());

const demo = (body = {}, simulate) => chat(worker, { model: "demo", ...body }, simulate === undefined ? {} : { "x-breakwater-simulate": simulate });

test("the demo route answers without a key, whole and streamed", async () => {
  const whole = await demo();
  assert.equal(whole.status, 200, whole.text);
  assert.ok(whole.json.choices[0].message.content.length > 20);
  assert.equal(whole.json.choices[0].finish_reason, "stop");
  assert.ok(whole.json.usage.total_tokens > 0);
  assert.deepEqual(outcomes(whole), ["simulated/primary;ok"]);
  const again = await demo();
  assert.equal(again.json.choices[0].message.content, whole.json.choices[0].message.content, "deterministic");
  const streamed = await demo({ stream: true });
  assert.equal(said(streamed.text), whole.json.choices[0].message.content);
  assert.ok(events(streamed.text).length > 5, "in pieces");
  assert.equal(events(streamed.text).at(-1), "[DONE]");
});

test("a failing primary is seen in the trace, and nowhere else", async () => {
  for (const stream of [false, true]) {
    const response = await demo({ stream }, "primary=500");
    assert.equal(response.status, 200);
    assert.deepEqual(outcomes(response), ["simulated/primary;server_error", "simulated/backup;ok"]);
    assert.equal(response.headers.get("x-breakwater-target"), "simulated/backup");
  }
});

test("every failure can be had for the asking", async () => {
  const rows = [
    ["hang", { stream: true }, "first_token_timeout"],
    ["empty", {}, "empty"],
    ["529", {}, "overloaded"],
    ["cut:3", {}, "cut"],
    ["429", {}, "rate_limited"],
  ];
  const cut = await demo({ stream: true }, "primary=cut:3");
  assert.equal(events(cut.text).includes("[DONE]"), false);
  assert.ok(events(cut.text).at(-1).error.message);
  for (const [fault, body, word] of rows) {
    // Each from a state of its own: a target that fails in half of its calls is left alone.
    const fresh = await start();
    const headers = { "x-breakwater-simulate": `primary=${fault}`, "x-breakwater-first-token-ms": "200" };
    const response = await chat(fresh, { model: "demo", ...body }, headers);
    await fresh.stop();
    assert.deepEqual(outcomes(response), [`simulated/primary;${word}`, "simulated/backup;ok"], fault);
  }
});

test("it obeys a requested schema", async () => {
  const schema = {
    type: "object",
    properties: { city: { type: "string", minLength: 3 }, population: { type: "integer", minimum: 1 }, tags: { type: "array", items: { enum: ["a", "b"] }, minItems: 2 } },
    required: ["city", "population", "tags"],
    additionalProperties: false,
  };
  const response = await demo({ response_format: { type: "json_schema", json_schema: { name: "city", schema } } });
  const value = JSON.parse(response.json.choices[0].message.content);
  assert.deepEqual(Object.keys(value).sort(), ["city", "population", "tags"]);
  assert.ok(value.city.length >= 3 && Number.isInteger(value.population) && value.population >= 1);
  assert.ok(value.tags.length >= 2 && value.tags.every((tag) => ["a", "b"].includes(tag)));
});

test("the routes that wait for secrets say which", async () => {
  for (const model of ["smart", "fast"]) {
    const response = await chat(worker, { model });
    assert.deepEqual([response.status, response.json.error.code], [503, "no_target"]);
    assert.match(response.json.error.message, /OPENAI_API_KEY/);
  }
});
