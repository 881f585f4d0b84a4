// Real answers of real providers, from ../shared/recorded, by name: "rec.anthropic.<file>" is an exchange, "fix.openai.<file>" a fixture of the AI
// SDK's. Where the folder is missing there are none, and the tests that need them say so.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../../shared/recorded/", import.meta.url));

// Fixtures that are not what a provider sends: their lines are no JSON.
export const BROKEN = [];

export const missing = existsSync(ROOT) ? undefined : "../shared/recorded is not there";

// Where an answer of these paths was made.
const PATHS = [
  [/\/messages$/, "anthropic"],
  [/:(stream)?[gG]enerateContent$/, "gemini"],
  [/\/chat\/completions$/, "chat"],
  [/\/responses$/, "responses"],
];

// A fixture's protocol, by where it lies.
const FIXTURES = [
  ["anthropic/src", "anthropic"],
  ["google/src", "gemini"],
  ["openai/src/chat", "chat"],
  ["openai/src/responses", "responses"],
  ["deepseek/src/chat", "chat"],
  ["groq/src", "chat"],
  ["mistral/src", "chat"],
  ["xai/src/chat", "chat"],
  ["openai-compatible/src/chat", "chat"],
  ["open-responses/src/responses", "responses"],
];

// Chunks without framing, as the provider's stream has them.
function framed(protocol, lines) {
  const events = lines.split("\n").filter((line) => line.trim() !== "");
  const named = protocol === "anthropic" || protocol === "responses";
  const text = events.map((line) => `${named ? `event: ${JSON.parse(line).type}\n` : ""}data: ${line}\n\n`).join("");
  return protocol === "chat" ? `${text}data: [DONE]\n\n` : text;
}

function isJson(text) {
  try {
    return JSON.parse(text) !== undefined;
  } catch {
    return false;
  }
}

function load() {
  const all = new Map();
  if (missing) return all;
  for (const folder of ["anthropic", "gemini", "openai", "deepseek", "groq", "mistral", "openrouter"]) {
    for (const file of readdirSync(join(ROOT, folder))) {
      const { request, response } = JSON.parse(readFileSync(join(ROOT, folder, file), "utf8"));
      const protocol = PATHS.find(([path]) => path.test(request.path.split("?")[0]))?.[1];
      if (protocol === undefined) continue;
      const type = response.headers["content-type"] ?? "application/json";
      const name = `rec.${folder}.${file.replace(/\.json$/, "")}`;
      all.set(name, { name, folder, protocol, streamed: type.includes("event-stream"), status: response.status, headers: { ...response.headers, "content-type": type }, body: response.body });
    }
  }
  for (const [path, protocol] of FIXTURES) {
    const at = join(ROOT, "vercel-ai/packages", path, "__fixtures__");
    if (!existsSync(at)) continue;
    for (const file of readdirSync(at)) {
      const streamed = file.endsWith(".chunks.txt");
      if (!streamed && !file.endsWith(".json")) continue;
      const text = readFileSync(join(at, file), "utf8");
      if (streamed && text.split("\n").some((line) => line.trim() !== "" && !isJson(line))) {
        BROKEN.push(`${path}: ${file}`);
        continue;
      }
      const name = `fix.${path.split("/")[0]}.${file.replace(/\.(chunks\.txt|json)$/, "")}${streamed ? ".stream" : ""}`;
      const body = streamed ? framed(protocol, text) : text;
      const headers = { "content-type": streamed ? "text/event-stream" : "application/json" };
      all.set(name, { name, folder: `vercel-ai/${path}`, protocol, streamed, status: 200, headers, body });
    }
  }
  return all;
}

export const RECORDINGS = load();

