// Starts the built worker in real workerd, with KV and Durable Objects, and without a proxy in front of it: a client's disconnect must
// reach the worker as it would in production.

import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { Miniflare, NoOpLog } from "miniflare";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const BUILD = join(ROOT, "build");

// What wrangler.toml deploys with.
const WRANGLER = readFileSync(join(ROOT, "wrangler.toml"), "utf8");
const [, compatibilityDate] = WRANGLER.match(/^compatibility_date *= *"([^"]+)"/m);
const compatibilityFlags = JSON.parse(WRANGLER.match(/^compatibility_flags *= *(\[[^\]]*\])/m)[1]);

// A port that was free a moment ago.
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

// An empty folder for a worker's state, removed by its `remove`.
export function folder() {
  const path = mkdtempSync(join(tmpdir(), "breakwater-e2e-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

// Starts the worker. `config` replaces the built-in configuration; `vars` are further variables and secrets; `persist` is a folder whose state
// outlives the worker. Open on loopback unless `vars` says otherwise.
export async function start({ config, vars = {}, persist } = {}) {
  if (!existsSync(join(BUILD, "entry.js"))) throw new Error("the worker is not built: run 'make build'");
  const port = await freePort();
  const log = [];
  const bindings = { BREAKWATER_OPEN: "loopback", ...vars };
  if (config !== undefined) bindings.GATEWAY_CONFIG = config;
  for (const name of Object.keys(bindings)) if (bindings[name] === undefined) delete bindings[name];
  const env = Object.fromEntries(Object.entries(bindings).map(([name, value]) => [name, { type: "json", value }]));
  const module = (type, name) => [name, { type, contents: readFileSync(join(BUILD, name)) }];
  const miniflare = new Miniflare({
    host: "127.0.0.1",
    enableDevRegistry: false,
    telemetry: { enabled: false },
    log: new NoOpLog(),
    handleStructuredLogs: ({ message }) => log.push(message),
    ...(persist === undefined ? {} : { resourcePersistencePath: persist }),
    workers: [
      {
        config: {
          name: "breakwater",
          compatibilityDate,
          compatibilityFlags,
          manifest: { mainModule: "entry.js", modules: Object.fromEntries([module("esm", "entry.js"), module("esm", "index.js"), module("wasm", "index_bg.wasm")]) },
          env: { ...env, CACHE: { type: "kv", id: "CACHE" }, BREAKER: { type: "durable-object", worker: "breakwater", exportName: "BreakerObject" } },
          exports: { BreakerObject: { type: "durable-object", storage: "sqlite" } },
        },
        dev: { unsafeDirectSockets: [{ host: "127.0.0.1", port }] },
      },
    ],
  });
  await miniflare.ready;
  const direct = await miniflare.unsafeGetDirectURL("breakwater");
  return { url: direct.origin, port: Number(direct.port), log, stop: () => miniflare.dispose() };
}

// Asks for a chat completion: status, header fields, text, and the JSON where it is one.
export async function chat(worker, body, headers = {}) {
  const response = await fetch(`${worker.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify({ messages: [{ role: "user", content: "Hello" }], ...body }),
  });
  const text = await response.text();
  let json;
  try {
    json = JSON.parse(text);
  } catch {
    // A stream, or something that should not be: the test says which.
  }
  return { status: response.status, headers: response.headers, text, json };
}

// The outcomes of a trace, without times: ["a/one;server_error", "b/two;ok"].
export function outcomes(response) {
  const trace = response.headers.get("x-breakwater-trace");
  return trace === null ? [] : trace.split(", ").map((part) => part.replace(/;\d+ms$/, ""));
}

// The data of a stream's events, parsed, but for "[DONE]".
export function events(text) {
  return text
    .split(/\r\n\r\n|\n\n|\r\r/)
    .filter((frame) => frame.startsWith("data: "))
    .map((frame) => (frame === "data: [DONE]" ? "[DONE]" : JSON.parse(frame.slice(6))));
}

// All that a stream says.
export function said(text) {
  return events(text)
    .map((event) => event.choices?.[0]?.delta?.content ?? "")
    .join("");
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Waits until `check` gives something true, and gives that; throws after `ms`.
export async function eventually(check, ms = 3000) {
  const until = Date.now() + ms;
  for (;;) {
    const value = await check();
    if (value) return value;
    if (Date.now() > until) throw new Error(`still not so after ${ms} ms: ${check}`);
    await sleep(10);
  }
}
