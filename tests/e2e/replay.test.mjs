// That the replaying providers refuse what the real ones refuse: what the other tests take for granted. Nothing of the gateway is in here.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { signatures } from "./replay/anthropic.mjs";
import { KEYS, replay } from "./replay.mjs";
import { REASONING } from "./replay/turn.mjs";

let up;

before(async () => (up = await replay({ seed: 5 })));
after(() => up?.stop());

const CREDENTIALS = {
  openai: { authorization: `Bearer ${KEYS.openai}` },
  mistral: { authorization: `Bearer ${KEYS.mistral}` },
  anthropic: { "x-api-key": KEYS.anthropic, "anthropic-version": "2023-06-01" },
  gemini: { "x-goog-api-key": KEYS.gemini },
};
const PATHS = {
  chat: "/openai/v1/chat/completions",
  mistral: "/mistral/v1/chat/completions",
  responses: "/openai/v1/responses",
  anthropic: "/anthropic/v1/messages",
  gemini: "/gemini/v1beta/models/gemini-3-pro-preview~agent:generateContent",
};

async function ask(protocol, body, headers = CREDENTIALS[PATHS[protocol].split("/")[1]]) {
  const response = await fetch(up.base + PATHS[protocol], { method: "POST", headers: { "content-type": "application/json", ...headers }, body: JSON.stringify({ ...(protocol === "gemini" ? {} : { model: "agent" }), ...body }) });
  return { status: response.status, text: await response.text() };
}

const user = (content) => ({ role: "user", content });
const assistant = (...content) => ({ role: "assistant", content });
const USE = { type: "tool_use", id: "toolu_1", name: "f", input: {} };
const USED = { type: "tool_result", tool_use_id: "toolu_1", content: "ok" };
const claude = (...messages) => ({ max_tokens: 4096, messages });
const thinks = { thinking: { type: "enabled", budget_tokens: 1024 } };
const call = (id) => ({ role: "assistant", content: null, tool_calls: [{ id, type: "function", function: { name: "f", arguments: "{}" } }] });
const result = (id) => ({ role: "tool", tool_call_id: id, content: "ok" });
const turn = (role, ...parts) => ({ role, parts });
const CALL = { functionCall: { name: "f", args: {} }, thoughtSignature: "skip_thought_signature_validator" };
const RESPONSE = { functionResponse: { name: "f", response: { output: "ok" } } };
const file = (file) => [{ type: "file", file }];
const sound = (input_audio) => [{ type: "input_audio", input_audio }];
const document = (source) => [{ type: "document", source }];
const item = (type, more) => ({ type, ...more });

