// `make bench`: the pass-through, the same duties in JavaScript, and Breakwater, in turn, against one upstream. See README.md.
import fs from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { artefact, coldStart } from "./cold.mjs";
import { build, built, contestants } from "./contestants.mjs";
import { load, once } from "./load.mjs";
import { cpuMicros, describe, start } from "./machine.mjs";
import { profile } from "./profile.mjs";
import { difference, median, number, ratio, spread, table } from "./report.mjs";
import { health, scenarios } from "./scenarios.mjs";
import { version } from "./workerd.mjs";

const BASE = "passthrough";
const FLOOR = "floor";
const OURS = "breakwater";
// What a scenario is compared with beside the others, unless it has a name of its own for it.
const SAME = "same dialect";
const besides = (scenario) => scenario.besides ?? SAME;

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    json: { type: "string" },
    only: { type: "string", multiple: true },
    profile: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
const names = [...Object.keys(scenarios), "cold", "size"];
if (options.help) {
  console.log(`usage: node bench/run.mjs [--quick] [--only SCENARIO]… [--json FILE] [--profile SCENARIO]\nscenarios: ${names.join(", ")}`);
  process.exit(0);
}
const unknown = (options.only ?? []).filter((name) => !names.includes(name));
if (options.profile !== undefined && !(options.profile in scenarios)) unknown.push(options.profile);
if (unknown.length > 0) {
  console.error(`no scenario is called ${unknown.join(", ")}; there are ${names.join(", ")}`);
  process.exit(2);
}
const wanted = (name) => options.only === undefined || options.only.includes(name);

// Many short rounds rather than a few long ones: what disturbs the machine then disturbs all contestants alike.
const ROUNDS = options.quick ? 9 : 25;
const SECONDS = options.quick ? 0.15 : 0.4;

async function round(server, scenario, seconds) {
  const before = cpuMicros(server.pid);
  const result = await load({ port: server.port, request: server.request ?? scenario.request, connections: scenario.connections, seconds });
  return { ...result, cpu: (cpuMicros(server.pid) - before) / result.requests };
}

// Every contestant answers, and answers what is meant to be measured, before anything is.
async function check(server, scenario) {
  const { status, head, body } = await once(server.port, server.request ?? scenario.request);
  const say = (what) => new Error(`${server.name} ${what}:\n${head}\n${body.slice(0, 1000)}\n${server.log().slice(-2000)}`);
  if (status !== 200) throw say(`answered ${status}`);
  if (scenario.stream && !body.includes("data: [DONE]")) throw say("left out the end of the stream");
  if (scenario.demands && /x-breakwater-schema: *valid/i.test(head) !== (server.name === OURS)) throw say("was not checked, or should not have been");
  if (!scenario.hit || server.name === BASE) return;
  await new Promise((resolve) => setTimeout(resolve, 200));
  const again = await once(server.port, scenario.request);
  if (!/x-breakwater-cache: *hit/i.test(again.head)) throw say("did not answer from its cache");
}

async function measure(running, scenario, rounds = ROUNDS) {
  let servers = running;
  if (scenario.beside !== undefined) {
    // What is translated is compared with what is not; the floor translates nothing, and checks nothing.
    const ours = running.find((server) => server.name === OURS);
    const same = ours === undefined ? [] : [{ ...ours, name: besides(scenario), request: scenario.beside }];
    servers = [...running.filter((server) => server.name !== FLOOR), ...same];
  }
  const seconds = SECONDS * (scenario.weight ?? 1);
  const results = Object.fromEntries(servers.map((server) => [server.name, []]));
  for (const server of servers) {
    await check(server, scenario);
    await round(server, scenario, seconds + 0.5);
  }
  for (let at = 0; at < rounds; at++) {
    // Each is first in turn: whoever follows the pass-through was seen to take up to a tenth more than the same worker in a later place.
    for (const server of [...servers.slice(at % servers.length), ...servers.slice(0, at % servers.length)]) {
      const result = await round(server, scenario, seconds);
      if (result.failed > 0) throw new Error(`${server.name}: ${result.failed} requests failed`);
      results[server.name].push(result);
    }
  }
  return results;
}

// Requests, or streams, for a second of workerd's processor time: what a machine gives that has nothing else to do.
const perCpu = (round) => 1 / round.cpu;

