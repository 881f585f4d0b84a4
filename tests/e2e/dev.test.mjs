// What a newcomer runs: `make dev`, and the README's commands against it, word for word; and wrangler by itself.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { eventually, freePort } from "./harness.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const run = promisify(execFile);

let port;
let dev;
let output = "";

before(async () => {
  port = await freePort();
  // The worker is built already; what `make dev` does beyond that is this script.
  dev = spawn("bash", [join(ROOT, "scripts", "dev.sh")], { cwd: ROOT, env: { ...process.env, PORT: String(port) }, detached: true });
  for (const stream of [dev.stdout, dev.stderr]) stream.on("data", (data) => (output += data));
  await eventually(() => fetch(`http://127.0.0.1:${port}/health`).then((response) => response.ok, () => false), 60_000);
});

after(() => {
  if (dev?.pid !== undefined && dev.exitCode === null) process.kill(-dev.pid, "SIGTERM");
});

// The README's `curl` commands, in order, at our port.
function commands() {
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  const blocks = [...readme.matchAll(/```(?:sh|bash|console)\n([\s\S]*?)```/g)].map(([, block]) => block);
  return blocks.flatMap((block) => block.replaceAll("\\\n", " ").split("\n")).filter((line) => line.startsWith("curl ") && line.includes(":8787"));
}

test("the README's first curl answers, its second one shows the fallback", async () => {
  const [first, second] = commands();
  assert.ok(first && second, "the README has both");
  const shell = (command) => run("bash", ["-c", command.replaceAll(":8787", `:${port}`)]).then(({ stdout }) => stdout);
  const answer = JSON.parse((await shell(first)).match(/\{[\s\S]*\}/)[0]);
  assert.equal(answer.object, "chat.completion");
  const shown = await shell(second);
  assert.match(shown, /x-breakwater-trace: simulated\/primary;server_error;\d+ms, simulated\/backup;ok;\d+ms/i);
});

test("make dev says where it is, and that it is open", () => {
  assert.match(output, new RegExp(`http://127\\.0\\.0\\.1:${port}`));
  assert.match(output, /BREAKWATER_OPEN=loopback/);
});

test("a port that is taken is said to be", async () => {
  const failed = await run("bash", [join(ROOT, "scripts", "dev.sh")], { env: { ...process.env, PORT: String(port) } }).catch((error) => error);
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /PORT=/);
});

test("wrangler deploys it as it is, with no namespace made by hand", async () => {
  const { stdout } = await run("npx", ["wrangler", "deploy", "--dry-run"], { cwd: ROOT });
  assert.match(stdout, /CACHE/);
  assert.match(stdout, /BREAKER/);
  assert.doesNotMatch(stdout, /BREAKWATER_OPEN/);
});

test("a deploy refuses the variable that opens the gateway", async () => {
  const refused = await run("bash", [join(ROOT, "scripts", "deploy.sh"), "--var", "BREAKWATER_OPEN:loopback"], { cwd: ROOT }).catch((error) => error);
  assert.notEqual(refused.code ?? 0, 0);
  assert.match(refused.stderr, /BREAKWATER_OPEN/);
});
