// OpenAI's Responses, as a provider with its own store: what it refuses, in its own words, and how it says a turn.
// Rules: https://platform.openai.com/docs/api-reference/responses, .../docs/guides/reasoning, .../docs/guides/conversation-state

import { pieces } from "./anthropic.mjs";
import { ERRORS as CHAT_ERRORS, error, unauthorized } from "./chat.mjs";

const words = (text) => text.split(" ");
const KNOWN = new Set(words(
  "model input instructions stream stream_options temperature top_p max_output_tokens max_tool_calls top_logprobs user tools tool_choice parallel_tool_calls text reasoning include metadata " +
    "store service_tier truncation previous_response_id conversation background prompt prompt_cache_key prompt_cache_retention safety_identifier context_management",
));
const ITEMS = {
  message: words("type id role content status phase"),
  function_call: words("type id call_id name arguments status namespace"),
  function_call_output: words("type id call_id output status"),
  reasoning: words("type id summary content encrypted_content status"),
  item_reference: words("type id"),
};
const PREFIX = { message: "msg", function_call: "fc", reasoning: "rs" };
const PARTS = { user: words("input_text input_image input_file"), assistant: words("output_text refusal") };
const TOOL = words("type name description parameters strict defer_loading");

const refuse = (message, param = "input", code = null, status = 400) => error(status, "invalid_request_error", message, code, param);

export { error, unauthorized };
export const ERRORS = CHAT_ERRORS;

// Every item that a conversation has before this request, or what is wrong.
function resolved(body, { responses, items }) {
  const all = [];
  if (body.previous_response_id !== undefined && body.previous_response_id !== null) {
    const before = responses.get(body.previous_response_id);
    if (before === undefined) return { wrong: refuse(`Previous response with id '${body.previous_response_id}' not found.`, "previous_response_id", "previous_response_not_found") };
    all.push(...before.history);
  }
  const input = typeof body.input === "string" ? [{ role: "user", content: body.input }] : body.input;
  for (const item of input ?? []) {
    if (item.type !== "item_reference") {
      all.push(item);
      continue;
    }
    if (!items.has(item.id)) return { wrong: refuse(`Item with id '${item.id}' not found.`, "input", null, 404) };
    all.push(items.get(item.id));
  }
  return { all };
}

export function refusal(body, world) {
  const { issued } = world;
  for (const name of Object.keys(body)) if (!KNOWN.has(name)) return refuse(`Unknown parameter: '${name}'.`, name, "unknown_parameter");
  if (typeof body.input !== "string" && !Array.isArray(body.input)) return refuse("Missing required parameter: 'input'.", "input", "missing_required_parameter");
  for (const [at, tool] of (body.tools ?? []).entries()) {
    if (tool.type !== "function") continue;
    if (typeof tool.name !== "string") return refuse(`Missing required parameter: 'tools[${at}].name'.`, `tools[${at}].name`, "missing_required_parameter");
    for (const name of Object.keys(tool)) if (!TOOL.includes(name)) return refuse(`Unknown parameter: 'tools[${at}].${name}'.`, `tools[${at}].${name}`, "unknown_parameter");
  }
  for (const [at, item] of (Array.isArray(body.input) ? body.input : []).entries()) {
    const wrong = refusedItem(item, `input[${at}]`, world, body);
    if (wrong) return wrong;
  }
  const { wrong, all } = resolved(body, world);
  if (wrong) return wrong;
  const calls = new Map();
  for (const [at, item] of all.entries()) {
    if (item.type === "function_call") calls.set(item.call_id, false);
    if (item.type === "function_call_output") {
      if (!calls.has(item.call_id)) return refuse(`No tool call found for function call output with call_id ${item.call_id}.`);
      calls.set(item.call_id, true);
    }
    if (item.type === "reasoning" && !["message", "function_call", "reasoning"].includes(all[at + 1]?.type ?? (all[at + 1]?.role && "message"))) {
      return refuse(`Item '${item.id}' of type 'reasoning' was provided without its required following item.`);
    }
    if (item.type === "reasoning" && item.encrypted_content && !issued.has(item.encrypted_content)) {
      return refuse("The encrypted content could not be verified. Reason: Encrypted content could not be decrypted or parsed.", null, "invalid_encrypted_content");
    }
  }
  for (const [id, answered] of calls) if (!answered) return refuse(`No tool output found for function call ${id}.`);
}