function print(scenario, results, direct) {
  const middle = (name, key) => median(results[name].map((round) => round[key]));
  const unit = scenario.stream ? "MB/s" : "req/s";
  const speed = scenario.stream ? (round) => round.bytes / 1e6 : (round) => round.rate;
  const rows = [["", "CPU µs", unit, "p50 ms", scenario.first ? "added ms" : "p99 ms", "×pass, CPU", `×pass, ${unit}`, "×floor, CPU"]];
  for (const name of Object.keys(results)) {
    const compared = (base, of) => (name === base ? "" : spread(ratio(results, name, base, of)));
    rows.push([
      name,
      number(middle(name, "cpu")),
      number(median(results[name].map(speed)), scenario.stream ? 1 : 0),
      number(middle(name, scenario.first ? "first50" : "p50"), 2),
      scenario.first ? number(middle(name, "first50") - direct, 2) : number(middle(name, "p99"), 2),
      compared(BASE, perCpu),
      compared(BASE, speed),
      name === OURS && FLOOR in results ? compared(FLOOR, perCpu) : "",
    ]);
  }
  console.log(`\n${scenario.title}; ${results[BASE].length} rounds\n${table(rows)}`);
  const beside = besides(scenario);
  if (beside in results) {
    const [cpu, rate] = [perCpu, speed].map((of) => spread(ratio(results, OURS, beside, of)));
    const what = scenario.demands ? "its own without the demand" : "its own with a provider of the client's dialect";
    console.log(`${OURS}, of ${what}: CPU ${cpu}, ${unit} ${rate}`);
    if (scenario.demands) console.log(`the demand costs ${spread(difference(results, OURS, beside, (round) => round.cpu), 0)} µs of CPU`);
  }
  if (scenario.first) console.log(`p50 and added: to the body's first byte; the upstream itself ${number(direct, 2)} ms`);
}

async function cold(all) {
  const rounds = options.quick ? 5 : 15;
  const results = {};
  for (let at = 0; at < rounds; at++) {
    for (const contestant of all) {
      const request = contestant.name === BASE ? scenarios.small.request : health;
      (results[contestant.name] ??= []).push(await coldStart(contestant, request));
    }
  }
  const rows = [["", "first answer ms", "CPU ms", "added ms", "added CPU ms"]];
  for (const [name, list] of Object.entries(results)) {
    const added = (key) => median(list.map((one, at) => one[key] - results[BASE][at][key]));
    const row = [name, number(median(list.map((one) => one.ms)), 1), number(median(list.map((one) => one.cpu)), 1)];
    rows.push(name === BASE ? [...row, "", ""] : [...row, number(added("ms"), 1), number(added("cpu"), 1)]);
  }
  console.log(`\ncold start: from the start of the process to its first answer; ${rounds} rounds\n${table(rows)}`);
  return results;
}

async function size() {
  const found = await artefact();
  const kilobytes = (bytes) => `${number(bytes / 1024)} KB`;
  console.log(`\nsize: wasm ${kilobytes(found.wasm)}, gzipped ${kilobytes(found.wasmGzipped)}; whole worker gzipped ${kilobytes(found.gzipped)}`);
  console.log(`wasm in V8: ${number(found.compile, 1)} ms to compile, ${number(found.instantiate, 1)} ms to instantiate`);
  return found;
}

async function main() {
  const backend = await start(process.execPath, [path.join(import.meta.dirname, "upstream/main.mjs")]);
  const all = [];
  const running = [];
  const raw = { machine: describe(), workerd: version(), at: new Date().toISOString(), scenarios: {} };
  try {
    if (options.profile) return await profile(backend.said, scenarios[options.profile], process.env.BENCH_WHO ?? OURS);
    all.push(...contestants(backend.said));
    console.log(`${raw.machine}\nworkerd ${raw.workerd}, ${built() ? build : "no build of Breakwater (run 'make build')"}`);
    for (const contestant of all) running.push(await contestant.start());
    for (const [name, scenario] of Object.entries(scenarios)) {
      if (!wanted(name)) continue;
      const direct = scenario.first ? await load({ port: backend.said.upstream, request: scenario.request, connections: 1, seconds: 0.5 }) : {};
      const results = await measure(running, scenario, scenario.weight > 2 ? Math.ceil(ROUNDS / 4) : ROUNDS);
      raw.scenarios[name] = { direct, results };
      print(scenario, results, direct.first50);
    }
    for (const server of running.splice(0)) await server.stop();
    if (wanted("cold")) {
      const plain = contestants(backend.said, { configured: false });
      all.push(...plain);
      raw.cold = await cold(plain);
    }
    if (wanted("size") && built()) raw.size = await size();
    if (options.json) fs.writeFileSync(options.json, JSON.stringify(raw, null, 1));
  } finally {
    for (const server of running) await server.stop();
    for (const contestant of all) contestant.remove();
    await backend.stop();
  }
}

process.on("SIGINT", () => process.exit(130));
try {
  await main();
} catch (error) {
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
}
