// Who is measured: the bare pass-through, JavaScript with Breakwater's duties, and Breakwater, each in a workerd of its own.
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { key } from "./scenarios.mjs";
import { deployed, prepare } from "./workerd.mjs";

const here = import.meta.dirname;
export const build = process.env.BENCH_BUILD ?? path.resolve(here, "../build");
export const built = () => fs.existsSync(path.join(build, "entry.js"));

// `upstream` and `kv` are ports. `configured: false` gives Breakwater the configuration that it was built with.
export function contestants({ upstream, kv }, { v8 = [], configured = true } = {}) {
  const origin = `http://127.0.0.1:${upstream}`;
  const url = `${origin}/v1/chat/completions`;
  const keys = `bench:${createHash("sha256").update(key).digest("hex")} routes=smart,cached,translated`;
  const common = { ...deployed(), v8 };
  const gateway = { GATEWAY_KEYS: keys, BENCH_KEY: "sk-upstream-0123456789abcdef" };
  if (configured) gateway.GATEWAY_CONFIG = fs.readFileSync(path.join(here, "gateway.toml"), "utf8").replaceAll("UPSTREAM", origin);
  const list = [
    prepare({ ...common, name: "passthrough", source: path.join(here, "passthrough.js"), bindings: { UPSTREAM: url } }),
    prepare({
      ...common,
      name: "floor",
      source: path.join(here, "floor.js"),
      bindings: { UPSTREAM: url, GATEWAY_KEYS: keys, BENCH_KEY: "Bearer sk-upstream-0123456789abcdef" },
      objects: "Breakers",
      kv,
    }),
  ];
  if (built()) list.push(prepare({ ...common, name: "breakwater", source: build, bindings: gateway, objects: "BreakerObject", kv }));
  // Other builds beside it, `name=directory,…`.
  for (const pair of (process.env.BENCH_MORE ?? "").split(",").filter(Boolean)) {
    const [name, source] = pair.split("=");
    list.push(prepare({ ...common, name, source, bindings: gateway, objects: "BreakerObject", kv }));
  }
  return list;
}
