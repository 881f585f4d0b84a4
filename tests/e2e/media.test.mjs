// Documents and sound: by each SDK, to providers of every protocol, which refuse what they do not take (replay.mjs). The same table, without sockets, is
// tests/chat_dialect/media.rs. And what a model says aloud: as it came to a client of Chat Completions, its words to every other one.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";

import { clients } from "./clients.mjs";
import { start } from "./harness.mjs";
import { gateway, replay } from "./replay.mjs";
import { HELLO, SOUND, WORDS } from "./replay/turn.mjs";

const REAL = { chat: "gpt-4.1-mini", responses: "gpt-5-mini", anthropic: "claude-sonnet-4-5-20250929", gemini: "gemini-2.5-flash" };
const PROVIDERS = Object.keys(REAL);

const DATA = Buffer.from("%PDF-1.4\n% a page — or none\n").toString("base64");
const INLINE = `data:application/pdf;base64,${DATA}`;
const URL = "https://example.com/papers/a.pdf?v=2";
const WAV = Buffer.from("RIFF\u0000\u0000\u0000\u0000WAVE").toString("base64");

// Two that are passed over, each for its own reason, before one that hears.
const ROUTES = `
[routes.hears]
targets = ["anthropic/${REAL.anthropic}~agent~hears", "responses/${REAL.responses}~agent~hears", "gemini/${REAL.gemini}~agent~hears"]
unsupported = "next"
[routes.mute]
targets = ["anthropic/${REAL.anthropic}~agent~mute", "responses/${REAL.responses}~agent~mute"]
[routes.strict]
targets = ["anthropic/${REAL.anthropic}~agent~strict", "gemini/${REAL.gemini}~agent~strict"]
unsupported = "refuse"
[routes.deaf]
targets = ["anthropic/${REAL.anthropic}~agent~deaf"]
unsupported = "ignore"
`;

let up;
let worker;
let openai;
let anthropic;

before(async () => {
  up = await replay({ seed: 11 });
  worker = await start(gateway(up.base, ROUTES));
  openai = new OpenAI({ baseURL: `${worker.url}/v1`, apiKey: "any", maxRetries: 0 });
  anthropic = new Anthropic({ baseURL: worker.url, apiKey: "any", maxRetries: 0 });
});

after(async () => {
  await worker?.stop();
  await up?.stop();
});

// One part beside a text, as each dialect's SDK asks, and the text that is answered.
const ask = {
  chat: async (model, part) => (await openai.chat.completions.create({ model, messages: [{ role: "user", content: [part, { type: "text", text: "What is it?" }] }] })).choices[0].message.content,
  responses: async (model, part) => (await openai.responses.create({ model, store: false, input: [{ role: "user", content: [part, { type: "input_text", text: "What is it?" }] }] })).output_text,
  messages: async (model, part) => (await anthropic.messages.create({ model, max_tokens: 99, messages: [{ role: "user", content: [part, { type: "text", text: "What is it?" }] }] })).content.map(({ text }) => text).join(""),
};

// The part that a provider was sent.
const got = {
  chat: ({ messages: [{ content }] }) => content[0],
  responses: ({ input: [{ content }] }) => content[0],
  anthropic: ({ messages: [{ content }] }) => content[0],
  gemini: ({ contents: [{ parts }] }) => parts.find(({ text }) => text === undefined), // behind its name, where it has one
};

const REFUSED = Symbol("400 unsupported_parameter");
const base64 = { type: "base64", media_type: "application/pdf", data: DATA };
const inline = (name) => ({
  chat: { type: "file", file: { filename: name, file_data: INLINE } },
  responses: { type: "input_file", filename: name, file_data: INLINE },
  gemini: { inlineData: { mimeType: "application/pdf", data: DATA } },
});
const atUrl = {
  chat: REFUSED,
  responses: { type: "input_file", file_url: URL },
  anthropic: { type: "document", source: { type: "url", url: URL } },
  gemini: { fileData: { fileUri: URL, mimeType: "application/pdf" } },
};
const sound = (format) => ({ type: "input_audio", input_audio: { data: WAV, format } });
const heard = (format, mimeType) => ({ chat: sound(format), responses: REFUSED, anthropic: REFUSED, gemini: { inlineData: { mimeType, data: WAV } } });