function refusedItem(item, place, { items }) {
  const type = item.type ?? (item.role === undefined ? undefined : "message");
  const known = ITEMS[type];
  if (known === undefined) return refuse(`Invalid value: '${item.type}'.`, `${place}.type`, "invalid_value");
  for (const name of Object.keys(item)) if (!known.includes(name)) return refuse(`Unknown parameter: '${place}.${name}'.`, `${place}.${name}`, "unknown_parameter");
  if (PREFIX[type] && item.id !== undefined && item.id !== null && !item.id.startsWith(`${PREFIX[type]}_`)) {
    return refuse(`Invalid '${place}.id': '${item.id}'. Expected an ID that begins with '${PREFIX[type]}'.`, `${place}.id`, "invalid_value");
  }
  if (type === "reasoning") {
    if (!Array.isArray(item.summary)) return refuse(`Missing required parameter: '${place}.summary'.`, `${place}.summary`, "missing_required_parameter");
    if (!item.encrypted_content && !items.has(item.id)) {
      return refuse(`Item with id '${item.id}' not found. Items are not persisted when \`store\` is set to false. Try again with \`store\` set to true, or remove this item from your input.`, "input", null, 404);
    }
  }
  if (type === "function_call" && typeof item.arguments !== "string") return refuse(`Invalid type for '${place}.arguments'.`, `${place}.arguments`, "invalid_type");
  if ((type === "function_call" || type === "function_call_output") && (item.call_id ?? "").length > 64) {
    return refuse(`Invalid '${place}.call_id': string too long. Expected a string with maximum length 64, but got a string with length ${item.call_id.length} instead.`, `${place}.call_id`, "string_above_max_length");
  }
  for (const [at, part] of (type === "message" && Array.isArray(item.content) ? item.content : []).entries()) {
    const types = item.role === "assistant" ? PARTS.assistant : PARTS.user;
    if (!types.includes(part.type)) return refuse(`Invalid value: '${part.type}'. Supported values are: ${types.map((name) => `'${name}'`).join(", ")}.`, `${place}.content[${at}]`, "invalid_value");
    if (part.type === "input_file") {
      const given = ["file_data", "file_url", "file_id"].filter((name) => part[name] !== undefined);
      if (given.length !== 1) return refuse(given.length === 0 ? `Missing required parameter: '${place}.content[${at}].file_id'.` : "Mutually exclusive parameters. Ensure you are only providing one of: 'file_id', 'file_data' or 'file_url'.", `${place}.content[${at}]`, "invalid_value");
      if (part.file_data !== undefined && typeof part.filename !== "string") return refuse(`Missing required parameter: '${place}.content[${at}].filename'.`, `${place}.content[${at}].filename`, "missing_required_parameter");
      if (part.file_data !== undefined && !/^data:application\/pdf;base64,[A-Za-z0-9+/]+={0,2}$/.test(part.file_data)) return refuse(`Invalid '${place}.content[${at}].file_data'. Expected a base64-encoded data URL with an application/pdf MIME type.`, place, "invalid_value");
      if (part.file_url !== undefined && !/^https?:/.test(part.file_url)) return refuse(`Invalid '${place}.content[${at}].file_url'. Expected a valid URL.`, place, "invalid_value");
    }
    if (part.type === "input_image" && part.image_url !== undefined && typeof part.image_url !== "string") return refuse(`Invalid type for '${place}.content[${at}].image_url': expected an image URL, but got an object instead.`, place, "invalid_type");
  }
}

export function asked(body, world) {
  const { all } = resolved(body, world);
  const said = all.findLastIndex(({ type }) => type !== "function_call_output");
  const text = (output) => (typeof output === "string" ? output : output.map((part) => part.text ?? "").join(""));
  return {
    tools: (body.tools ?? []).filter(({ type }) => type === "function").map(({ name, parameters: schema }) => ({ name, schema })),
    forced: body.tool_choice?.name ?? body.tool_choice === "required",
    forbidden: body.tool_choice === "none",
    parallel: body.parallel_tool_calls !== false,
    results: all.slice(said + 1).map(({ output }) => text(output)),
    schema: body.text?.format?.schema,
    thinks: body.reasoning !== undefined && body.reasoning !== null,
  };
}

function output(turn, serial, { include } = {}) {
  const items = [];
  if (turn.reasoning) {
    const encrypted = include?.includes("reasoning.encrypted_content") ? { encrypted_content: `gAAAAAB-encrypted-${serial}_-==` } : {};
    items.push({ id: `rs_${serial}`, type: "reasoning", summary: [{ type: "summary_text", text: turn.reasoning }], ...encrypted });
  }
  const message = (content) => items.push({ id: `msg_${serial}`, type: "message", status: "completed", role: "assistant", content: [content] });
  if (turn.text) message({ type: "output_text", annotations: [], logprobs: [], text: turn.text });
  if (turn.refusal) message({ type: "refusal", refusal: turn.refusal });
  for (const [at, { name, args }] of turn.calls.entries()) {
    items.push({ id: `fc_${serial}_${at}`, type: "function_call", status: "completed", arguments: JSON.stringify(args), call_id: `call_${serial}r${at}`, name });
  }
  return items;
}

