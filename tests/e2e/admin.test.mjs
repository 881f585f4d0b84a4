// What operators may do, through the built worker: inject faults into one request, and drain a provider; with keys by scripts/key.sh.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

import { chat, eventually, events, outcomes, said, start } from "./harness.mjs";
import { provider, upstream } from "./upstream.mjs";

const KEY_SCRIPT = fileURLToPath(new URL("../../scripts/key.sh", import.meta.url));

let up;
let worker;
let admin;
let alice;

function make(env) {
  const text = execFileSync("bash", [KEY_SCRIPT], { env: { PATH: process.env.PATH, ...env }, encoding: "utf8" });
  const [, name, line] = text.match(/^ {2}([A-Z_]+)="(.+)"$/m);
  return { key: text.match(/^ {2}(bw-\S+)$/m)[1], line, name };
}

before(async () => {
  up = await upstream();
  [admin, alice] = [make({ NAME: "root", ADMIN: "yes" }), make({ NAME: "alice" })];
  const config = `[defaults]
deadline = "3s"
first_token = "400ms"
stall = "300ms"
[admin]
keys = "ADMIN_KEYS"
${provider("a", up.base)}${provider("b", up.base)}
[routes.pair]
targets = ["a/well~a", "b/well~b"]
cache = "1h"
[routes.alone]
targets = ["a/well~a"]
`;
  worker = await start({ config, vars: { BREAKWATER_OPEN: undefined, [admin.name]: admin.line, [alice.name]: alice.line } });
});

after(async () => {
  await worker?.stop();
  await up?.stop();
});

const bearer = ({ key }) => ({ authorization: `Bearer ${key}` });
const asks = (body, fault, who = admin) => chat(worker, { model: "pair", ...body }, { ...bearer(who), ...(fault ? { "x-breakwater-fault": fault } : {}) });
const json = async (method, path, who, body) => {
  const response = await fetch(`${worker.url}${path}`, { method, headers: bearer(who), body: body && JSON.stringify(body) });
  return { status: response.status, json: await response.json() };
};
const parts = (response) => (response.headers.get("x-breakwater-trace") ?? "").split(", ").map((part) => part.replace(/;\d+ms/, ""));

test("a key of ADMIN_KEYS is an operator's and a caller's", async () => {
  assert.deepEqual([admin.name, alice.name], ["ADMIN_KEYS", "GATEWAY_KEYS"]);
  assert.equal((await asks({ model: "a/well~direct" })).status, 200);
  assert.deepEqual((await asks({}, "a=500", alice)).json.error.code, "not_allowed");
  const refused = await json("POST", "/admin/circuits/a", alice, { state: "open", for: "1m" });
  assert.deepEqual([refused.status, refused.json.error.code], [403, "not_allowed"]);
  assert.equal((await fetch(`${worker.url}/admin/circuits/a`, { method: "POST" })).status, 401);
  const wrong = await asks({}, "a/well~a=stal@3");
  assert.deepEqual([wrong.status, wrong.json.error.param], [400, "x-breakwater-fault"]);
});

// Each fault, how it shows in a stream, how it does where nothing is streamed; "begun": the stream ends with an error event.
const FAULTS = {
  refuse: ["connect_failed", "connect_failed"],
  hang: ["first_token_timeout", "timeout"],
  silent: ["first_token_timeout", "timeout"],
  role: ["first_token_timeout", "timeout"],
  drip: ["first_token_timeout", "timeout"],
  307: ["server_error", "server_error"],
  404: ["no_such_model", "no_such_model"],
  "429:retry-after=7": ["rate_limited", "rate_limited"],
  500: ["server_error", "server_error"],
  502: ["server_error", "server_error"],
  quota: ["quota_exhausted", "quota_exhausted"],
  context: ["context_length", "context_length"],
  html: ["garbage", "garbage"],
  empty: ["empty", "empty"],
  error: ["error_in_body", "error_in_body"],
  "error@3": ["begun", "error_in_body"],
  garbage: ["garbage", "garbage"],
  cut: ["cut", "cut"],
  "cut@3": ["begun", "cut"],
  "stall@3": ["begun", "timeout"],
  "end@3": ["begun", "garbage"],
  "midframe@3": ["begun", "cut"],
  hugeline: ["garbage", "garbage"],
};