// Two steps of one conversation: calls of tools, and what came after their results.
const pair = (folder, name) => [`rec.${folder}.${name}__0`, `rec.${folder}.${name}__1`];
export const LOOPS = {
  "anthropic.whole": pair("anthropic", "response_identity_edge__parallel_tool_calls_one_identity_per_turn"),
  "anthropic.stream": pair("anthropic", "streaming_tools__streaming_tools_batches_multiple_tool_results_in_one_followup_message"),
  "gemini.whole": pair("gemini", "agent_run_stepping__hand_driven_parallel_tool_calls_arrive_in_one_step"),
  "gemini.stream": pair("gemini", "streaming_tools__streaming_tools_smoke"),
  "chat.whole": pair("openai", "raw_capture_agent_matrix__chat_blocking_tool_run_records_distinct_raw"),
  "chat.stream": pair("openai", "turn_termination_matrix__streaming_tool_turn_reports_tool_calls"),
  "responses.whole": pair("openai", "responses_sessions__parallel_tool_calls_single_turn_nonstreaming"),
  "responses.stream": pair("openai", "streaming_tools__example_streaming_with_tools"),
};

// What an answer says, read as naively as it can be: not by anything that the gateway has.
export function told({ protocol, streamed, body }) {
  const data = streamed ? body.split(/\r?\n/).filter((line) => line.startsWith("data:") && !line.includes("[DONE]")).map((line) => JSON.parse(line.slice(5))) : [JSON.parse(body)];
  const said = { text: "", reasoning: "", calls: [] };
  const call = (name, args) => said.calls.push({ name, args: (typeof args === "string" ? JSON.parse(args || "{}") : args) ?? {} });
  READ[protocol](data, said, call, streamed);
  return said;
}

// Whether a recording is one whole answer that says something, by that reading.
export function says(recording) {
  const { status, streamed, body } = recording;
  if (status !== 200 || (streamed && (body.match(/"type": ?"(message_start|response\.created)"/g) ?? []).length > 1)) return false;
  try {
    const { text, calls } = told(recording);
    return text !== "" || calls.length > 0;
  } catch {
    return false;
  }
}

const READ = {
  anthropic(data, said, call, streamed) {
    const blocks = streamed ? [] : data[0].content;
    for (const event of streamed ? data : []) {
      if (event.type === "content_block_start") blocks[event.index] = { ...event.content_block, json: "" };
      const block = blocks[event.index];
      const { delta = {} } = event;
      if (delta.text) block.text += delta.text;
      if (delta.thinking) block.thinking += delta.thinking;
      if (delta.partial_json) block.json += delta.partial_json;
    }
    for (const block of blocks) {
      if (block.type === "text") said.text += block.text;
      if (block.type === "thinking") said.reasoning += block.thinking;
      if (block.type === "tool_use") call(block.name, block.json || block.input);
    }
  },
  gemini(data, said, call) {
    for (const { text, thought, functionCall } of data.flatMap(({ candidates }) => candidates?.[0]?.content?.parts ?? [])) {
      if (text && thought) said.reasoning += text;
      else if (text) said.text += text;
      if (functionCall) call(functionCall.name, functionCall.args);
    }
  },
  chat(data, said, call, streamed) {
    const text = (content) => (Array.isArray(content) ? content.map((part) => part.text ?? "").join("") : content ?? "");
    const calls = [];
    for (const choice of data.flatMap(({ choices }) => choices ?? []).filter(({ index }) => (index ?? 0) === 0)) {
      const message = (streamed ? choice.delta : choice.message) ?? {};
      said.text += text(message.content);
      said.reasoning += message.reasoning_content ?? message.reasoning ?? "";
      for (const [at, one] of (message.tool_calls ?? []).entries()) {
        const into = (calls[one.index ?? at] ??= { name: "", args: "" });
        into.name += one.function?.name ?? "";
        into.args += typeof one.function?.arguments === "object" ? JSON.stringify(one.function.arguments) : one.function?.arguments ?? "";
      }
    }
    for (const { name, args } of calls.filter(Boolean)) call(name, args);
  },
  responses(data, said, call, streamed) {
    const output = streamed ? data.filter(({ type }) => type === "response.output_item.done").map(({ item }) => item) : data[0].output;
    for (const item of output) {
      if (item.type === "message") for (const part of item.content) said.text += part.text ?? "";
      if (item.type === "reasoning") said.reasoning += item.summary.map(({ text }) => text).join("\n\n");
      if (item.type === "function_call") call(item.name, item.arguments);
    }
  },
};
