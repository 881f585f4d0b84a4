// Every recorded answer of every provider, cut at arbitrary bytes, read by an SDK of every dialect: what the SDK puts together is what a naive reading
// of the recording says.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { clients } from "./clients.mjs";
import { start } from "./harness.mjs";
import { gateway, replay } from "./replay.mjs";
import { BROKEN, missing, RECORDINGS, told } from "./replay/recordings.mjs";

let up;
let worker;

before(async () => {
  up = await replay({ seed: 3 });
  worker = await start(gateway(up.base));
});

after(async () => {
  await worker?.stop();
  await up?.stop();
});

// What is left out, and why: a rule, or a name.
const LEFT_OUT = [
  [({ status }) => status !== 200, "an error: tests/verdict judges those"],
  [({ streamed, body }) => streamed && (body.match(/"type": ?"(message_start|response\.created)"/g) ?? []).length > 1, "several answers in one fixture"],
  [({ body }) => body.includes('"partialArgs"'), "Vertex's arguments in pieces, which the naive reading cannot put together: tests/gemini does"],
  [({ name }) => name === "fix.openai.openai-phase.1.stream" || name.startsWith("fix.openai.openai-shell-"), "abridged: its deltas are not what its end says"],
];

// What only one SDK cannot read, of what passes through to it as the provider said it.
const TOO_STRICT = new Set([
  // Its ids change within one answer.
  "fix.openai.github-copilot-id-rotation.1.stream responses",
  // `content` is an array of parts.
  "fix.mistral.mistral-reasoning chat",
  "fix.mistral.mistral-reasoning.stream chat",
  // No `role`, and calls without `index`.
  "fix.mistral.mistral-incremental-tool-call.stream chat",
  "fix.mistral.mistral-tool-call.stream chat",
]);

const TRUNCATED = "arguments that are no JSON, as the answer was cut off at its limit";

// What a recording says, or why it says nothing that can be compared.
function expected(recording) {
  const left = LEFT_OUT.find(([is]) => is(recording));
  if (left) return { reason: left[1] };
  try {
    const said = told(recording);
    if (said.text === "" && said.calls.length === 0) return { reason: "says neither text nor calls: a refusal, reasoning alone, or the provider's own tools" };
    return { said };
  } catch (error) {
    if (error instanceof SyntaxError) return { reason: TRUNCATED };
    return { reason: "is no answer" };
  }
}

const DIALECTS = ["chat", "responses", "anthropic"];

for (const protocol of ["chat", "responses", "anthropic", "gemini"]) {
  test(`${protocol}: every recorded answer, by an SDK of each dialect`, { skip: missing }, async (context) => {
    const all = [...RECORDINGS.values()].filter((recording) => recording.protocol === protocol);
    const sdks = clients(worker.url);
    const left = new Map();
    const failures = [];
    let passed = 0;
    const work = all.values();
    const one = async () => {
      for (const recording of work) {
        const { said, reason } = expected(recording);
        if (reason !== undefined) {
          left.set(reason, (left.get(reason) ?? 0) + 1);
          continue;
        }
        for (const dialect of DIALECTS.filter((one) => !TOO_STRICT.has(`${recording.name} ${one}`))) {
          const sdk = sdks.find((client) => client.dialect === dialect);
          try {
            const answer = await sdk[recording.streamed ? "stream" : "whole"](`${protocol}/${recording.name}`);
            // Groq says "null" of no arguments; where that passes through, it is its client's to read.
            const calls = answer.calls.map(({ name, args }) => ({ name, args: args ?? {} }));
            assert.deepEqual({ text: answer.text, calls }, { text: said.text, calls: said.calls });
            passed++;
          } catch (error) {
            failures.push(`${recording.name} by ${dialect}: ${String(error.message).slice(0, 700)}`);
          }
        }
      }
    };
    await Promise.all(Array.from({ length: 6 }, one));
    context.diagnostic(`${all.length} recordings, ${passed} answers read; left out: ${[...left].map(([reason, count]) => `${count} (${reason})`).join("; ") || "none"}`);
    assert.equal(failures.length, 0, failures.join("\n"));
    assert.ok(passed > 100, `${passed}`);
  });
}

test("fixtures that are not what a provider sends are known by name", { skip: missing }, () => {
  assert.deepEqual(BROKEN, ["openai/src/responses: parallel-tool-call-wrapper.1.chunks.txt"]);
});
