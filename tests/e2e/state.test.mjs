// What lives at a provider: stored responses, references to their items, and the AI SDK's default way with them; and the smaller endpoints.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { createOpenAI } from "@ai-sdk/openai";
import { generateText, isStepCount, jsonSchema, streamText, tool } from "ai";
import OpenAI from "openai";

import { clients, PROMPT, TOOLS } from "./clients.mjs";
import { eventually, start } from "./harness.mjs";
import { gateway, replay } from "./replay.mjs";
import { HELLO } from "./replay/turn.mjs";

let up;
let worker;
let openai;

before(async () => {
  up = await replay({ seed: 4 });
  worker = await start(gateway(up.base, `
[routes.held]
targets = ["responses/gpt-5-mini~agent~held", "anthropic/claude-sonnet-4-5~agent~held"]
[routes.sealed]
targets = ["anthropic/claude-sonnet-4-5~agent~sealed", "responses/gpt-5-mini~agent~sealed"]
[routes.unsealed]
extends = "sealed"
unsupported = "ignore"
`));
  openai = new OpenAI({ baseURL: `${worker.url}/v1`, apiKey: "any", maxRetries: 0 });
});

after(async () => {
  await worker?.stop();
  await up?.stop();
});

const fails = (promise) => promise.then(() => assert.fail("an answer"), (error) => error);

test("a stored response is continued, read, cancelled and deleted where it lives, by an id that is not the provider's", async () => {
  const first = await openai.responses.create({ model: "responses/agent~stored", input: PROMPT });
  assert.equal(first.output_text, HELLO);
  assert.equal(first.store, true);
  const own = [...up.world.responses.keys()].at(-1);
  assert.notEqual(first.id, own);
  assert.ok(!first.id.includes(own));
  const second = await openai.responses.create({ model: "responses/agent~stored", input: "And then?", previous_response_id: first.id });
  assert.equal(up.of("agent~stored").at(-1).body.previous_response_id, own, "the provider gets its own id back");
  assert.equal(second.previous_response_id ?? first.id, first.id, "and the client the one that it knows");
  assert.equal((await openai.responses.retrieve(first.id)).output_text, HELLO);
  assert.equal((await openai.responses.retrieve(first.id)).id, first.id);
  assert.equal((await openai.responses.cancel(first.id)).status, "cancelled");
  await openai.responses.delete(first.id);
  assert.equal(up.world.responses.has(own), false);
  const gone = await fails(openai.responses.retrieve(first.id));
  assert.equal(gone.status, 404);
});

test("a streamed response is stored and continued alike", async () => {
  let id;
  for await (const event of await openai.responses.create({ model: "responses/agent~kept", input: PROMPT, stream: true })) {
    if (event.type === "response.created") id = event.response.id;
    if (event.type === "response.completed") assert.equal(event.response.id, id, "one id from the beginning to the end");
  }
  const second = await openai.responses.create({ model: "responses/agent~kept", input: "And then?", previous_response_id: id });
  assert.equal(second.output_text, HELLO);
});

test("a stream that was left is followed from where it was, under the same ids", async () => {
  const known = [];
  for await (const event of await openai.responses.create({ model: "responses/agent~followed", input: PROMPT, stream: true, background: true })) {
    known.push(event);
    if (known.length === 3) break;
  }
  const [{ response }] = known;
  const own = [...up.world.responses.keys()].at(-1);
  const rest = [];
  for await (const event of await openai.responses.retrieve(response.id, { stream: true, starting_after: 2, include: ["reasoning.encrypted_content"] })) rest.push(event);
  assert.deepEqual(rest.map(({ sequence_number: number }) => number), rest.map((_, at) => at + 3), "nothing twice, and nothing left out");
  assert.deepEqual([rest.at(-1).type, rest.at(-1).response.id, rest.at(-1).response.output_text ?? HELLO], ["response.completed", response.id, HELLO]);
  assert.equal(rest.find(({ type }) => type === "response.output_text.delta").item_id, known[2].item.id, "an item is the same in both");
  assert.ok(!JSON.stringify(rest).includes(`"${own}"`));
  const asked = up.requests.at(-1);
  assert.deepEqual([asked.method, asked.path, new URLSearchParams(asked.query).get("starting_after")], ["GET", `/openai/v1/responses/${own}`, "2"]);
  const gone = await fails(openai.responses.retrieve("resp_100", { stream: true }));
  assert.equal(gone.status, 404);
});