// Its whole answer; `more` has the request, and the store that it is kept in unless the client says no.
export function whole(turn, model, serial, { body = {}, world } = {}) {
  const items = output(turn, serial, body);
  const response = {
    id: `resp_${serial}`, object: "response", created_at: 1700000000, status: "completed", background: false, error: null, incomplete_details: null, instructions: body.instructions ?? null,
    max_output_tokens: null, metadata: {}, model, output: items, parallel_tool_calls: true, previous_response_id: body.previous_response_id ?? null, reasoning: { effort: null, summary: null },
    service_tier: "default", store: body.store !== false, temperature: 1, text: { format: { type: "text" } }, tool_choice: "auto", tools: body.tools ?? [], top_p: 1, truncation: "disabled",
    usage: { input_tokens: 15, input_tokens_details: { cached_tokens: 4 }, output_tokens: 9, output_tokens_details: { reasoning_tokens: 4 }, total_tokens: 24 }, user: null,
  };
  if (world !== undefined && body.store !== false) {
    for (const item of items) world.items.set(item.id, item);
    world.responses.set(response.id, { response, history: [...resolved(body, world).all, ...items] });
  }
  return response;
}

export function events(turn, model, serial, more) {
  const response = whole(turn, model, serial, more);
  const all = [];
  const say = (type, rest) => all.push({ type, sequence_number: all.length, ...rest });
  const begun = { ...response, status: "in_progress", output: [], usage: null };
  say("response.created", { response: begun });
  say("response.in_progress", { response: begun });
  for (const [index, item] of response.output.entries()) {
    const place = { item_id: item.id, output_index: index };
    if (item.type === "reasoning") {
      const [{ text }] = item.summary;
      const part = { ...place, summary_index: 0 };
      say("response.output_item.added", { output_index: index, item: { ...item, summary: [] } });
      say("response.reasoning_summary_part.added", { ...part, part: { type: "summary_text", text: "" } });
      for (const delta of pieces(text)) say("response.reasoning_summary_text.delta", { ...part, delta, obfuscation: "x" });
      say("response.reasoning_summary_text.done", { ...part, text });
      say("response.reasoning_summary_part.done", { ...part, part: { type: "summary_text", text } });
    } else if (item.type === "message" && turn.refusal) {
      const [whole] = item.content;
      const part = { ...place, content_index: 0 };
      say("response.output_item.added", { output_index: index, item: { ...item, status: "in_progress", content: [] } });
      say("response.content_part.added", { ...part, part: { ...whole, refusal: "" } });
      for (const delta of pieces(whole.refusal)) say("response.refusal.delta", { ...part, delta });
      say("response.refusal.done", { ...part, refusal: whole.refusal });
      say("response.content_part.done", { ...part, part: whole });
    } else if (item.type === "message") {
      const [{ text }] = item.content;
      const part = { ...place, content_index: 0 };
      say("response.output_item.added", { output_index: index, item: { ...item, status: "in_progress", content: [] } });
      say("response.content_part.added", { ...part, part: { ...item.content[0], text: "" } });
      for (const delta of pieces(text)) say("response.output_text.delta", { ...part, delta, logprobs: [], obfuscation: "y" });
      say("response.output_text.done", { ...part, text, logprobs: [] });
      say("response.content_part.done", { ...part, part: item.content[0] });
    } else {
      say("response.output_item.added", { output_index: index, item: { ...item, status: "in_progress", arguments: "" } });
      for (const delta of pieces(item.arguments)) say("response.function_call_arguments.delta", { ...place, delta, obfuscation: "z" });
      say("response.function_call_arguments.done", { ...place, arguments: item.arguments, name: item.name });
    }
    say("response.output_item.done", { output_index: index, item });
  }
  say("response.completed", { response });
  const kept = more?.world?.responses.get(response.id);
  if (kept) kept.events = all;
  return all;
}

export const frame = (event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
export const signatures = (said) => [...said.matchAll(/"encrypted_content": ?"((?:[^"\\]|\\.)+)"/g)].map(([, text]) => JSON.parse(`"${text}"`));
