// Anthropic's Messages, as a provider: what it refuses, in its own words, and how it says a turn.
// Rules: https://docs.claude.com/en/api/messages, .../build-with-claude/extended-thinking, .../agents-and-tools/tool-use/implement-tool-use

const KNOWN = new Set(
  ("model messages max_tokens system metadata stop_sequences stream temperature top_k top_p tools tool_choice thinking service_tier container " +
    "mcp_servers context_management output_config output_format cache_control inference_geo").split(" "),
);
const COUNTED = new Set("model messages system tools tool_choice thinking mcp_servers context_management output_config cache_control".split(" "));
const BLOCKS = {
  text: "type text citations cache_control",
  image: "type source cache_control",
  document: "type source title context citations cache_control",
  tool_use: "type id name input cache_control caller",
  tool_result: "type tool_use_id content is_error cache_control",
  thinking: "type thinking signature",
  redacted_thinking: "type data",
};
const TOOL = new Set("name description input_schema cache_control type strict eager_input_streaming defer_loading allowed_callers input_examples".split(" "));

// Said of what was signed with another text, or none, or as another kind of block (anthropics/anthropic-sdk-python#1598).
const MODIFIED = "`thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified. These blocks must remain as they were in the original response.";

const blocksOf = (content) => (typeof content === "string" ? [{ type: "text", text: content }] : content);

export const error = (status, type, message) => ({ status, body: { type: "error", error: { type, message }, request_id: "req_011CTest" } });
const refuse = (message) => error(400, "invalid_request_error", message);

export const ERRORS = {
  e400: () => refuse("temperature: Input should be less than or equal to 1 — word for word"),
  e404: () => error(404, "not_found_error", "model: no-such-model"),
  e429: () => ({ ...error(429, "rate_limit_error", "This request would exceed your organization's rate limit"), headers: { "retry-after": "7" } }),
  e529: () => error(529, "overloaded_error", "Overloaded"),
};

// What is wrong with the credentials: a key comes by either header field, never by both.
export function unauthorized({ headers }, key) {
  const given = [headers["x-api-key"], headers.authorization?.replace(/^Bearer /, "")].filter((value) => value !== undefined);
  if (given.length === 0) return error(401, "authentication_error", "x-api-key header is required");
  if (given.length > 1 || given[0] !== key) return error(401, "authentication_error", "invalid x-api-key");
  if (headers["anthropic-version"] === undefined) return refuse("anthropic-version: header is required");
}

// What of a request is against the rules; `issued` holds every signature that this provider ever gave, `thoughts` what each of them was given for.
export function refusal(body, { issued, thoughts, path }) {
  const counting = path.endsWith("/count_tokens");
  for (const name of Object.keys(body)) if (!(counting ? COUNTED : KNOWN).has(name)) return refuse(`${name}: Extra inputs are not permitted`);
  if (!counting && !Number.isInteger(body.max_tokens)) return refuse("max_tokens: Field required");
  if (!Array.isArray(body.messages) || body.messages.length === 0) return refuse("messages: at least one message is required");
  for (const [at, tool] of (body.tools ?? []).entries()) {
    if (tool.type !== undefined && tool.type !== "custom") continue;
    if (!/^[a-zA-Z0-9_-]{1,128}$/.test(tool.name ?? "")) return refuse(`tools.${at}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'`);
    if (tool.input_schema?.type !== "object") return refuse(`tools.${at}.custom.input_schema.type: Field required`);
    for (const name of Object.keys(tool)) if (!TOOL.has(name)) return refuse(`tools.${at}.custom.${name}: Extra inputs are not permitted`);
  }
  for (const [at, block] of blocksOf(body.system ?? []).entries()) {
    if (block.type !== "text" || typeof block.text !== "string") return refuse(`system.${at}.type: Input should be 'text'`);
    if (Array.isArray(body.system) && block.text === "") return refuse("system: text content blocks must be non-empty");
  }
  return refusedMessages(body, { issued, thoughts }) ?? refusedThinking(body);
}