const TABLE = [
  ["chat", "file_data", inline("a.pdf").chat, { ...inline("a.pdf"), anthropic: { type: "document", source: base64, title: "a.pdf" } }],
  ["responses", "file_data", inline("a.pdf").responses, { ...inline("a.pdf"), anthropic: { type: "document", source: base64, title: "a.pdf" } }],
  ["responses", "file_url", atUrl.responses, atUrl],
  ["messages", "base64", { type: "document", source: base64 }, { ...inline("document.pdf"), anthropic: { type: "document", source: base64 } }],
  ["messages", "url", atUrl.anthropic, atUrl],
  ["chat", "wav", sound("wav"), heard("wav", "audio/wav")],
  ["chat", "mp3", sound("mp3"), heard("mp3", "audio/mpeg")],
];

// What is refused by the gateway, in the form of the client's dialect.
async function refused(asking, param) {
  const error = await asking.then(() => assert.fail("an answer"), (failure) => failure);
  assert.equal(error.status, 400, `${error}`);
  const said = error.error?.error ?? error.error;
  if (error instanceof Anthropic.APIError) {
    assert.equal(said.type, "invalid_request_error");
    assert.ok(said.message.includes(param), said.message);
  } else {
    assert.deepEqual([said.code, said.param], ["unsupported_parameter", param]);
  }
  return error;
}

for (const [dialect, kind, part, expected] of TABLE) {
  for (const provider of PROVIDERS) {
    test(`${dialect} ${kind} to ${provider}`, async () => {
      const model = `${REAL[provider]}~agent~${dialect}-${kind}-${provider}`;
      if (expected[provider] === REFUSED) {
        await refused(ask[dialect](`${provider}/${model}`, part), provider === "chat" ? "messages[].content[]" : "messages[].content");
        assert.equal(up.of(model).length, 0, "nothing was sent");
        return;
      }
      assert.equal(await ask[dialect](`${provider}/${model}`, part), HELLO);
      const [{ body, refused: wrong }, ...more] = up.of(model);
      assert.deepEqual([wrong, more.length], [undefined, 0]);
      assert.deepEqual(got[provider](body), expected[provider]);
    });
  }
}

describe("sound that some targets do not hear", () => {
  const create = (model) => openai.chat.completions.create({ model, messages: [{ role: "user", content: [sound("wav")] }] }).withResponse();

  test("the one that hears is asked, and nobody before it was sent anything", async () => {
    const { data, response } = await create("hears");
    assert.equal(data.choices[0].message.content, HELLO);
    assert.match(response.headers.get("x-breakwater-trace"), /^anthropic\/\S+;unsupported;0ms, responses\/\S+;unsupported;0ms, gemini\/\S+;ok;\d+ms$/);
    assert.equal(response.headers.get("x-breakwater-ignored"), null);
    const asked = up.requests.filter(({ model }) => model?.endsWith("~hears"));
    assert.deepEqual(asked.map(({ protocol, body }) => [protocol, got.gemini(body)]), [["gemini", heard("wav", "audio/wav").gemini]]);
  });

  test("where nobody hears, it is refused by name", async () => {
    await refused(create("mute"), "messages[].content");
    await refused(create("strict"), "messages[].content");
    assert.equal(up.requests.filter(({ model }) => /~(mute|strict)$/.test(model)).length, 0);
  });

  test("a route that ignores says what it left out", async () => {
    const { data, response } = await openai.chat.completions.create({ model: "deaf", messages: [{ role: "user", content: [{ type: "text", text: "Hear this." }, sound("wav")] }] }).withResponse();
    assert.equal(data.choices[0].message.content, HELLO);
    assert.equal(response.headers.get("x-breakwater-ignored"), "messages[].content");
    assert.deepEqual(up.requests.find(({ model }) => model?.endsWith("~deaf")).body.messages, [{ role: "user", content: [{ type: "text", text: "Hear this." }] }]);
  });
});

