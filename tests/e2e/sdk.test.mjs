// The official OpenAI SDK and the AI SDK's OpenAI-compatible provider, pointed at the gateway.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, streamText } from "ai";
import OpenAI from "openai";

import { eventually, start } from "./harness.mjs";
import { provider, upstream } from "./upstream.mjs";

let up;
let worker;
let openai;

before(async () => {
  up = await upstream();
  worker = await start({
    config: `[defaults]\nstall = "500ms"\n${provider("a", up.base)}
[routes.agent]
targets = ["a/s500~agent", "a/well~agent"]
[routes.tools]
targets = ["a/tools"]
[routes.limited]
targets = ["a/s429~limited"]
[routes.exhausted]
targets = ["a/s500~exhausted"]
[routes.cut]
targets = ["a/rst~cut"]
[routes.stalls]
targets = ["a/stall~stalls"]
`,
  });
  openai = new OpenAI({ baseURL: `${worker.url}/v1`, apiKey: "any" });
});

after(async () => {
  await worker?.stop();
  await up?.stop();
});

const messages = [{ role: "user", content: "Hello" }];

test("openai: an answer, after a target failed", async () => {
  const { data, response } = await openai.chat.completions.create({ model: "agent", messages }).withResponse();
  assert.equal(data.choices[0].message.content, "Hello from the upstream");
  assert.equal(response.headers.get("x-breakwater-target"), "a/well~agent");
  assert.ok(data._request_id);
});

test("openai: a stream, with usage", async () => {
  const stream = await openai.chat.completions.create({ model: "agent", messages, stream: true, stream_options: { include_usage: true } });
  let text = "";
  let usage;
  let finish;
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta?.content ?? "";
    finish ??= chunk.choices[0]?.finish_reason ?? undefined;
    usage ??= chunk.usage ?? undefined;
  }
  assert.deepEqual([text, finish, usage?.total_tokens], ["Hello from the upstream", "stop", 5]);
});

test("openai: its stream helper puts the answer together", async () => {
  const completion = await openai.chat.completions.stream({ model: "agent", messages }).finalChatCompletion();
  assert.equal(completion.choices[0].message.content, "Hello from the upstream");
});

test("openai: tool calls", async () => {
  const tools = [{ type: "function", function: { name: "weather", parameters: { type: "object", properties: { city: { type: "string" } } } } }];
  const completion = await openai.chat.completions.create({ model: "tools", messages, tools });
  assert.equal(completion.choices[0].message.tool_calls[0].function.arguments, '{"city":"Oslo"}');
});

test("openai: models", async () => {
  const ids = [];
  for await (const model of openai.models.list()) ids.push(model.id);
  assert.ok(ids.includes("agent"), ids.join());
  assert.equal((await openai.models.retrieve("agent")).id, "agent");
});

test("openai: errors are its own classes, and its retries do not multiply ours", async () => {
  const fails = (model) => openai.chat.completions.create({ model, messages }).then(() => assert.fail("an answer"), (error) => error);
  const unknown = await fails("nothing");
  assert.ok(unknown instanceof OpenAI.NotFoundError);
  assert.equal(unknown.code, "model_not_found");
  const exhausted = await fails("exhausted");
  assert.ok(exhausted instanceof OpenAI.InternalServerError);
  assert.deepEqual([exhausted.status, exhausted.code], [502, "upstream_failed"]);
  assert.equal(up.callsOf("s500~exhausted").length, 1, "502 says x-should-retry: false");
  const impatient = new OpenAI({ baseURL: `${worker.url}/v1`, apiKey: "any", maxRetries: 0 });
  const limited = await impatient.chat.completions.create({ model: "limited", messages }).catch((error) => error);
  assert.ok(limited instanceof OpenAI.RateLimitError);
  assert.equal(limited.headers.get("retry-after"), "7");
});

test("openai: a stream that is cut, or goes silent, is an error and never looks complete", async () => {
  for (const model of ["cut", "stalls"]) {
    let text = "";
    let finish;
    await assert.rejects(async () => {
      for await (const chunk of await openai.chat.completions.create({ model, messages, stream: true })) {
        text += chunk.choices[0]?.delta?.content ?? "";
        finish ??= chunk.choices[0]?.finish_reason ?? undefined;
      }
    }, OpenAI.APIError);
    assert.deepEqual([text, finish], ["one two three", undefined], model);
  }
});

test("openai: a client that breaks off its stream ends the upstream's", async () => {
  const stream = await openai.chat.completions.create({ model: "a/forever~sdk", messages, stream: true });
  for await (const chunk of stream) if (chunk.choices[0]?.delta?.content === "x") break;
  await eventually(() => up.openOf("forever~sdk") === 0);
});

test("AI SDK: text, and a stream", async () => {
  const model = createOpenAICompatible({ name: "breakwater", baseURL: `${worker.url}/v1`, apiKey: "any" })("agent");
  assert.equal((await generateText({ model, prompt: "Hello" })).text, "Hello from the upstream");
  const pieces = [];
  const streamed = streamText({ model, prompt: "Hello" });
  for await (const piece of streamed.textStream) pieces.push(piece);
  assert.equal(pieces.join(""), "Hello from the upstream");
  assert.equal(await streamed.finishReason, "stop");
});

test("AI SDK: a stream that is cut is an error", async () => {
  const model = createOpenAICompatible({ name: "breakwater", baseURL: `${worker.url}/v1`, apiKey: "any" })("cut");
  const errors = [];
  const streamed = streamText({ model, prompt: "Hello", maxRetries: 0, onError: ({ error }) => errors.push(error) });
  for await (const part of streamed.fullStream) if (part.type === "error") errors.push(part.error);
  assert.ok(errors.length > 0);
});