test("what a provider gives whole, though a stream was asked for, is told as one, and is kept under the ids that were told", async () => {
  const stream = openai.responses.stream({ model: "responses/agent~whole~told", input: PROMPT });
  const types = [];
  stream.on("event", ({ type }) => types.push(type));
  const answer = await stream.finalResponse();
  assert.equal(answer.output_text, HELLO);
  assert.deepEqual([types[0], types.at(-1)], ["response.created", "response.completed"]);
  const own = [...up.world.responses.keys()].at(-1);
  assert.equal((await openai.responses.retrieve(answer.id)).id, answer.id);
  assert.equal(up.requests.at(-1).path, `/openai/v1/responses/${own}`);
  await openai.responses.create({ model: "responses/agent~whole~told", input: "And then?", previous_response_id: answer.id });
  assert.equal(up.requests.at(-1).body.previous_response_id, own);
  await openai.responses.create({ model: "responses/agent~whole~told", input: [{ type: "item_reference", id: answer.output[0].id }, { role: "user", content: "And then?" }] });
  assert.deepEqual(up.requests.at(-1).refused, undefined);
});

test("what a provider encrypted goes on with it, and is left out for others where the route says so", async () => {
  const asks = { store: false, include: ["reasoning.encrypted_content"], reasoning: { effort: "low", summary: "auto" } };
  for (const stream of [false, true]) {
    const first = await openai.responses.stream({ model: "responses/gpt-5-mini~agent~sealed", input: PROMPT, ...asks }).finalResponse();
    const encrypted = first.output.find(({ type }) => type === "reasoning").encrypted_content;
    assert.ok(encrypted.startsWith("gAAAAAB"));
    const input = [{ role: "user", content: PROMPT }, ...first.output.map(({ parsed: _, ...item }) => item), { role: "user", content: "And then?" }];
    for (const [model, protocol, ignored] of [["sealed", "responses", false], ["unsealed", "anthropic", true]]) {
      const before = up.requests.length;
      const { data, response } = await openai.responses.create({ model, input, stream, ...asks }).withResponse();
      if (stream) for await (const event of data) assert.notEqual(event.type, "error", JSON.stringify(event));
      const requests = up.requests.slice(before);
      assert.deepEqual(requests.map((one) => [one.protocol, one.refused, one.text.includes(encrypted)]), [[protocol, undefined, protocol === "responses"]], model);
      const left = response.headers.get("x-breakwater-ignored")?.split(", ") ?? [];
      assert.equal(left.includes("input[].encrypted_content"), ignored, `${left}`);
    }
  }
});

