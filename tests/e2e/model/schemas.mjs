// Small tasks with a schema for the real model, which is weak enough to fail them honestly: by whom and how they are asked, and who judges.

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { chat, outcomes } from "../harness.mjs";

const VALIDATE = fileURLToPath(new URL("validate.py", import.meta.url));

// Each has a text, the schema of what is to be found in it, and an answer of that form as the prompt shows it.
export const tasks = JSON.parse(readFileSync(new URL("../../../bench/eval-schema.json", import.meta.url), "utf8"));

// Tokens of the model's context: what it said and what is wrong with it come on top of the question, twice.
export const CONTEXT = 4096;

// The model in two places. `words` stands for a server without any means for a schema: DeepSeek's preset has the gateway write it into the prompt, and the
// targets' `set` takes the last means away, that of asking for JSON. `grammar` is llama.cpp as it is, which lets the model say nothing else. A target's
// name goes with its route, as one that keeps failing a schema would be passed over.
export function config(url) {
  const weak = (route) => `{ target = "words/${route}", set = { response_format = { type = "text" } } }`;
  return `[defaults]
deadline = "290s"
first_token = "280s"
stall = "280s"
retries = 0
retry_budget = "off"
[providers.words]
preset = "deepseek"
keys = []
base_url = "${url}/v1"
[providers.grammar]
base_url = "${url}/v1"
[routes.once]
targets = [${weak("once")}]
schema_retries = 0
[routes.corrected]
targets = [${weak("corrected")}]
schema_retries = 2
[routes.escalated]
targets = [${weak("escalated")}, "grammar/smollm2"]
schema_retries = 0
`;
}

// Asks a route for a task's answer: status, `x-breakwater-schema`, the calls that it took, the text, and the milliseconds.
export async function ask(worker, route, { text, schema, like }, more = {}) {
  const begun = performance.now();
  const response = await chat(worker, {
    model: route,
    messages: [{ role: "user", content: `${text}\nExtract as JSON like ${like}` }],
    response_format: { type: "json_schema", json_schema: { name: "extract", schema } },
    temperature: 0,
    seed: 1,
    max_tokens: 200,
    ...more,
  });
  return {
    response,
    status: response.status,
    code: response.json?.error?.code,
    mark: response.headers.get("x-breakwater-schema"),
    calls: outcomes(response),
    text: response.json?.choices?.[0]?.message.content,
    ms: performance.now() - begun,
  };
}

// Somebody else's validator, which says whether a text is JSON that is valid by a schema.
export function judge() {
  const child = spawn(process.env.BREAKWATER_PYTHON, [VALIDATE], { stdio: ["pipe", "pipe", "inherit"] });
  const waiting = [];
  createInterface({ input: child.stdout }).on("line", (line) => waiting.shift()(JSON.parse(line)));
  return {
    isValid: (text, schema) =>
      new Promise((resolve) => {
        waiting.push(resolve);
        child.stdin.write(`${JSON.stringify({ text, schema })}\n`);
      }),
    stop: () => child.stdin.end(),
  };
}