describe("faults on demand", { concurrency: 8 }, () => {
  for (const [fault, [streamed, whole]] of Object.entries(FAULTS)) {
    for (const [stream, word] of [[true, streamed], [false, whole]]) {
      test(`${fault}, ${stream ? "streamed" : "not streamed"}`, async () => {
        const response = await asks({ stream }, `a/well~a=${fault}`);
        assert.equal(response.status, 200, response.text);
        assert.equal(response.headers.get("x-breakwater-cache"), "bypass");
        if (word === "begun") {
          assert.deepEqual(parts(response), ["a/well~a;ok;injected"]);
          const seen = events(response.text);
          assert.ok(typeof seen.at(-1).error?.message === "string" && !seen.includes("[DONE]"), response.text);
          return;
        }
        assert.deepEqual(parts(response), [`a/well~a;${word};injected`, "b/well~b;ok"]);
        assert.equal(stream ? said(response.text) : response.json.choices[0].message.content, "Hello from the upstream");
      });
    }
  }
});

test("a slow target is the real one", async () => {
  const before = up.callsOf("well~a").length;
  const started = performance.now();
  const response = await asks({ stream: true }, "a=slow:200ms");
  assert.deepEqual([parts(response), said(response.text)], [["a/well~a;ok;injected"], "Hello from the upstream"]);
  assert.ok(performance.now() - started >= 195);
  assert.equal(up.callsOf("well~a").length, before + 1);
});

test("none of it was counted, and nothing was cached", async () => {
  const { json: status } = await json("GET", "/status", alice);
  const { breaker, latency } = status.providers.find(({ provider }) => provider === "a");
  for (const circuit of breaker.circuits.filter(({ name }) => name !== "well~direct")) {
    const { ok, failed, trips } = circuit.since_start;
    // The one call of the first test, which was the provider's too.
    assert.deepEqual([circuit.state, failed, trips], ["closed", 0, 0], JSON.stringify(circuit));
    assert.ok(ok <= 1, JSON.stringify(circuit));
  }
  assert.deepEqual([breaker.cooling, latency.filter(({ model }) => model === "well~a")], [[], []]);
  assert.equal((await asks({})).headers.get("x-breakwater-cache"), "miss");
});

test("a provider is drained, and back", async () => {
  const ordered = await json("POST", "/admin/circuits/a", admin, { state: "open", for: "10m" });
  assert.equal(ordered.status, 200, JSON.stringify(ordered.json));
  assert.deepEqual([ordered.json.state, ordered.json.targets, Object.keys(ordered.json.regions).length], ["open", ["a/well~a"], 9]);
  assert.ok(Object.values(ordered.json.regions).every((word) => word === "ok"), JSON.stringify(ordered.json));
  const drained = await chat(worker, { model: "pair" }, { ...bearer(alice), "cache-control": "no-store" });
  assert.deepEqual(outcomes(drained), ["a/well~a;drained", "b/well~b;ok"]);
  const alone = await chat(worker, { model: "alone" }, bearer(alice));
  assert.deepEqual([alone.status, alone.json.error.code, alone.headers.get("x-should-retry")], [503, "circuit_open", "false"]);
  const { json: status } = await json("GET", "/status", alice);
  assert.equal(status.providers.find(({ provider }) => provider === "a").breaker.forced[0].state, "open");
  assert.equal((await json("GET", "/admin/circuits", admin)).json.forced.length, 1);
  assert.ok(await eventually(() => worker.log.find((line) => line.includes("'root' forces a open for 10m"))));
  assert.equal((await json("POST", "/admin/circuits/a", admin, { state: "auto" })).status, 200);
  assert.deepEqual(outcomes(await chat(worker, { model: "alone" }, bearer(alice))), ["a/well~a;ok"]);
  const unknown = await json("POST", "/admin/circuits/z", admin, { state: "open", for: "1m" });
  assert.deepEqual([unknown.status, unknown.json.error.param], [404, "provider"]);
});
