// llama.cpp's server with SmolLM2-135M-Instruct, on loopback.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const SERVE = fileURLToPath(new URL("serve.py", import.meta.url));

// Starts the server; `get` asks it directly. Its context is small unless `context` says otherwise, so that a prompt is soon too long.
export async function serve({ context = 512 } = {}) {
  const python = process.env.BREAKWATER_PYTHON;
  if (!python) throw new Error("BREAKWATER_PYTHON is not set: run 'make test-model'");
  const child = spawn(python, [SERVE, String(context)], { stdio: ["pipe", "pipe", "pipe"] });
  let log = "";
  child.stderr.on("data", (data) => (log += data));
  const ended = new Promise((resolve) => child.once("close", resolve));
  const line = new Promise((resolve) => createInterface({ input: child.stdout }).once("line", resolve));
  const first = await Promise.race([line, ended]);
  if (typeof first !== "string") throw new Error(`the model's server ended:\n${log}`);
  const { url } = JSON.parse(first);
  return {
    url,
    get: async (path) => (await fetch(url + path)).text(),
    stop: () => {
      child.stdin.end();
      return ended;
    },
  };
}