function refusedMessages({ messages }, signed) {
  if (messages[0].role !== "user") return refuse('messages: first message must use the "user" role');
  // Consecutive turns of one role are one turn.
  const turns = [];
  for (const [at, { role, content, ...more }] of messages.entries()) {
    if (role !== "user" && role !== "assistant") return refuse(`messages.${at}.role: Input should be 'user' or 'assistant'`);
    for (const name of Object.keys(more)) return refuse(`messages.${at}.${name}: Extra inputs are not permitted`);
    const blocks = blocksOf(content);
    if (!Array.isArray(blocks)) return refuse(`messages.${at}.content: Input should be a valid list`);
    if (blocks.length === 0 || content === "") {
      if (at < messages.length - 1 || role === "user") return refuse(`messages.${at}: all messages must have non-empty content except for the optional final assistant message`);
    }
    for (const [index, block] of blocks.entries()) {
      const wrong = refusedBlock(`messages.${at}.content.${index}`, role, block, signed);
      if (wrong) return wrong;
    }
    if (turns.at(-1)?.role === role) turns.at(-1).blocks.push(...blocks);
    else turns.push({ role, at, blocks: [...blocks] });
  }
  for (const [index, { role, at, blocks }] of turns.entries()) {
    const calls = role === "assistant" ? blocks.filter(({ type }) => type === "tool_use").map(({ id }) => id) : [];
    const before = turns[index - 1]?.blocks.filter(({ type }) => type === "tool_use").map(({ id }) => id) ?? [];
    if (new Set(calls).size < calls.length) return refuse(`messages.${at}.content: \`tool_use\` ids must be unique`);
    const results = blocks.filter(({ type }) => type === "tool_result").map(({ tool_use_id: id }) => id);
    for (const id of results) {
      if (!before.includes(id)) {
        return refuse(`messages.${at}.content.0: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${id}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`);
      }
    }
    if (new Set(results).size < results.length) return refuse(`messages.${at}.content: each tool_use must have a single result. Found multiple \`tool_result\` blocks with id: ${results[0]}`);
    const missing = calls.filter((id) => {
      const next = turns[index + 1]?.blocks ?? [];
      const others = next.findIndex(({ type }) => type !== "tool_result");
      return !next.slice(0, others < 0 ? undefined : others).some((block) => block.tool_use_id === id);
    });
    if (missing.length > 0) {
      return refuse(`messages.${at}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${missing.join(", ")}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`);
    }
  }
}

