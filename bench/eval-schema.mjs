// `make eval-schema`: how many answers of a weak model are valid by the schema that was asked for, and what makes how many of the others valid.
//
// Fifty small tasks (eval-schema.json) for SmolLM2-135M-Instruct behind llama.cpp's server, through the built worker. It is told the schema in its prompt
// alone, with an answer of that form, and is asked with temperature 0 and a fixed seed, so that a second run says the same. Valid is what the client gets as a
// 200; each of those is judged again by Python's jsonschema. Valid is not the same as right: a model of this size finds a form more easily than a fact.
import { parseArgs } from "node:util";

import { start } from "../tests/e2e/harness.mjs";
import { ask, config, CONTEXT, judge, tasks } from "../tests/e2e/model/schemas.mjs";
import { serve } from "../tests/e2e/model/server.mjs";
import { median, number, table } from "./report.mjs";

const { values: options } = parseArgs({
  options: {
    tasks: { type: "string" },
    temperature: { type: "string", default: "0" },
    verbose: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  console.log("usage: node bench/eval-schema.mjs [--tasks COUNT] [--temperature T] [--verbose]");
  process.exit(0);
}
const asked = tasks.slice(0, options.tasks === undefined ? tasks.length : Number(options.tasks));

const ROWS = [
  { title: "as the model answers", route: "once", counts: ({ mark }) => mark === "emulated" },
  { title: "repaired", route: "once" },
  { title: "repaired, corrected (schema_retries = 2)", route: "corrected" },
  { title: "repaired, then the target with a grammar", route: "escalated" },
];

// Asks a route for all of them, one after the other, and has every answer judged.
async function all(worker, other, route) {
  const results = [];
  for (const task of asked) {
    const found = await ask(worker, route, task, { temperature: Number(options.temperature) });
    if (found.status !== 200 && found.code !== "schema_unsatisfied") throw new Error(`${route}, ${task.name}: ${found.response.text}`);
    if (found.status === 200 && !(await other.isValid(found.text, task.schema))) throw new Error(`${route}, ${task.name}: is not valid: ${found.text}`);
    results.push(found);
    if (options.verbose) console.error(`${route}  ${task.name}: ${found.status} ${found.mark ?? ""} ${found.calls.join(", ")} ${found.text ?? found.response.json.error.message}`);
    else process.stderr.write(".");
  }
  process.stderr.write("\n");
  return results;
}

async function main() {
  const model = await serve({ context: CONTEXT });
  const other = judge();
  const worker = await start({ config: config(model.url) });
  try {
    const found = {};
    for (const route of new Set(ROWS.map((row) => row.route))) found[route] = await all(worker, other, route);
    const rows = [["", "valid", "share", "median s", "calls"]];
    for (const { title, route, counts = ({ status }) => status === 200 } of ROWS) {
      const results = found[route];
      const valid = results.filter(counts).length;
      const calls = results.reduce((sum, { calls }) => sum + calls.length, 0);
      const share = `${number((100 * valid) / results.length)} %`;
      rows.push([title, `${valid} of ${results.length}`, share, number(median(results.map(({ ms }) => ms)) / 1000, 1), number(calls / results.length, 2)]);
    }
    console.log(table(rows));
    const judged = Object.values(found).flat().filter(({ status }) => status === 200).length;
    console.log(`\n${judged} answers were given out; Python's jsonschema finds every one valid`);
  } finally {
    other.stop();
    await worker.stop();
    await model.stop();
  }
}

await main();
