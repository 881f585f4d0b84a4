// A promise kept with a model that cannot keep it: what comes back is valid by the client's schema, or is an error. The whole evaluation is
// `make eval-schema`.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { events, said, start } from "../harness.mjs";
import { ask, config, CONTEXT, judge, tasks } from "./schemas.mjs";
import { serve } from "./server.mjs";

// Of each kind one: flat, nested, a list, a choice of words, a pattern.
const NAMES = ["product", "address, nested", "colours", "mood", "version"];
const chosen = NAMES.map((name) => tasks.find((task) => task.name === name));

let model;
let worker;
let other;

before(async () => {
  model = await serve({ context: CONTEXT });
  worker = await start({ config: config(model.url) });
  other = judge();
});

after(async () => {
  other?.stop();
  await worker?.stop();
  await model?.stop();
});

// A 200 is valid, and says how it came to be; anything else is the one error that there is for this.
async function keepsThePromise(task, found, marks) {
  const what = `${task.name}: ${found.status} ${found.mark} ${found.response.text}`;
  if (found.status === 200) {
    assert.ok(await other.isValid(found.text, task.schema), what);
    assert.match(found.mark, marks, what);
    assert.match(found.calls.at(-1), /;ok$/, what);
  } else {
    assert.equal(found.status, 422, what);
    assert.equal(found.code, "schema_unsatisfied", what);
    assert.ok(found.calls.every((call) => call.endsWith(";schema_unsatisfied")), what);
  }
}

test("the second judge can tell", async () => {
  const [{ schema, like }] = chosen;
  assert.equal(await other.isValid(like, schema), true);
  for (const wrong of ["{}", "no", JSON.stringify({ ...JSON.parse(like), price: "dear" })]) assert.equal(await other.isValid(wrong, schema), false, wrong);
});

test("what a weak model says by the schema in its prompt is valid, or an error", async () => {
  for (const task of chosen) {
    const once = await ask(worker, "once", task);
    await keepsThePromise(task, once, /^(emulated|repaired)$/);
    assert.equal(once.calls.length, 1);
    const corrected = await ask(worker, "corrected", task);
    await keepsThePromise(task, corrected, /^(emulated|repaired|retried;[12])$/);
    // What is right at once is not asked again; at this temperature the model says the same as before.
    if (once.status === 200) assert.equal(corrected.text, once.text);
    else assert.ok(corrected.calls.length > 1);
  }
});

test("a target that enforces a grammar answers what the weak one could not", async () => {
  for (const task of chosen) {
    const found = await ask(worker, "escalated", task);
    assert.equal(found.status, 200, `${task.name}: ${found.response.text}`);
    await keepsThePromise(task, found, /^(valid|emulated|repaired|retried;1)$/);
    assert.ok(found.calls.length <= 2);
  }
});

test("a stream of it is the same", async () => {
  const [task] = chosen;
  const whole = await ask(worker, "escalated", task);
  const { response, mark } = await ask(worker, "escalated", task, { stream: true });
  assert.deepEqual([response.status, mark], [200, whole.mark], response.text);
  assert.equal(said(response.text), whole.text);
  assert.equal(events(response.text).at(-1), "[DONE]");
});
