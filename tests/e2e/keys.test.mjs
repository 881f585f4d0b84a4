// Who may call, and what a gateway says to everyone else: without a key, with a wrong one, with a wrong configuration, with too much.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { request } from "node:http";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { chat, start } from "./harness.mjs";
import { provider, upstream } from "./upstream.mjs";

const KEY_SCRIPT = fileURLToPath(new URL("../../scripts/key.sh", import.meta.url));
const CLOSED = { BREAKWATER_OPEN: undefined };

let up;
let config;
const workers = [];

async function run(options) {
  const worker = await start(options);
  workers.push(worker);
  return worker;
}

before(async () => {
  up = await upstream();
  config = `${provider("a", up.base)}
[auth]
keys = "GATEWAY_KEYS"
[cors]
origins = ["https://app.example.com"]
[routes.one]
targets = ["a/well"]
[routes.two]
targets = ["a/well"]
`;
});

after(async () => {
  for (const worker of workers) await worker.stop();
  await up?.stop();
});

// What `make key` prints: the key, and its line.
function make(env) {
  const text = execFileSync("bash", [KEY_SCRIPT], { env: { PATH: process.env.PATH, ...env }, encoding: "utf8" });
  return { key: text.match(/^ {2}(bw-\S+)$/m)[1], line: text.match(/^ {2}(\S+:[0-9a-f]{64}.*)$/m)[1] };
}

test("a fresh deploy lets nobody in, and says how to add a key", async () => {
  for (const vars of [CLOSED, { ...CLOSED, GATEWAY_KEYS: "" }]) {
    const worker = await run({ config, vars });
    const response = await chat(worker, { model: "one" });
    assert.deepEqual([response.status, response.json.error.code], [401, "invalid_api_key"]);
    assert.match(response.json.error.message, /make key/);
    assert.equal(response.headers.get("x-should-retry"), "false");
    for (const path of ["/v1/models", "/status", "/nothing"]) assert.equal((await fetch(worker.url + path)).status, 401, path);
    assert.equal((await fetch(`${worker.url}/health`)).status, 200);
  }
});

test("the open variable opens loopback only", async () => {
  const worker = await run({ config });
  assert.equal((await chat(worker, { model: "one" })).status, 200);
  const status = await new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port: worker.port, path: "/v1/models", headers: { host: "gateway.example.com" } }, (got) => {
      got.resume();
      resolve(got.statusCode);
    });
    sent.on("error", reject).end();
  });
  assert.equal(status, 401);
});

test("keys made by 'make key' are let in, each to what its line says", async () => {
  const [alice, bob, carol] = [make({ NAME: "alice" }), make({ NAME: "bob", ROUTES: "one" }), make({ NAME: "carol", DIRECT: "yes" })];
  const worker = await run({ config, vars: { ...CLOSED, GATEWAY_KEYS: `${alice.line}\n${bob.line}\n`, GATEWAY_KEYS_2: carol.line } });
  const ask = async (key, model) => {
    const response = await chat(worker, { model }, { authorization: `Bearer ${key}` });
    return [response.status, response.json?.error?.code];
  };
  const ok = [200, undefined];
  assert.deepEqual(await ask(alice.key, "one"), ok);
  assert.deepEqual(await ask(alice.key, "two"), ok);
  assert.deepEqual(await ask(alice.key, "a/well"), [403, "not_allowed"]);
  assert.deepEqual(await ask(bob.key, "one"), ok);
  assert.deepEqual(await ask(bob.key, "two"), [403, "not_allowed"]);
  assert.deepEqual(await ask(carol.key, "a/well"), ok);
  for (const key of ["", "wrong", alice.key.slice(0, -1), `${alice.key}x`, alice.line.split(":")[1]]) {
    assert.deepEqual(await ask(key, "one"), [401, "invalid_api_key"], key);
  }
  const listed = await (await fetch(`${worker.url}/v1/models`, { headers: { authorization: `Bearer ${bob.key}` } })).json();
  assert.deepEqual(listed.data.map((model) => model.id), ["one"]);
  // Anthropic's clients send it there.
  assert.equal((await fetch(`${worker.url}/v1/models`, { headers: { "x-api-key": alice.key } })).status, 200);
});

