// workerd itself, started with a worker and nothing in front of it: `wrangler dev` puts a proxy there that is slower than what is
// measured.
import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { start } from "./machine.mjs";

const root = path.resolve(import.meta.dirname, "..");

// The program, not the npm package's launcher, which would be a process of its own.
function program() {
  if (process.env.WORKERD_BIN) return process.env.WORKERD_BIN;
  const beside = createRequire(createRequire(path.join(root, "package.json")).resolve("workerd"));
  const name = `${process.platform}-${process.arch}`.replace("x64", "64").replace("win32", "windows");
  return beside.resolve(`@cloudflare/workerd-${name}/bin/workerd`);
}

export const version = () => createRequire(path.join(root, "package.json"))("workerd/package.json").version;

// A worker's modules, by name: one file, or all of a folder's JavaScript and wasm, its `entry.js` first.
function modules(source) {
  if (fs.statSync(source).isFile()) return [["index.js", source]];
  const found = fs.readdirSync(source, { recursive: true }).filter((name) => /\.(js|wasm)$/.test(name));
  found.sort((a, b) => Number(b === "entry.js") - Number(a === "entry.js"));
  return found.map((name) => [name.replaceAll("\\", "/"), path.join(source, name)]);
}

const quoted = (text) => JSON.stringify(String(text));

// The configuration in workerd's own language. `objects` is the class of the worker's Durable Object, `kv` the store's port.
function configuration({ name, mods, bindings, objects, kv, flags, date, v8 }) {
  const list = mods.map((mod) => `(name = ${quoted(mod)}, ${mod.endsWith(".wasm") ? "wasm" : "esModule"} = embed ${quoted(mod)})`);
  const bound = Object.entries(bindings).map(([key, text]) => `(name = ${quoted(key)}, text = ${quoted(text)})`);
  const services = [`(name = ${quoted(name)}, worker = .tested)`, `(name = "internet", network = (allow = ["private", "public"]))`];
  if (kv !== undefined) {
    bound.push(`(name = "CACHE", kvNamespace = "store")`);
    services.push(`(name = "store", external = (address = "127.0.0.1:${kv}", http = ()))`);
  }
  let classes = "";
  if (objects !== undefined) {
    bound.push(`(name = "BREAKER", durableObjectNamespace = ${quoted(objects)})`);
    services.push(`(name = "objects", disk = (path = "objects", writable = true))`);
    classes = `durableObjectNamespaces = [(className = ${quoted(objects)}, uniqueKey = "bench", enableSql = true)],
  durableObjectStorage = (localDisk = "objects"),`;
  }
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [${services.join(", ")}],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = ${quoted(name)})],
  v8Flags = [${v8.map(quoted).join(", ")}],
);
const tested :Workerd.Worker = (
  modules = [${list.join(", ")}],
  compatibilityDate = ${quoted(date)},
  compatibilityFlags = [${flags.map(quoted).join(", ")}],
  bindings = [${bound.join(", ")}],
  ${classes}
);
`;
}

// What wrangler.toml deploys with, so that what is measured is what runs.
export function deployed() {
  const text = fs.readFileSync(path.join(root, "wrangler.toml"), "utf8");
  const date = /^compatibility_date *= *"([^"]+)"/m.exec(text)?.[1];
  const flags = /^compatibility_flags *= *\[([^\]]*)\]/m.exec(text)?.[1] ?? "";
  return { date, flags: [...flags.matchAll(/"([^"]+)"/g)].map((match) => match[1]) };
}

// Lays out a folder with the configuration and the modules, and gives a function that starts workerd on it.
export function prepare({ name, source, bindings = {}, objects, kv, flags = [], date, v8 = [] }) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), `bench-${name}-`));
  const mods = modules(source);
  for (const [mod, file] of mods) {
    fs.mkdirSync(path.dirname(path.join(folder, mod)), { recursive: true });
    fs.copyFileSync(file, path.join(folder, mod));
  }
  if (objects !== undefined) fs.mkdirSync(path.join(folder, "objects"));
  const capnp = path.join(folder, "config.capnp");
  fs.writeFileSync(capnp, configuration({ name, mods: mods.map(([mod]) => mod), bindings, objects, kv, flags, date, v8 }));
  const args = ["serve", "--experimental", "--control-fd=3", capnp];
  if (objects !== undefined) args.splice(3, 0, `--directory-path=objects=${path.join(folder, "objects")}`);
  const said = path.join(folder, "log");
  const remove = () => fs.rmSync(folder, { recursive: true, force: true });
  process.on("exit", remove);
  return {
    name,
    start: async () => {
      const log = fs.openSync(said, "a");
      try {
        const server = await start(program(), args, { measured: true, fd: 3, log });
        return { name, pid: server.pid, port: server.said.port, stop: server.stop, log: () => fs.readFileSync(said, "utf8") };
      } catch (error) {
        throw new Error(`${error.message}\n${fs.readFileSync(said, "utf8")}`);
      } finally {
        fs.closeSync(log);
      }
    },
    remove,
  };
}