function refusedBlock(place, role, block, signed) {
  const { issued, thoughts } = signed;
  const known = BLOCKS[block.type];
  if (known === undefined) return refuse(`${place}: Input tag '${block.type}' found using 'type' does not match any of the expected tags`);
  for (const name of Object.keys(block)) if (!known.split(" ").includes(name)) return refuse(`${place}.${block.type}.${name}: Extra inputs are not permitted`);
  switch (block.type) {
    case "text":
      if (typeof block.text !== "string") return refuse(`${place}.text.text: Field required`);
      return block.text === "" ? refuse("messages: text content blocks must be non-empty") : undefined;
    case "tool_use":
      if (role !== "assistant") return refuse(`${place}: \`tool_use\` blocks can only be in \`assistant\` messages`);
      if (!/^[a-zA-Z0-9_-]+$/.test(block.id)) return refuse(`${place}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'`);
      if (typeof block.input !== "object" || block.input === null || Array.isArray(block.input)) return refuse(`${place}.tool_use.input: Input should be a valid dictionary`);
      return undefined;
    case "tool_result":
      if (role !== "user") return refuse(`${place}: \`tool_result\` blocks can only be in \`user\` messages`);
      for (const [at, inner] of (Array.isArray(block.content) ? block.content : []).entries()) {
        const wrong = refusedBlock(`${place}.tool_result.content.${at}`, role, inner, signed);
        if (wrong) return wrong;
      }
      return undefined;
    case "thinking":
      if (role !== "assistant") return refuse(`${place}: \`thinking\` blocks can only be in \`assistant\` messages`);
      if (!issued.has(block.signature)) return refuse(`${place}: Invalid \`signature\` in \`thinking\` block`);
      return thoughts.get(block.signature) === block.thinking ? undefined : refuse(`${place}: ${MODIFIED}`);
    case "redacted_thinking":
      if (!issued.has(block.data)) return refuse(`${place}: Invalid \`data\` in \`redacted_thinking\` block`);
      return thoughts.get(block.data) === null ? undefined : refuse(`${place}: ${MODIFIED}`);
    case "image":
    case "document": {
      const { type, data, media_type: media } = block.source ?? {};
      if (role !== "user" && block.type === "image") return refuse(`${place}: Image content is not allowed in assistant messages`);
      if (type === "base64" && (!data || data.startsWith("data:") || !media)) return refuse(`${place}.${block.type}.source.base64.data: The string must be valid base64`);
      if (type === "base64" && block.type === "document" && media !== "application/pdf") return refuse(`${place}.document.source.base64.media_type: Input should be 'application/pdf'`);
      if (type === "url" && !/^https:/.test(block.source.url)) return refuse(`${place}.${block.type}.source.url.url: Only HTTPS URLs are supported.`);
      return ["base64", "url", "text", "file", "content"].includes(type) ? undefined : refuse(`${place}.${block.type}.source: Field required`);
    }
  }
}

function refusedThinking({ thinking, temperature, max_tokens: max, tool_choice: choice, messages, tools }) {
  if (temperature !== undefined && (temperature < 0 || temperature > 1)) return refuse("temperature: range: 0..1");
  if (choice !== undefined && (tools ?? []).length === 0) return refuse("tool_choice: `tool_choice` may only be specified while providing `tools`");
  if (thinking === undefined || thinking.type === "disabled") return undefined;
  if (thinking.type === "enabled") {
    if (!(thinking.budget_tokens >= 1024)) return refuse("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024");
    if (max !== undefined && max <= thinking.budget_tokens) return refuse("`max_tokens` must be greater than `thinking.budget_tokens`.");
  }
  if (temperature !== undefined && temperature !== 1) return refuse("`temperature` may only be set to 1 when thinking is enabled.");
  // "Incompatible with manual extended thinking but works with adaptive thinking."
  if (thinking.type === "enabled" && ["any", "tool"].includes(choice?.type)) return refuse("Thinking may not be enabled when tool_choice forces tool use.");
  // The loop of tools that is going on: the assistant's turns since the last thing that a user said.
  const said = messages.findLastIndex(({ role, content }) => role === "user" && blocksOf(content).some(({ type }) => type !== "tool_result"));
  for (const [at, { role, content }] of messages.entries()) {
    if (at <= said || role !== "assistant" || messages[at - 1]?.role === "assistant") continue;
    const [{ type }] = blocksOf(content);
    if (type !== "thinking" && type !== "redacted_thinking") {
      return refuse(`messages.${at}.content.0.type: Expected \`thinking\` or \`redacted_thinking\`, but found \`${type}\`. When \`thinking\` is enabled, a final \`assistant\` message must start with a thinking block (preceeding the lastmost set of \`tool_use\` and \`tool_result\` blocks).`);
    }
  }
}

// What a request asks for, as every protocol's `asked` says it.
export function asked(body) {
  const last = body.messages.at(-1);
  const results = blocksOf(last.content).filter(({ type }) => type === "tool_result");
  return {
    tools: (body.tools ?? []).filter((tool) => tool.input_schema).map(({ name, input_schema: schema }) => ({ name, schema })),
    forced: body.tool_choice?.type === "tool" ? body.tool_choice.name : body.tool_choice?.type === "any",
    forbidden: body.tool_choice?.type === "none",
    parallel: body.tool_choice?.disable_parallel_tool_use !== true,
    results: results.map(({ content }) => blocksOf(content).map(({ text }) => text ?? "").join("")),
    schema: (body.output_config?.format ?? body.output_format)?.schema,
    thinks: body.thinking !== undefined && body.thinking.type !== "disabled",
  };
}