test("a wrong configuration serves nothing but /health, and tells its owner everything at once", async () => {
  const wrong = `[providers.a]\nprotocl = "openai"\n[routes.r]\ntargets = ["nobody/model"]\ndeadline = "soon"\n`;
  const { key, line } = make({ NAME: "alice" });
  const worker = await run({ config: wrong, vars: { ...CLOSED, GATEWAY_KEYS: line } });
  assert.equal((await fetch(`${worker.url}/health`)).status, 200);
  const stranger = await chat(worker, { model: "r" });
  assert.deepEqual([stranger.status, stranger.json.error.code], [500, "config_invalid"]);
  assert.doesNotMatch(stranger.text, /protocl|nobody|soon/);
  const owner = await chat(worker, { model: "r" }, { authorization: `Bearer ${key}` });
  for (const part of [/protocl/, /nobody/, /soon/]) assert.match(owner.json.error.message, part);
  assert.ok(worker.log.some((text) => text.includes("protocl") && text.includes("soon")), "the log has it too");
  assert.equal(up.calls.filter((call) => call.body.includes('"r"')).length, 0);
});

test("bad input is named, with its place", async () => {
  const worker = await run({ config });
  const deep = `${"[".repeat(200)}${"]".repeat(200)}`;
  const rows = [
    ["no JSON", "{nope", 400, "invalid_request", null],
    ["no object", "[]", 400, "invalid_request", null],
    ["empty", "", 400, "invalid_request", null],
    ["not UTF-8", Buffer.from([0x7b, 0xff, 0x7d]), 400, "invalid_request", null],
    ["a model of the wrong type", '{"model":7,"messages":[]}', 400, "invalid_request", "model"],
    ["no model", '{"messages":[]}', 400, "invalid_request", "model"],
    ["stream of the wrong type", '{"model":"one","stream":"yes","messages":[]}', 400, "invalid_request", "stream"],
    ["too many models", JSON.stringify({ models: Array(9).fill("one"), messages: [] }), 400, "invalid_request", "models"],
    ["nested too deep", `{"model":"one","messages":${deep}}`, 400, "invalid_request", null],
    ["unknown model", '{"model":"none","messages":[]}', 404, "model_not_found", "model"],
    ["too large", `{"model":"one","messages":[{"role":"user","content":"${"x".repeat(10 * 1024 * 1024)}"}]}`, 413, "request_too_large", null],
  ];
  const before = up.calls.length;
  for (const [name, body, status, code, param] of rows) {
    const sent = await fetch(`${worker.url}/v1/chat/completions`, { method: "POST", body });
    const { error } = await sent.json();
    assert.deepEqual([sent.status, error.code, error.param], [status, code, param], `${name}: ${error.message}`);
    assert.equal(sent.headers.get("x-should-retry"), "false", name);
    assert.ok(error.message.length > 10 && error.message.length < 2000, `${name}: ${error.message}`);
    assert.ok(sent.headers.get("x-request-id"), name);
  }
  for (const [header, value] of [["x-breakwater-deadline-ms", "soon"], ["x-breakwater-first-token-ms", "0"], ["x-breakwater-cache-ttl", "-1"], ["x-breakwater-simulate", "nonsense"]]) {
    const response = await chat(worker, { model: "one" }, { [header]: value });
    assert.deepEqual([response.status, response.json.error.param], [400, header], response.text);
  }
  assert.equal(up.calls.length, before, "nothing of it went upstream");
  const missing = await fetch(`${worker.url}/v2/chat`);
  assert.equal(missing.status, 404);
  const method = await fetch(`${worker.url}/v1/chat/completions`);
  assert.deepEqual([method.status, method.headers.get("allow")], [405, "POST"]);
  assert.equal((await fetch(`${worker.url}/v1/chat/completions`, { method: "POST", body: '{"model":"one","messages":[]}' })).status, 200, "and it goes on");
});

test("a browser of an allowed origin may ask, and read the gateway's header fields", async () => {
  const worker = await run({ config });
  const asks = (origin) =>
    fetch(`${worker.url}/v1/chat/completions`, { method: "OPTIONS", headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type" } });
  const allowed = await asks("https://app.example.com");
  assert.ok(allowed.status === 204 || allowed.status === 200, String(allowed.status));
  assert.equal(allowed.headers.get("access-control-allow-origin"), "https://app.example.com");
  assert.match(allowed.headers.get("access-control-allow-headers"), /authorization/i);
  assert.equal((await asks("https://evil.example.com")).headers.get("access-control-allow-origin"), null);
  const response = await chat(worker, { model: "one" }, { origin: "https://app.example.com" });
  assert.equal(response.headers.get("access-control-allow-origin"), "https://app.example.com");
  assert.match(response.headers.get("access-control-expose-headers"), /x-breakwater-trace/);
});
