// The built worker and the misbehaving upstream, for tests that are not written in JavaScript. It prints a line of JSON with the upstream's
// address; then every line of its input is a command, `[name, argument]`, and is answered by one line. It stops when its input ends, so
// that nothing outlives a test that died.

import { createInterface } from "node:readline";

import { start } from "./harness.mjs";
import { upstream } from "./upstream.mjs";

const up = await upstream();
const workers = [];
const reply = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

const COMMANDS = {
  // Starts another worker. A variable that is null is not set.
  start: async ({ config, vars = {} }) => {
    const set = Object.fromEntries(Object.entries(vars).map(([name, value]) => [name, value ?? undefined]));
    const worker = await start({ config, vars: set });
    workers.push(worker);
    return { url: worker.url };
  },
  // How often a model of the upstream was called.
  calls: (model) => up.callsOf(model).length,
  // How many connections that carried a call of a model are still open.
  open: (model) => up.openOf(model),
};

reply({ upstream: up.base });
for await (const line of createInterface({ input: process.stdin })) {
  const [name, argument] = JSON.parse(line);
  try {
    reply({ value: await COMMANDS[name](argument) });
  } catch (error) {
    reply({ error: `${name}: ${error.message}` });
  }
}
for (const worker of workers) await worker.stop();
await up.stop();
// What a test left open must not keep this process.
process.exit();