const STOP = { stop: "end_turn", calls: "tool_use", length: "max_tokens", refusal: "refusal" };

function content(turn, serial) {
  const blocks = [];
  if (turn.reasoning) blocks.push({ type: "thinking", thinking: turn.reasoning, signature: `EqQBCkYI-signature-${serial}/+==` });
  if (turn.text || turn.refusal) blocks.push({ type: "text", text: turn.text || turn.refusal });
  for (const [at, { name, args }] of turn.calls.entries()) blocks.push({ type: "tool_use", id: `toolu_01${serial}x${at}`, name, input: args });
  return blocks;
}

const USAGE = { input_tokens: 11, cache_creation_input_tokens: 0, cache_read_input_tokens: 4, output_tokens: 1, service_tier: "standard" };

export const whole = (turn, model, serial) => ({
  id: `msg_01${serial}`, type: "message", role: "assistant", model, content: content(turn, serial), stop_reason: STOP[turn.finish], stop_sequence: null,
  usage: { ...USAGE, output_tokens: 9 },
});

export function events(turn, model, serial) {
  const all = [{ type: "message_start", message: { ...whole(turn, model, serial), content: [], stop_reason: null, usage: USAGE } }];
  for (const [index, block] of content(turn, serial).entries()) {
    const start = { text: { type: "text", text: "" }, thinking: { type: "thinking", thinking: "", signature: "" }, tool_use: { ...block, input: {} } }[block.type];
    all.push({ type: "content_block_start", index, content_block: start });
    if (index === 0) all.push({ type: "ping" });
    const delta = (more) => all.push({ type: "content_block_delta", index, delta: more });
    if (block.type === "text") for (const text of pieces(block.text)) delta({ type: "text_delta", text });
    if (block.type === "thinking") {
      for (const thinking of pieces(block.thinking)) delta({ type: "thinking_delta", thinking });
      delta({ type: "signature_delta", signature: block.signature });
    }
    if (block.type === "tool_use") for (const json of ["", ...pieces(JSON.stringify(block.input))]) delta({ type: "input_json_delta", partial_json: json });
    all.push({ type: "content_block_stop", index });
  }
  all.push({ type: "message_delta", delta: { stop_reason: STOP[turn.finish], stop_sequence: null }, usage: { output_tokens: 9 } }, { type: "message_stop" });
  return all;
}

export const frame = (event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;

// The signatures in what this provider said.
export const signatures = (said) => [...said.matchAll(/"(?:signature|data)":"((?:[^"\\]|\\.)+)"/g)].map(([, text]) => JSON.parse(`"${text}"`));

// What this provider signed, of an answer or a stream: each signature with its text, which is null where it is redacted.
export function thoughts(said) {
  const blocks = said.startsWith("{") ? (JSON.parse(said).content ?? []) : [];
  for (const line of said.split("\n").filter((line) => line.startsWith("data: {"))) {
    const { type, index, content_block: block, delta } = JSON.parse(line.slice("data: ".length));
    if (type === "content_block_start") blocks[index] = { ...block };
    for (const name of ["thinking", "signature"]) if (type === "content_block_delta" && delta[name]) blocks[index][name] += delta[name];
  }
  const signed = blocks.filter(({ type }) => type === "thinking").map(({ signature, thinking }) => [signature, thinking]);
  return [...signed, ...blocks.filter(({ type }) => type === "redacted_thinking").map(({ data }) => [data, null])];
}

// A text in some pieces that are not words.
export function pieces(text) {
  const letters = [...text];
  const size = Math.max(1, Math.ceil(letters.length / 4));
  return Array.from({ length: Math.ceil(letters.length / size) }, (_, at) => letters.slice(at * size, (at + 1) * size).join(""));
}
