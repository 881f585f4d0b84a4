// OpenAI's Chat Completions, as providers: OpenAI's own rules, and Mistral's, which is stricter about ids and members.
// Rules: https://platform.openai.com/docs/api-reference/chat/create, https://docs.mistral.ai/api/

import { pieces } from "./anthropic.mjs";

const words = (text) => text.split(" ");
const KNOWN = new Set(words(
  "model messages stream stream_options temperature top_p n stop max_tokens max_completion_tokens presence_penalty frequency_penalty logit_bias logprobs top_logprobs user seed tools " +
    "tool_choice parallel_tool_calls response_format reasoning_effort verbosity metadata store service_tier modalities audio prediction web_search_options functions function_call " +
    "prompt_cache_key prompt_cache_retention safety_identifier",
));
const MISTRAL = new Set(words(
  "model messages stream temperature top_p n stop max_tokens presence_penalty frequency_penalty random_seed tools tool_choice parallel_tool_calls response_format prediction prompt_mode safe_prompt metadata reasoning_effort",
));
const MESSAGE = {
  system: words("role content name"),
  developer: words("role content name"),
  user: words("role content name"),
  assistant: words("role content name tool_calls refusal audio function_call annotations reasoning_content"),
  tool: words("role content tool_call_id"),
};
const MISTRAL_MESSAGE = { system: words("role content"), user: words("role content"), assistant: words("role content tool_calls prefix"), tool: words("role content tool_call_id name") };

export const error = (status, type, message, code = null, param = null) => ({ status, body: { error: { message, type, param, code } } });
const refuse = (message, param, code = null) => error(400, "invalid_request_error", message, code, param);
const forbid = (...loc) => ({
  status: 422,
  body: { object: "error", message: { detail: [{ type: "extra_forbidden", loc: ["body", ...loc], msg: "Extra inputs are not permitted" }] }, type: "invalid_request_error", param: null, code: null },
});

export const ERRORS = {
  e400: () => refuse("Invalid 'temperature': decimal above maximum value — word for word", "temperature", "decimal_above_max_value"),
  e404: () => error(404, "invalid_request_error", "The model `e404` does not exist or you do not have access to it.", "model_not_found"),
  e429: () => ({ ...error(429, "requests", "Rate limit reached for requests", "rate_limit_exceeded"), headers: { "retry-after": "7" } }),
  e529: () => error(503, "server_error", "The engine is currently overloaded, please try again later"),
};

export function unauthorized({ headers }, key) {
  if (headers.authorization === `Bearer ${key}` && headers["x-api-key"] === undefined && headers["x-goog-api-key"] === undefined) return undefined;
  return error(401, "invalid_request_error", "Incorrect API key provided: sk-****.", "invalid_api_key");
}

export function refusal(body, { provider }) {
  const mistral = provider === "mistral";
  for (const name of Object.keys(body)) {
    if (!(mistral ? MISTRAL : KNOWN).has(name)) return mistral ? forbid(...(name === "stream_options" ? [name, "include_usage"] : [name])) : refuse(`Unrecognized request argument supplied: ${name}`);
  }
  if (body.stream_options !== undefined && body.stream !== true) return refuse("The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options");
  if (body.max_tokens !== undefined && /^(o[134]|gpt-5)/.test(body.model)) {
    return refuse("Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.", "max_tokens", "unsupported_parameter");
  }
  // From gpt-5.4 on beside any effort, from gpt-5.6 on even where none is said (https://github.com/BerriAI/litellm/pull/34569).
  const [, minor] = /^gpt-5\.(\d+)/.exec(body.model) ?? [];
  if (body.tools !== undefined && body.reasoning_effort !== "none" && (minor >= 6 || (minor >= 4 && body.reasoning_effort !== undefined))) {
    const message = `Function tools with reasoning_effort are not supported for ${body.model} in /v1/chat/completions. To use function tools, use /v1/responses or set reasoning_effort to 'none'.`;
    return refuse(message, "reasoning_effort");
  }
  if (!Array.isArray(body.messages) || body.messages.length === 0) return refuse("Invalid 'messages': empty array.", "messages", "empty_array");
  for (const [at, { type, function: tool, ...more }] of (body.tools ?? []).entries()) {
    if (type !== "function" || !/^[a-zA-Z0-9_-]{1,64}$/.test(tool?.name ?? "")) return refuse(`Invalid 'tools[${at}].function.name': string does not match pattern.`, `tools[${at}]`, "invalid_value");
    if (Object.keys(more).length > 0) return refuse(`Unknown parameter: 'tools[${at}].${Object.keys(more)[0]}'.`, `tools[${at}]`, "unknown_parameter");
  }
  if (body.tools?.length === 0) return refuse("Invalid 'tools': empty array. Expected an array with minimum length 1, but got an empty array instead.", "tools", "empty_array");
  if ((body.tool_choice ?? body.parallel_tool_calls) !== undefined && body.tools === undefined && !mistral) return refuse("'tool_choice' is only allowed when 'tools' are specified.", "tool_choice");
  if (body.modalities?.includes("audio")) {
    if (body.audio === undefined) return refuse("Missing required parameter: 'audio'. This parameter is required when requesting audio output.", "audio", "missing_required_parameter");
    if (body.stream === true && body.audio.format !== "pcm16") {
      return refuse(`Unsupported value: 'audio.format' does not support '${body.audio.format}' when stream=true. Supported values are: 'pcm16'.`, "audio.format", "unsupported_value");
    }
  }
  return refusedMessages(body.messages, mistral);
}