test("an id that this gateway did not make is refused, and asks nobody", async () => {
  const before = up.requests.length;
  for (const id of ["resp_100", "resp_bound_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]) {
    const error = await fails(openai.responses.create({ model: "responses/agent", input: "x", previous_response_id: id }));
    assert.ok([400, 404].includes(error.status), `${id}: ${error.status}`);
    assert.equal((await fails(openai.responses.retrieve(id))).status, 404);
  }
  assert.equal(up.requests.length, before);
});

test("what cannot be said to a translated target is refused by name, and `store` is answered false", async () => {
  for (const provider of ["anthropic", "gemini", "chat"]) {
    const answer = await openai.responses.create({ model: `${provider}/agent`, input: PROMPT, store: true });
    assert.equal(answer.store, false, provider);
    for (const [param, value] of Object.entries({ background: true, conversation: "conv_1", prompt: { id: "pmpt_1" } })) {
      const error = await fails(openai.responses.create({ model: `${provider}/agent`, input: PROMPT, [param]: value }));
      assert.ok(error instanceof OpenAI.BadRequestError, `${provider}, ${param}: ${error}`);
      assert.deepEqual([error.code, error.param], ["unsupported_parameter", param], provider);
    }
  }
});

test("a conversation that is bound to one target is not given to the next", async () => {
  const first = await openai.responses.create({ model: "held", input: PROMPT });
  const before = up.requests.length;
  const second = await openai.responses.create({ model: "held", input: "And then?", previous_response_id: first.id });
  assert.equal(second.output_text, HELLO);
  assert.deepEqual(up.requests.slice(before).map(({ protocol }) => protocol), ["responses"]);
});

// The AI SDK stores by default and, from the second step on, refers to what was stored.
for (const provider of ["responses", "anthropic", "gemini", "chat", "mistral"]) {
  test(`ai + @ai-sdk/openai as it is by default: reasoning and two steps of tools on ${provider}`, async () => {
    const model = createOpenAI({ baseURL: `${worker.url}/v1`, apiKey: "any" });
    const real = { responses: "gpt-5-mini", anthropic: "claude-sonnet-4-5", gemini: "gemini-3-pro-preview", chat: "gpt-4.1-mini", mistral: "mistral-large-latest" }[provider];
    const execute = async ({ city }) => `7 °C in ${city}`;
    const tools = Object.fromEntries(TOOLS.map((name) => [name, tool({ description: name, inputSchema: jsonSchema({ type: "object", properties: { city: { type: "string" } }, required: ["city"] }), execute })]));
    const options = (what) => ({
      // The SDK must know it as a model that reasons.
      model: model(`${provider}/${real}~agent~${what}`), prompt: PROMPT, tools, stopWhen: isStepCount(4), maxRetries: 0,
      providerOptions: { openai: { forceReasoning: true, reasoningEffort: "low", reasoningSummary: "auto" } },
    });
    const whole = await generateText(options("default-whole"));
    assert.equal(whole.text, "The results are: 7 °C in Oslo | 7 °C in Oslo");
    assert.equal(whole.steps.length, 2);
    const streamed = streamText({ ...options("default-stream"), onError: () => {} });
    await streamed.consumeStream();
    assert.equal(await streamed.text, "The results are: 7 °C in Oslo | 7 °C in Oslo");
    for (const what of ["default-whole", "default-stream"]) {
      const requests = up.of(`${real}~agent~${what}`);
      assert.deepEqual(requests.map(({ refused }) => refused), [undefined, undefined]);
      if (provider === "responses") assert.ok(requests[1].body.input.some(({ type }) => type === "item_reference"), "the SDK refers to what is stored");
    }
  });
}

test("tokens are counted where the provider can", async () => {
  const { client } = clients(worker.url).find(({ dialect }) => dialect === "anthropic");
  const ask = (model) => client.messages.countTokens({ model, messages: [{ role: "user", content: PROMPT }], system: "Be short." });
  assert.equal((await ask("anthropic/claude-sonnet-4-5~count")).input_tokens, 42);
  assert.equal(up.requests.at(-1).path, "/anthropic/v1/messages/count_tokens");
  assert.equal((await ask("gemini/gemini-2.5-flash~count")).input_tokens, 42);
  assert.equal(up.requests.at(-1).path.endsWith(":countTokens"), true);
  const error = await fails(ask("chat/agent~count"));
  assert.ok([400, 404, 501].includes(error.status), `${error}`);
});

test("completions, as they were before chat", async () => {
  for (const provider of ["chat", "anthropic", "gemini", "responses", "mistral"]) {
    const answer = await openai.completions.create({ model: `${provider}/agent~old`, prompt: PROMPT });
    assert.deepEqual([answer.object, answer.choices[0].text, answer.choices[0].finish_reason], ["text_completion", HELLO, "stop"], provider);
    let text = "";
    for await (const { choices } of await openai.completions.create({ model: `${provider}/agent~old`, prompt: PROMPT, stream: true })) text += choices[0]?.text ?? "";
    assert.equal(text, HELLO, provider);
  }
});

test("a stream that breaks off is an error of each SDK's, and never looks complete", async () => {
  // The connection is closed from the provider's side, in the middle of its stream.
  for (const client of clients(worker.url)) {
    for (const provider of ["chat", "responses", "anthropic", "gemini"]) {
      const own = `forever~broken-${client.name.replace(/\W+/g, "-")}-${provider}`;
      const running = client.stream(`${provider}/${own}`).then((answer) => assert.fail(`${client.name}, ${provider}: ${JSON.stringify(answer)}`), (error) => error);
      await eventually(() => up.of(own).length === 1);
      await new Promise((resolve) => setTimeout(resolve, 60));
      up.breakOff(own);
      const error = await running;
      assert.notEqual(error.code, "ERR_ASSERTION", error.message);
    }
  }
});
