// The built worker and an upstream, for tests that are not written in JavaScript: the misbehaving one, or with the argument "replay" the one of every
// protocol. It prints a line of JSON with the upstream's address; then every line of its input is a command, `[name, argument]`, and is answered by one line. It stops when its input ends, so
// that nothing outlives a test that died.

import { createInterface } from "node:readline";

import { start } from "./harness.mjs";
import { gateway, replay } from "./replay.mjs";
import { RECORDINGS, says } from "./replay/recordings.mjs";
import { upstream } from "./upstream.mjs";

const up = process.argv[2] === "replay" ? await replay() : await upstream();
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
  // Starts a worker whose providers are all those of the replaying upstream.
  gateway: async (more = "") => {
    const worker = await start(gateway(up.base, more));
    workers.push(worker);
    return { url: worker.url };
  },
  // What the replaying upstream received for a model: where, and which body, and what it refused.
  requests: (model) => up.of(model).map(({ path, protocol, provider, headers, body, refused = null }) => ({ path, protocol, provider, headers, body, refused })),
  // All that it refused.
  refusals: () => up.refusals,
  // The names of the recordings of a protocol's answers that say something, and whether each is a stream.
  recordings: (protocol) => [...RECORDINGS.values()].filter((one) => one.protocol === protocol && says(one)).map(({ name, streamed }) => ({ name, streamed })),
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