// What is wrong, and what is said of it.
const WRONG = {
  anthropic: [
    [{ messages: [user("x")] }, /max_tokens: Field required/],
    [{ ...claude(user("x")), n: 1 }, /n: Extra inputs are not permitted/],
    [claude(assistant({ type: "text", text: "x" }), user("y")), /first message must use the \\"user\\" role/],
    [claude(user("x"), { role: "tool", content: "y" }), /Input should be 'user' or 'assistant'/],
    [claude(user([{ type: "text", text: "" }])), /text content blocks must be non-empty/],
    [claude(user([{ type: "text", text: "x", index: 0 }])), /text.index: Extra inputs are not permitted/],
    [claude(user("x"), assistant(USE), user("y")), /without `tool_result` blocks immediately after: toolu_1/],
    [claude(user("x"), assistant(USE), user([{ type: "text", text: "first" }, USED])), /without `tool_result` blocks immediately after/],
    [claude(user([USED])), /unexpected `tool_use_id`/],
    [claude(user("x"), assistant({ ...USE, id: "call:1" }), user([{ ...USED, tool_use_id: "call:1" }])), /should match pattern/],
    [claude(user("x"), assistant({ type: "thinking", thinking: "t", signature: "made up" }), user("y")), /Invalid `signature`/],
    [{ ...claude(user("x"), assistant(USE), user([USED])), ...thinks }, /Expected `thinking`/],
    [{ ...claude(user("x")), ...thinks, temperature: 0.5 }, /may only be set to 1/],
    [{ ...claude(user("x")), ...thinks, max_tokens: 1024 }, /must be greater than `thinking.budget_tokens`/],
    [{ ...claude(user("x")), tools: [{ name: "f", input_schema: {} }] }, /input_schema.type: Field required/],
    [claude(user(document({ type: "base64", media_type: "audio/wav", data: "AAAA" }))), /Input should be 'application\/pdf'/],
    [claude(user(document({ type: "base64", media_type: "application/pdf", data: "data:application/pdf;base64,AAAA" }))), /must be valid base64/],
    [claude(user(document({ type: "url", url: "data:application/pdf;base64,AAAA" }))), /Only HTTPS URLs/],
    [claude(user(sound({ data: "AAAA", format: "wav" }))), /Input tag 'input_audio'/],
  ],
  gemini: [
    [{ contents: [turn("user", { text: "x" })], max_tokens: 1 }, /Unknown name \\"max_tokens\\": Cannot find field/],
    [{ contents: [turn("assistant", { text: "x" })] }, /valid role/],
    [{ contents: [turn("user", { inlineData: { mimeType: "audio/wav", data: "data:audio/wav;base64,AAAA" } })] }, /Base64 decoding failed/],
    [{ contents: [turn("user", { inlineData: { data: "AAAA" } })] }, /Base64 decoding failed/],
    [{ contents: [turn("user", { fileData: { fileUri: "file-1" } })] }, /unsupported file uri/],
    [{ contents: [turn("user", { text: "x", type: "text" })] }, /Unknown name \\"type\\" at 'contents\[0\].parts\[0\]'/],
    [{ contents: [turn("user")] }, /must not be empty/],
    [{ contents: [turn("user", { text: "x" }), turn("model", CALL, CALL), turn("user", RESPONSE)] }, /number of function response parts/],
    [{ contents: [turn("user", { text: "x" }), turn("model", CALL), turn("user", { functionResponse: { name: "g", response: {} } })] }, /of the functions called/],
    [{ contents: [turn("user", { text: "x" }), turn("model", CALL), turn("model", { text: "y" })] }, /number of function response parts/],
    [{ contents: [turn("user", { text: "x" }), turn("model", { functionCall: CALL.functionCall }), turn("user", RESPONSE)] }, /missing a thought_signature/],
    [{ contents: [turn("user", { text: "x" }), turn("model", { ...CALL, thoughtSignature: "made up" }), turn("user", RESPONSE)] }, /Corrupted thought signature/],
    [{ contents: [turn("user", { text: "x" })], tools: [{ functionDeclarations: [{ name: "f", parameters: { type: "object", additionalProperties: false } }] }] }, /Unknown name \\"additionalProperties\\"/],
    [{ contents: [turn("user", { text: "x" })], tools: [{ functionDeclarations: [{ name: "f", parameters: { type: ["string", "null"] } }] }] }, /not repeating/],
  ],
  chat: [
    [{ messages: [user("x")], top_k: 1 }, /Unrecognized request argument supplied: top_k/],
    [{ messages: [user(sound({ data: "AAAA", format: "audio/wav" }))] }, /Supported values are: 'wav' and 'mp3'/],
    [{ messages: [user(sound({ data: "data:audio/wav;base64,AAAA", format: "wav" }))] }, /expected base64-encoded audio/],
    [{ messages: [user(file({ filename: "a.pdf", file_data: "https://example.com/a.pdf" }))] }, /Expected a base64-encoded data URL/],
    [{ messages: [user(file({ file_data: "data:application/pdf;base64,AAAA" }))] }, /Missing required parameter/],
    [{ messages: [user("x")], modalities: ["text", "audio"] }, /Missing required parameter: 'audio'/],
    [{ messages: [user("x")], stream: true, modalities: ["text", "audio"], audio: { voice: "alloy", format: "wav" } }, /Supported values are: 'pcm16'/],
    [{ messages: [user("x"), result("call_1")] }, /must be a response to a preceeding message/],
    [{ messages: [user("x"), call("call_1"), user("y")] }, /did not have response messages: call_1/],
    [{ messages: [user("x"), call("c".repeat(41)), result("c".repeat(41))] }, /maximum length 40/],
    [{ messages: [{ ...user("x"), cache_control: {} }] }, /Unknown parameter: 'messages\[0\].cache_control'/],
    [{ messages: [user("x")], stream_options: {} }, /only allowed when 'stream' is enabled/],
    [{ model: "gpt-5.4~agent", messages: [user("x")], tools: [{ type: "function", function: { name: "f" } }], reasoning_effort: "low" }, /Function tools with reasoning_effort/],
    [{ model: "gpt-5.6~agent", messages: [user("x")], tools: [{ type: "function", function: { name: "f" } }] }, /Function tools with reasoning_effort/],
  ],
  mistral: [
    [{ messages: [user("x"), call("call_1"), result("call_1")] }, /length of 9/],
    [{ messages: [user("x"), call("abcDEF123"), result("abcDEF123"), user("y")] }, /Unexpected role 'user' after role 'tool'/],
    [{ messages: [user("x")], seed: 1 }, /extra_forbidden/],
  ],
  responses: [
    [{ input: "x", max_tokens: 1 }, /Unknown parameter: 'max_tokens'/],
    [{ input: [user(sound({ data: "AAAA", format: "wav" }))] }, /Invalid value: 'input_audio'/],
    [{ input: [user([item("input_file", { file_data: "data:application/pdf;base64,AAAA" })])] }, /Missing required parameter: 'input\[0\].content\[0\].filename'/],
    [{ input: [user([item("input_file", { filename: "a.pdf", file_data: "AAAA" })])] }, /Expected a base64-encoded data URL/],
    [{ input: [user([item("input_file", { file_url: "https://e.com/a.pdf", file_id: "file-1" })])] }, /Mutually exclusive/],
    [{ input: [item("function_call_output", { call_id: "call_1", output: "" })] }, /No tool call found for function call output with call_id call_1/],
    [{ input: [item("function_call", { call_id: "call_1", name: "f", arguments: "{}" })] }, /No tool output found for function call call_1/],
    [{ input: [item("reasoning", { id: "rs_1", summary: [], encrypted_content: "made up" }), { role: "assistant", content: "x" }] }, /could not be verified/],
    [{ input: [item("reasoning", { id: "rs_1", summary: [] }), { role: "assistant", content: "x" }] }, /not persisted when `store` is set to false/],
    [{ input: [item("item_reference", { id: "msg_1" })] }, /Item with id 'msg_1' not found/],
    [{ input: "x", previous_response_id: "resp_1" }, /Previous response with id 'resp_1' not found/],
    [{ input: [item("message", { id: "resp_1", role: "assistant", content: "x" })] }, /begins with 'msg'/],
    [{ input: [{ role: "user", content: [{ type: "text", text: "x" }] }] }, /Invalid value: 'text'/],
  ],
};

