// The same real model, spoken to in three protocols: llama.cpp's server speaks Chat Completions, Responses and Messages. Whatever a client speaks, and
// whatever its target does, the model says the same words.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { start } from "../harness.mjs";
import { serve } from "./server.mjs";

const PROTOCOLS = { chat: "openai", responses: "responses", messages: "anthropic" };

let model;
let worker;

before(async () => {
  model = await serve();
  const providers = Object.entries(PROTOCOLS).map(([name, protocol]) => `[providers.${name}]\nprotocol = "${protocol}"\nbase_url = "${model.url}/v1"\n`);
  worker = await start({ config: `[defaults]\nfirst_token = "60s"\nstall = "60s"\n${providers.join("")}` });
});

after(async () => {
  await worker?.stop();
  await model?.stop();
});

const QUESTION = "What is the capital of France?";
const MESSAGES = [{ role: "user", content: QUESTION }];
const data = (text) => text.split("\n").filter((line) => line.startsWith("data: ") && !line.endsWith("[DONE]")).map((line) => JSON.parse(line.slice(6)));

// How each dialect asks, and where its text is.
const CLIENTS = {
  "/v1/chat/completions": {
    body: { messages: MESSAGES, max_tokens: 24 },
    whole: (answer) => answer.choices[0].message.content,
    piece: (event) => event.choices?.[0]?.delta?.content,
  },
  "/v1/responses": {
    body: { input: QUESTION, max_output_tokens: 24, store: false },
    whole: (answer) => answer.output.flatMap((item) => item.content ?? []).map((part) => part.text ?? "").join(""),
    piece: (event) => (event.type === "response.output_text.delta" ? event.delta : undefined),
  },
  "/v1/messages": {
    body: { messages: MESSAGES, max_tokens: 24 },
    whole: (answer) => answer.content.map((block) => block.text ?? "").join(""),
    piece: (event) => event.delta?.text,
  },
};

async function ask(path, model, stream) {
  const body = JSON.stringify({ model, temperature: 0, stream, ...CLIENTS[path].body });
  const response = await fetch(worker.url + path, { method: "POST", headers: { "content-type": "application/json" }, body });
  const text = await response.text();
  assert.equal(response.status, 200, `${path} ${model}: ${text}`);
  return stream ? data(text).map(CLIENTS[path].piece).filter((piece) => piece !== undefined).join("") : CLIENTS[path].whole(JSON.parse(text));
}

test("a real model says the same to clients of every dialect, by every protocol", async () => {
  const direct = await fetch(`${model.url}/v1/chat/completions`, { method: "POST", body: JSON.stringify({ model: "smollm2", messages: MESSAGES, temperature: 0, max_tokens: 24 }) });
  const expected = (await direct.json()).choices[0].message.content;
  assert.ok(expected.length > 10, expected);
  for (const path of Object.keys(CLIENTS)) {
    for (const provider of Object.keys(PROTOCOLS)) {
      for (const stream of [false, true]) {
        assert.equal(await ask(path, `${provider}/smollm2`, stream), expected, `${path} by ${provider}, ${stream ? "streamed" : "whole"}`);
      }
    }
  }
});
