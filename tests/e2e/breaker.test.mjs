// The circuit breaker in its Durable Object: a target that is down is left alone, probed by one call, trusted again, and still left
// alone after a restart.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { chat, eventually, folder, outcomes, sleep, start } from "./harness.mjs";
import { BEHAVIOURS, provider, upstream } from "./upstream.mjs";

const COOLDOWN = 1500;
const BREAKER = `breaker = { failures = 3, error_rate = 0.5, min_requests = 50, window = "30s", cooldown = "${COOLDOWN}ms", max_cooldown = "6s" }`;
const NAMES = ["alone", "probed", "kept", "none", "cold", "healed"];

let up;
let state;
let config;
let worker;

before(async () => {
  up = await upstream();
  state = folder();
  const parts = NAMES.flatMap((name) => [
    provider(name, up.base, BREAKER),
    `[routes.${name}]\ntargets = ["${name}/${name}", "good/well"]\n[routes.only-${name}]\ntargets = ["${name}/${name}"]`,
  ]);
  config = [...parts, provider("good", up.base)].join("\n");
  worker = await start({ config, persist: state.path });
  for (const name of NAMES) up.switches.set(name, BEHAVIOURS.s500);
});

after(async () => {
  await worker?.stop();
  await up?.stop();
  state?.remove();
});

const calls = (name) => up.callsOf(name).length;

async function trip(name) {
  for (let at = 0; at < 3; at++) {
    assert.deepEqual(outcomes(await chat(worker, { model: name })), [`${name}/${name};server_error`, "good/well;ok"]);
  }
}

async function circuit(name) {
  const status = await (await fetch(`${worker.url}/status`)).json();
  const { breaker } = status.providers.find((row) => row.provider === name);
  return breaker.circuits.find((row) => row.circuit === "model" && row.name === name);
}

test("a target that failed three times in a row is left alone", async () => {
  await trip("alone");
  for (let at = 0; at < 5; at++) {
    const response = await chat(worker, { model: "alone" });
    assert.equal(response.status, 200);
    assert.deepEqual(outcomes(response), ["good/well;ok"]);
  }
  assert.equal(calls("alone"), 3);
  const { state, open_for_ms } = await circuit("alone");
  assert.equal(state, "open");
  assert.ok(open_for_ms > 0 && open_for_ms <= COOLDOWN * 1.5, `${open_for_ms} ms`);
});

test("no target left: 503, and when to come back", async () => {
  await trip("none");
  const response = await chat(worker, { model: "only-none" });
  assert.deepEqual([response.status, response.json.error.code], [503, "circuit_open"]);
  assert.equal(response.headers.get("x-should-retry"), "true");
  const ms = Number(response.headers.get("retry-after-ms"));
  assert.ok(ms > 0 && ms <= COOLDOWN * 1.5, `${ms} ms`);
  assert.equal(Number(response.headers.get("retry-after")), Math.ceil(ms / 1000));
  assert.equal(calls("none"), 3);
});

test("after the cooldown one call probes, whoever else asks; its failure opens the circuit for longer", async () => {
  await trip("probed");
  await sleep(COOLDOWN * 1.5 + 200);
  // The probe takes a while, so that all of the others come while it is under way.
  up.switches.set("probed", async (exchange) => {
    await sleep(300);
    BEHAVIOURS.s500(exchange);
  });
  const responses = await Promise.all(Array.from({ length: 10 }, () => chat(worker, { model: "probed" })));
  for (const response of responses) assert.equal(response.status, 200, response.text);
  assert.equal(calls("probed"), 4, "one probe");
  assert.equal(responses.filter((response) => outcomes(response).length === 2).length, 1);
  const { state, open_for_ms } = await circuit("probed");
  assert.equal(state, "open");
  assert.ok(open_for_ms > COOLDOWN, `${open_for_ms} ms is longer than the first cooldown`);
});

test("a probe that succeeds closes the circuit", async () => {
  await trip("healed");
  up.switches.set("healed", BEHAVIOURS.well);
  await sleep(COOLDOWN * 1.5 + 200);
  const probe = await chat(worker, { model: "healed", stream: true });
  assert.deepEqual(outcomes(probe), ["healed/healed;ok"]);
  assert.equal((await circuit("healed")).state, "closed");
  // With an empty window: two failures do not open what three do.
  up.switches.set("healed", BEHAVIOURS.s500);
  for (let at = 0; at < 2; at++) await chat(worker, { model: "healed" });
  up.switches.set("healed", BEHAVIOURS.well);
  assert.deepEqual(outcomes(await chat(worker, { model: "healed" })), ["healed/healed;ok"]);
});

test("an open circuit outlives a restart", async () => {
  await trip("kept");
  // A second trip has the longer cooldown, which a restart does not eat up.
  await sleep(COOLDOWN * 1.5 + 200);
  await chat(worker, { model: "kept" });
  const { open_for_ms } = await circuit("kept");
  assert.ok(open_for_ms > COOLDOWN, `${open_for_ms} ms`);
  await sleep(300);
  await worker.stop();
  worker = await start({ config, persist: state.path });
  const before = calls("kept");
  const response = await chat(worker, { model: "kept" });
  assert.deepEqual(outcomes(response), ["good/well;ok"], "the very first request of a cold isolate knows");
  assert.equal(calls("kept"), before);
  // Not for ever.
  up.switches.set("kept", BEHAVIOURS.well);
  await eventually(async () => outcomes(await chat(worker, { model: "kept" }))[0] === "kept/kept;ok", 8000);
});