const FINE = {
  anthropic: { ...claude(user("x"), assistant(USE), user([USED, { type: "text", text: "y" }])) },
  gemini: { contents: [turn("user", { text: "x" }), turn("model", CALL), turn("user", RESPONSE)] },
  chat: { messages: [user("x"), call("call_1"), result("call_1")] },
  mistral: { messages: [user("x"), call("abcDEF123"), result("abcDEF123")] },
  responses: { input: [user("x"), item("function_call", { call_id: "call_1", name: "f", arguments: "{}" }), item("function_call_output", { call_id: "call_1", output: "ok" })] },
};

for (const [protocol, rows] of Object.entries(WRONG)) {
  test(`${protocol}: takes what is right, refuses what is wrong and who is not known`, async () => {
    assert.equal((await ask(protocol, FINE[protocol])).status, 200);
    for (const [body, said] of rows) {
      const { status, text } = await ask(protocol, body);
      assert.ok([400, 404, 422].includes(status), `${status}: ${JSON.stringify(body)}`);
      assert.match(text, said);
    }
    assert.ok([400, 401].includes((await ask(protocol, FINE[protocol], {})).status));
  });
}

test("what it sends is cut within characters, and is whole at the end", async () => {
  const response = await fetch(up.base + PATHS.chat, { method: "POST", headers: CREDENTIALS.openai, body: JSON.stringify({ model: "agent", stream: true, messages: [user("x")] }) });
  const pieces = [];
  for await (const piece of response.body) pieces.push(piece);
  assert.ok(pieces.length > 5, `${pieces.length} reads`);
  assert.match(Buffer.concat(pieces).toString(), /\[DONE\]\n\n$/);
});

for (const stream of [false, true]) {
  test(`anthropic: knows what it signed, ${stream ? "streamed" : "whole"}`, async () => {
    const { text } = await ask("anthropic", { ...claude(user("x")), ...thinks, stream });
    const [signature] = signatures(text);
    assert.ok(signature);
    const back = async (...blocks) => {
      const { status, text } = await ask("anthropic", claude(user("x"), assistant(...blocks, { type: "text", text: "t" }), user("y")));
      return `${status} ${text}`;
    };
    assert.match(await back({ type: "thinking", thinking: REASONING, signature }), /^200 /);
    for (const thinking of ["", `${REASONING} `, REASONING.slice(1)]) assert.match(await back({ type: "thinking", thinking, signature }), /^400 .*cannot be modified/);
    assert.match(await back({ type: "redacted_thinking", data: signature }), /^400 .*cannot be modified/);
  });
}