// Sound and documents as https://platform.openai.com/docs/guides/audio and .../guides/pdf-files have them.
function refusedMedia(part, place) {
  if (part.type === "input_audio") {
    const { data, format } = part.input_audio ?? {};
    if (typeof data !== "string" || !/^[A-Za-z0-9+/]+={0,2}$/.test(data)) return refuse("Invalid value for 'data': expected base64-encoded audio.", `${place}.input_audio.data`, "invalid_value");
    if (!["wav", "mp3"].includes(format)) return refuse(`Invalid value: '${format}'. Supported values are: 'wav' and 'mp3'.`, `${place}.input_audio.format`, "invalid_value");
  }
  if (part.type === "file" && part.file?.file_id === undefined) {
    const { filename, file_data: data } = part.file ?? {};
    if (typeof filename !== "string") return refuse(`Missing required parameter: '${place}.file.file_id'.`, `${place}.file.file_id`, "missing_required_parameter");
    if (!/^data:application\/pdf;base64,[A-Za-z0-9+/]+={0,2}$/.test(data)) {
      return refuse(`Invalid '${place}.file.file_data'. Expected a base64-encoded data URL with an application/pdf MIME type (e.g. 'data:application/pdf;base64,aGVsbG8K').`, `${place}.file.file_data`, "invalid_value");
    }
  }
}

function refusedMessages(messages, mistral) {
  let open = new Set();
  let opened = 0;
  for (const [at, message] of messages.entries()) {
    const known = (mistral ? MISTRAL_MESSAGE : MESSAGE)[message.role];
    if (known === undefined) return mistral ? forbid("messages", at, message.role ?? "role") : refuse(`Invalid value: '${message.role}'.`, `messages[${at}].role`, "invalid_value");
    for (const name of Object.keys(message)) {
      if (!known.includes(name)) return mistral ? forbid("messages", at, message.role, name) : refuse(`Unknown parameter: 'messages[${at}].${name}'.`, `messages[${at}].${name}`, "unknown_parameter");
    }
    const calls = message.tool_calls ?? [];
    if (message.tool_calls?.length === 0) return refuse(`Invalid 'messages[${at}].tool_calls': empty array.`, `messages[${at}].tool_calls`, "empty_array");
    if (message.role === "tool") {
      if (!open.delete(message.tool_call_id)) return refuse("Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.", `messages[${at}].role`);
      if (message.content === undefined || message.content === null) return refuse(`Missing required parameter: 'messages[${at}].content'.`, `messages[${at}].content`);
    } else {
      if (open.size > 0) {
        const ids = [...open].join(", ");
        return refuse(`An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${ids}`, `messages[${opened}].role`);
      }
      if (mistral && messages[at - 1]?.role === "tool" && message.role === "user") return { status: 400, body: { object: "error", message: "Unexpected role 'user' after role 'tool'", type: "invalid_request_message_order", param: null, code: "3230" } };
    }
    if (message.content === null && calls.length === 0 && !message.refusal && !message.audio) return refuse(`Invalid value for 'content': expected a string, got null.`, `messages[${at}].content`);
    for (const [index, call] of calls.entries()) {
      const place = `messages[${at}].tool_calls[${index}].id`;
      if (mistral && !/^[a-zA-Z0-9]{9}$/.test(call.id)) {
        return { status: 400, body: { object: "error", message: `Tool call id was ${call.id} but must be a-z, A-Z, 0-9, with a length of 9.`, type: "invalid_request_error", param: null, code: "3280" } };
      }
      if (call.id.length > 40) return refuse(`Invalid '${place}': string too long. Expected a string with maximum length 40, but got a string with length ${call.id.length} instead.`, place, "string_above_max_length");
      if (open.has(call.id)) return refuse(`Duplicate value for 'tool_call_id' of ${call.id}`, place);
      if (typeof call.function?.arguments !== "string") return refuse(`Invalid type for '${place}': expected a string`, place, "invalid_type");
      open.add(call.id);
      opened = at;
    }
    for (const [index, part] of (Array.isArray(message.content) ? message.content : []).entries()) {
      const types = { user: ["text", "image_url", "input_audio", "file"], assistant: ["text", "refusal"] }[message.role] ?? ["text"];
      if (!types.includes(part.type)) return refuse(`Invalid value: '${part.type}'. Supported values are: ${types}.`, `messages[${at}].content[${index}].type`, "invalid_value");
      const wrong = mistral ? undefined : refusedMedia(part, `messages[${at}].content[${index}]`);
      if (wrong) return wrong;
    }
  }
  if (open.size > 0) return refuse(`An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'.`, `messages[${opened}].role`);
}

