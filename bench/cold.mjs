// What a start costs: from the process's start to its first answer, and the wasm module by itself.
import fs from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "./contestants.mjs";
import { once } from "./load.mjs";
import { cpuMicros } from "./machine.mjs";

// Milliseconds until the first answer, and the processor time by then.
export async function coldStart(contestant, request) {
  const from = performance.now();
  const server = await contestant.start();
  try {
    const { status } = await once(server.port, request);
    if (status !== 200) throw new Error(`${contestant.name} answered ${status} at its start`);
    return { ms: performance.now() - from, cpu: cpuMicros(server.pid) / 1000 };
  } finally {
    await server.stop();
  }
}

function files(folder) {
  return fs.readdirSync(folder, { recursive: true }).map((name) => path.join(folder, name));
}

// Sizes in bytes, and the milliseconds that V8 takes to compile and to instantiate the module, here in Node.
export async function artefact(rounds = 5) {
  const wasms = files(build).filter((file) => file.endsWith(".wasm"));
  const scripts = files(build).filter((file) => file.endsWith(".js"));
  const gzipped = (list) => list.reduce((sum, file) => sum + gzipSync(fs.readFileSync(file), { level: 9 }).length, 0);
  const raw = (list) => list.reduce((sum, file) => sum + fs.statSync(file).size, 0);
  const times = [];
  for (let round = 0; round < rounds; round++) times.push(await instantiate(fs.readFileSync(wasms[0])));
  times.sort((a, b) => a.compile + a.instantiate - b.compile - b.instantiate);
  return { wasm: raw(wasms), wasmGzipped: gzipped(wasms), gzipped: gzipped([...wasms, ...scripts]), ...times[times.length >> 1] };
}

async function instantiate(bytes) {
  const from = performance.now();
  const module = await WebAssembly.compile(bytes);
  const compiled = performance.now();
  const imports = {};
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    imports[from] ??= {};
    imports[from][name] = kind === "function" ? () => 0 : standIn(name, kind);
  }
  await WebAssembly.instantiate(module, imports);
  return { compile: compiled - from, instantiate: performance.now() - compiled };
}

function standIn(name, kind) {
  if (kind === "tag") return WebAssembly.JSTag ?? new WebAssembly.Tag({ parameters: ["externref"] });
  if (kind === "table") return new WebAssembly.Table({ initial: 1024, element: "externref" });
  throw new Error(`the module imports the ${kind} ${name}, which the benchmark knows nothing of`);
}