describe("what a model says aloud", () => {
  const asking = { modalities: ["text", "audio"], audio: { voice: "alloy", format: "pcm16" }, messages: [{ role: "user", content: "Say it." }] };
  const speaker = (what) => `gpt-audio~speaker~${what}`;

  test("whole, to a client of Chat Completions, as it was", async () => {
    const model = speaker("whole");
    const completion = await openai.chat.completions.create({ model: `chat/${model}`, ...asking });
    const [{ said, body }] = up.of(model);
    assert.deepEqual([body.modalities, body.audio], [asking.modalities, asking.audio]);
    assert.deepEqual(completion.choices, said.choices);
    assert.deepEqual(Buffer.from(completion.choices[0].message.audio.data, "base64"), Buffer.concat(SOUND));
  });

  test("streamed, byte for byte, and to the SDK's own end", async () => {
    for (const usage of [undefined, { include_usage: true }]) {
      const model = speaker(`stream-${usage !== undefined}`);
      const body = JSON.stringify({ model: `chat/${model}`, stream: true, stream_options: usage, ...asking });
      const response = await fetch(`${worker.url}/v1/chat/completions`, { method: "POST", headers: { "content-type": "application/json" }, body });
      assert.equal(response.status, 200);
      const text = await response.text();
      const [{ said }] = up.of(model);
      // The usage that the gateway asks for itself is hidden from who did not.
      const frames = said.split("\n\n").filter((frame) => usage !== undefined || !frame.includes('"choices":[],'));
      assert.equal(text, frames.join("\n\n"));
    }
    const sdk = speaker("sdk");
    const running = openai.chat.completions.stream({ model: `chat/${sdk}`, ...asking });
    const heard = [];
    running.on("chunk", ({ choices }) => choices[0]?.delta.audio?.data && heard.push(Buffer.from(choices[0].delta.audio.data, "base64")));
    const { choices: [{ message, finish_reason: finish }] } = await running.finalChatCompletion();
    assert.deepEqual([message.audio.transcript, finish, message.audio.expires_at], [WORDS.join(""), "stop", 1700003600]);
    assert.deepEqual(Buffer.concat(heard), Buffer.concat(SOUND));
  });

  for (const name of ["openai (responses)", "@anthropic-ai/sdk"]) {
    test(`${name} is told the words, whole and streamed`, async () => {
      const client = clients(worker.url).find((one) => one.name === name);
      for (const way of ["whole", "stream"]) {
        const { text, calls, finish } = await client[way](`chat/${speaker(`${name.replace(/\W+/g, "-")}-${way}`)}`);
        assert.deepEqual([text, calls], [WORDS.join(""), []], way);
        assert.ok(["completed", "end_turn"].includes(finish), `${finish}`);
      }
    });
  }

  test("what was said by an id alone is not sent to who does not have it", async () => {
    const messages = [{ role: "user", content: "Say it." }, { role: "assistant", audio: { id: "audio_100" } }, { role: "user", content: "Again." }];
    const kept = `gpt-audio~agent~kept`;
    assert.equal((await openai.chat.completions.create({ model: `chat/${kept}`, messages })).choices[0].message.content, HELLO);
    assert.deepEqual(up.of(kept)[0].body.messages, messages);
    for (const provider of ["responses", "anthropic", "gemini"]) {
      await refused(openai.chat.completions.create({ model: `${provider}/${REAL[provider]}~agent~kept`, messages }), "messages[].audio");
    }
  });
});
