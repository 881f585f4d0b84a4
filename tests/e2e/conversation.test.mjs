// One conversation with parallel calls and reasoning, in which every turn is answered by another protocol: each provider must take what the others
// said, and get back what it signed itself. The providers refuse what the real ones refuse (replay.mjs).

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { clients, RESULT, TOOLS } from "./clients.mjs";
import { start } from "./harness.mjs";
import { gateway, replay } from "./replay.mjs";
import { FINAL, REASONING } from "./replay/turn.mjs";

let up;
let worker;

before(async () => {
  up = await replay({ seed: 2 });
  worker = await start(gateway(up.base));
});

after(async () => {
  await worker?.stop();
  await up?.stop();
});

// Who answers each request: "caller" calls tools again, "agent" answers with their results; after an answer the user asks the next question.
const TURNS = [
  ["chat", "gpt-4.1-mini~caller"],
  ["anthropic", "claude-sonnet-4-5-20250929~caller"],
  ["gemini", "gemini-3-pro-preview~caller"],
  ["responses", "gpt-5-mini~caller"],
  ["mistral", "mistral-large-latest~agent"],
  // Each that signs what it thinks, in a loop of its own, after all that was before.
  ["anthropic", "claude-sonnet-4-5-20250929~caller"],
  ["anthropic", "claude-sonnet-4-5-20250929~agent"],
  ["gemini", "gemini-3-pro-preview~caller"],
  ["gemini", "gemini-3-pro-preview~agent"],
  // Who signs what it says, too, and gets it back behind the next question.
  ["gemini", "gemini-3-pro-preview~caller"],
  ["responses", "gpt-5-mini~caller"],
  ["responses", "gpt-5-mini~agent"],
  // And the one that knows no reasoning, after everything.
  ["mistral", "mistral-large-latest~caller"],
  ["chat", "gpt-4.1-mini~agent"],
];

const question = (at) => `Question ${at}: and now?`;
const CALLS = TOOLS.map((name) => ({ name, args: { city: "Oslo" } }));
const RESULTS = CALLS.map(({ name, args }) => RESULT(name, args));

// How each dialect asks for reasoning, and keeps a conversation.
const DIALECTS = {
  chat: {
    asks: (messages) => ({ messages, reasoning_effort: "medium" }),
    user: (text) => [{ role: "user", content: text }],
    answer: ({ message: { parsed: _, ...message } }) => [
      message.tool_calls ? { ...message, tool_calls: message.tool_calls.map(({ id, type, function: { name, arguments: args } }) => ({ id, type, function: { name, arguments: args } })) } : message,
    ],
    results: ({ message }) => message.tool_calls.map(({ id }, at) => ({ role: "tool", tool_call_id: id, content: RESULTS[at] })),
  },
  responses: {
    asks: (input) => ({ input, reasoning: { effort: "medium", summary: "auto" } }),
    user: (text) => [{ role: "user", content: text }],
    answer: ({ output }) => output.map(({ parsed_arguments: _, ...item }) => ({ ...item, ...(item.content ? { content: item.content.map(({ parsed: __, ...part }) => part) } : {}) })),
    results: ({ output }) => output.filter(({ type }) => type === "function_call").map(({ call_id }, at) => ({ type: "function_call_output", call_id, output: RESULTS[at] })),
  },
  anthropic: {
    asks: (messages) => ({ messages, thinking: { type: "enabled", budget_tokens: 2000 } }),
    user: (text) => [{ role: "user", content: text }],
    answer: ({ content }) => [{ role: "assistant", content }],
    results: ({ content }) => [{ role: "user", content: content.filter(({ type }) => type === "tool_use").map(({ id }, at) => ({ type: "tool_result", tool_use_id: id, content: RESULTS[at] })) }],
  },
};

for (const streamed of [false, true]) {
  for (const [dialect, form] of Object.entries(DIALECTS)) {
    test(`${dialect}: every turn by another protocol, ${streamed ? "streamed" : "whole"}`, async () => {
      const client = clients(worker.url).find((one) => one.dialect === dialect);
      const history = form.user(question(0));
      const before = up.requests.length;
      const refusals = up.refusals.length;
      let loops = 0;
      // What each turn's provider signed, by its request.
      const signed = [];
      for (const [at, [provider, model]] of TURNS.entries()) {
        const place = `turn ${at + 1}, by ${provider}`;
        const known = Object.fromEntries(Object.entries(up.issued).map(([name, all]) => [name, new Set(all)]));
        const answer = await client[streamed ? "stream" : "whole"](`${provider}/${model}~${dialect}`, { ...form.asks(history), tools: TOOLS }).catch((error) => {
          assert.fail(`${place}: ${error.message}\n${up.requests.at(-1)?.text}`);
        });
        const { text } = up.requests.at(-1);
        // Every result that there is has arrived, and no signature at anybody but who gave it.
        const finals = signed.filter(({ final }) => final).length;
        // An answer repeats the results that it is about.
        assert.equal(text.split("7 °C «ok»").length - 1, 2 * (loops + finals), `${place}: results`);
        for (let q = 0; q <= finals; q++) assert.ok(text.includes(question(q)), `${place}: question ${q}`);
        const speaker = up.requests.at(-1).protocol;
        for (const [name, all] of Object.entries(known)) {
          if (name !== speaker) for (const signature of all) assert.ok(!text.includes(signature), `${place}: a signature of ${name}'s`);
        }
        const calls = model.includes("~caller");
        assert.deepEqual(answer.calls, calls ? CALLS : [], place);
        if (!calls) assert.equal(answer.text, FINAL(RESULTS), place);
        // The OpenAI SDK's stream helper puts nothing together that it has no type for.
        if (calls && provider !== "mistral" && !(dialect === "chat" && streamed)) assert.equal(answer.reasoning.trim(), REASONING, `${place}: reasoning`);
        signed.push({ final: !calls, signatures: [...up.issued[speaker]].filter((one) => !known[speaker].has(one)) });
        // What the same provider signed in the request before, in the same loop, is back.
        if (!calls && TURNS[at - 1][0] === provider && provider !== "chat") {
          const { signatures } = signed[at - 1];
          assert.ok(signatures.length > 0, `${place}: the test's provider signed nothing`);
          for (const signature of signatures) assert.ok(text.includes(JSON.stringify(signature).slice(1, -1)), `${place}: its own signature did not come back`);
        }
        // The OpenAI SDK's stream helper keeps no entries of `reasoning_details`.
        if (provider === "gemini" && at > 0 && TURNS[at - 1][0] === provider && signed[at - 1].final && !(dialect === "chat" && streamed)) {
          const { signatures } = signed[at - 1];
          assert.ok(signatures.length > 0, `${place}: the test's provider signed nothing`);
          for (const signature of signatures) assert.ok(text.includes(JSON.stringify(signature)), `${place}: the signature of what it said did not come back`);
        }
        history.push(...form.answer(answer), ...(calls ? form.results(answer) : form.user(question(signed.filter(({ final }) => final).length))));
        if (calls) loops++;
      }
      assert.equal(up.requests.length - before, TURNS.length, "one request each, and none again");
      assert.deepEqual(up.refusals.slice(refusals), []);
    });
  }
}
