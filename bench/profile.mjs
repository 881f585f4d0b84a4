// `--profile SCENARIO`: where Breakwater's processor time goes, by `perf`, which needs Linux and the right to use it.
//
// workerd carries its symbols, and V8's `--perf-basic-prof` writes down where it put the code that it made, so that the functions of
// the wasm module show under their Rust names and those of the glue under theirs. Most of the time is neither's: it is workerd's and
// V8's, on behalf of what the glue asks of them; so the second table says which of the platform's functions that was.
import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { contestants } from "./contestants.mjs";
import { load } from "./load.mjs";
import { cpuMicros } from "./machine.mjs";
import { number } from "./report.mjs";

const SECONDS = 6;
const SHOWN = Number(process.env.BENCH_SHOWN ?? 30);

// Runs `who` under the scenario's load, and prints microseconds per request.
export async function profile(ports, scenario, who) {
  const all = contestants(ports, { v8: ["--perf-basic-prof"] });
  const one = all.find((contestant) => contestant.name === who);
  if (one === undefined) throw new Error(`${who} is not built`);
  const server = await one.start();
  const data = path.join(os.tmpdir(), `bench-perf-${server.pid}.data`);
  const map = `/tmp/perf-${server.pid}.map`;
  try {
    const { port, pid } = server;
    const { request, connections } = scenario;
    await load({ port, request, connections, seconds: 3 });
    const sampled = record(pid, data);
    const before = cpuMicros(pid);
    const { requests } = await load({ port, request, connections, seconds: SECONDS });
    const micros = (cpuMicros(pid) - before) / requests;
    await sampled;
    console.log(`${who}: ${scenario.title}\n${number(micros)} CPU µs a request, perf's own cost included; ${requests} requests`);
    print(data, micros);
    if (process.env.BENCH_KEEP) fs.copyFileSync(data, process.env.BENCH_KEEP);
  } finally {
    await server.stop();
    for (const contestant of all) contestant.remove();
    for (const file of [data, map]) fs.rmSync(file, { force: true });
  }
}

function record(pid, data) {
  const args = ["record", "-F", "4999", "-e", "cpu-clock", "-g", "-p", String(pid), "-o", data, "--", "sleep", String(SECONDS)];
  const child = spawn("perf", args, { stdio: "ignore" });
  return new Promise((resolve, reject) => {
    child.on("error", () => reject(new Error("`perf` is not installed: on Debian, apt-get install linux-perf")));
    child.on("exit", resolve);
  });
}

// perf's report as [share, name], greatest first.
function report(data, sort, ...args) {
  const all = ["report", "-i", data, "--sort", sort, "-g", "none", "--percent-limit", "0.2", "--stdio", ...args];
  const text = execFileSync("perf", all, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], maxBuffer: 1 << 28 });
  const lines = text.split("\n").map((line) => /^ +([\d.]+)%(?: +[\d.]+%)? +(?:\[.\] )?(.*?) *$/.exec(line));
  return lines.filter((line) => line !== null).map((line) => [Number(line[1]) / 100, line[2]]);
}

function show(title, entries, micros) {
  const lines = entries.slice(0, SHOWN).map(([share, name]) => `${number(share * micros, 1).padStart(8)}  ${name.slice(0, 130)}`);
  console.log(`\n      µs  ${title}\n${lines.join("\n")}`);
}

// Inlining and tiers give one function several entries, of which the greatest is told.
function distinct(entries) {
  const seen = new Set();
  return entries.filter(([, name]) => !seen.has(name) && seen.add(name));
}

const rust = (name) => name.replace(/^JS:\W?/, "").replace(/::h[0-9a-f]{16}/, "").replace(/-\d+-(turbofan|liftoff|none)$/, "");

function print(data, micros) {
  show("by itself, in", report(data, "dso", "--no-children"), micros);
  const inclusive = report(data, "sym", "--children");
  const ours = inclusive.filter(([, name]) => name.startsWith("JS:")).map(([share, name]) => [share, rust(name)]);
  show("with all that it calls: the worker's own functions", distinct(ours), micros);
  const platform = inclusive.filter(([, name]) => /^(workerd::api::[\w:]+|Builtins_\w+|v8::internal::(Heap|Scavenger)\w*::\w+)$/.test(name));
  show("with all that it calls: the platform's", distinct(platform), micros);
  const self = report(data, "sym", "--no-children");
  show("by itself", distinct(self.map(([share, name]) => [share, rust(name)])), micros);
}