export function asked(body) {
  const said = body.messages.findLastIndex(({ role }) => role !== "tool");
  const text = (content) => (typeof content === "string" ? content : content.map((part) => part.text ?? "").join(""));
  return {
    tools: (body.tools ?? []).map(({ function: tool }) => ({ name: tool.name, schema: tool.parameters })),
    forced: body.tool_choice?.function?.name ?? ["required", "any"].includes(body.tool_choice),
    forbidden: body.tool_choice === "none",
    parallel: body.parallel_tool_calls !== false,
    results: body.messages.slice(said + 1).map(({ content }) => text(content)),
    schema: body.response_format?.json_schema?.schema,
    thinks: body.reasoning_effort !== undefined,
  };
}

const FINISH = { stop: "stop", calls: "tool_calls", length: "length", refusal: "stop" };
const LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789";

function calls(turn, serial, provider) {
  const id = (at) => {
    if (provider !== "mistral") return `call_${serial}_${at}`;
    let number = serial * 16 + at;
    let text = "";
    for (let digit = 0; digit < 7; digit++, number = Math.floor(number / 36)) text = LETTERS[number % 36] + text;
    return `Zq${text}`;
  };
  return turn.calls.map(({ name, args }, at) => ({ id: id(at), type: "function", function: { name, arguments: JSON.stringify(args) } }));
}

const USAGE = { prompt_tokens: 15, completion_tokens: 9, total_tokens: 24, prompt_tokens_details: { cached_tokens: 4, audio_tokens: 0 }, completion_tokens_details: { reasoning_tokens: 4 } };
// OpenAI itself never shows its reasoning here; DeepSeek and what imitates it do, as `reasoning_content`.
const reasons = (turn, provider) => turn.reasoning && provider !== "mistral";

// What it says aloud, and until when it keeps that.
const AUDIO = (serial) => ({ id: `audio_${serial}`, expires_at: 1700003600 });

export function whole(turn, model, serial, { provider } = {}) {
  const message = { role: "assistant", content: turn.text || null, refusal: turn.refusal ?? null };
  if (provider === "mistral") delete message.refusal;
  if (reasons(turn, provider)) message.reasoning_content = turn.reasoning;
  if (turn.calls.length > 0) message.tool_calls = calls(turn, serial, provider);
  if (turn.speech) message.audio = { ...AUDIO(serial), data: Buffer.concat(turn.speech.sound).toString("base64"), transcript: turn.speech.words.join("") };
  return { id: `chatcmpl-${serial}`, object: "chat.completion", created: 1700000000, model, choices: [{ index: 0, message, logprobs: null, finish_reason: FINISH[turn.finish] }], usage: USAGE };
}

export function events(turn, model, serial, { provider, body }) {
  const chunk = (delta, finish = null, more = {}) => ({ id: `chatcmpl-${serial}`, object: "chat.completion.chunk", created: 1700000000, model, choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }], ...more });
  const usage = () => (body?.stream_options?.include_usage ? [{ ...chunk({}), choices: [], usage: USAGE }] : []);
  // As OpenAI's audio models do it: no finish reason, and no text (https://github.com/openai/openai-node/issues/1206).
  if (turn.speech) {
    const { id, expires_at } = AUDIO(serial);
    const { words: [first, ...words], sound } = turn.speech;
    const deltas = [{ id, transcript: first }];
    for (let at = 0; at < Math.max(words.length, sound.length); at++) {
      if (at < sound.length) deltas.push({ data: sound[at].toString("base64") });
      if (at < words.length) deltas.push({ transcript: words[at] });
    }
    return [chunk({ role: "assistant", content: null, refusal: null }), ...[...deltas, { expires_at }].map((audio) => chunk({ audio })), ...usage(), "[DONE]"];
  }
  const all = [chunk({ role: "assistant", content: "" })];
  if (reasons(turn, provider)) for (const text of pieces(turn.reasoning)) all.push(chunk({ reasoning_content: text }));
  if (turn.text) for (const content of pieces(turn.text)) all.push(chunk({ content }));
  for (const refusal of pieces(turn.refusal ?? "")) all.push(chunk({ refusal }));
  for (const [index, call] of calls(turn, serial, provider).entries()) {
    if (provider === "mistral") {
      all.push(chunk({ tool_calls: [{ ...call, index }] }));
      continue;
    }
    all.push(chunk({ tool_calls: [{ ...call, index, function: { name: call.function.name, arguments: "" } }] }));
    for (const text of pieces(call.function.arguments)) all.push(chunk({ tool_calls: [{ index, function: { arguments: text } }] }));
  }
  all.push(chunk({}, FINISH[turn.finish], provider === "mistral" ? { usage: USAGE } : {}));
  all.push(...usage());
  all.push("[DONE]");
  return all;
}

export const frame = (event) => `data: ${typeof event === "string" ? event : JSON.stringify(event)}\n\n`;
export const signatures = () => [];
