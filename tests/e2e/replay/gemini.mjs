// Google's Gemini API, as a provider: what it refuses, in its own words, and how it says a turn.
// Rules: https://ai.google.dev/api/generate-content, https://ai.google.dev/gemini-api/docs/function-calling, .../docs/thought-signatures

import { pieces } from "./anthropic.mjs";

const words = (text) => new Set(text.split(" "));
const KNOWN = words("contents systemInstruction system_instruction tools toolConfig tool_config safetySettings generationConfig generation_config cachedContent model");
const COUNTED = words("contents generateContentRequest");
const CONTENT = words("role parts");
const PART = words("text thought thoughtSignature inlineData fileData functionCall functionResponse executableCode codeExecutionResult videoMetadata mediaResolution partMetadata");
const CALL = words("id name args");
const RESPONSE = words("id name response parts willContinue scheduling");
const TOOL = words("functionDeclarations googleSearch googleSearchRetrieval codeExecution urlContext computerUse fileSearch googleMaps");
const DECLARATION = words("name description behavior parameters parametersJsonSchema response responseJsonSchema");
const CONFIG = words(
  "stopSequences responseMimeType responseSchema _responseJsonSchema responseJsonSchema responseModalities candidateCount maxOutputTokens temperature topP topK seed " +
    "presencePenalty frequencyPenalty responseLogprobs logprobs enableEnhancedCivicAnswers speechConfig thinkingConfig imageConfig mediaResolution",
);
const SCHEMA = words(
  "type format title description nullable enum maxItems minItems properties required minProperties maxProperties minLength maxLength pattern example anyOf propertyOrdering " +
    "default items minimum maximum",
);
// What Google documents for calls that another model made.
const DUMMIES = ["context_engineering_is_the_way_to_go", "skip_thought_signature_validator"];

export const error = (code, status, message, details) => ({ status: code, body: { error: { code, message, status, ...(details ? { details } : {}) } } });
const refuse = (message) => error(400, "INVALID_ARGUMENT", message);
const snake = (text) => text.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

export const ERRORS = {
  e400: () => refuse("Invalid value at 'generation_config.temperature' (TYPE_FLOAT), word for word — “9”"),
  e404: () => error(404, "NOT_FOUND", "models/e404 is not found for API version v1beta, or is not supported for generateContent."),
  e429: () => error(429, "RESOURCE_EXHAUSTED", "You exceeded your current rate limit.", [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "6.2s" }]),
  e529: () => error(503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
};

export function unauthorized({ headers, query }, key) {
  if (query.includes("key=")) return refuse("a key in the address ends up in logs");
  if (headers["x-goog-api-key"] === key && headers.authorization === undefined) return undefined;
  const details = [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "API_KEY_INVALID", domain: "googleapis.com" }];
  return error(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", details);
}

// The first member that is not among the known ones.
function unknown(value, known, place) {
  for (const name of Object.keys(value ?? {})) {
    if (!known.has(name)) return refuse(`Invalid JSON payload received. Unknown name "${name}"${place ? ` at '${snake(place)}'` : ""}: Cannot find field.`);
  }
}

function refusedSchema(schema, place) {
  if (schema === undefined) return undefined;
  if (typeof schema !== "object" || Array.isArray(schema)) return refuse(`Invalid value at '${place}' (type.googleapis.com/google.ai.generativelanguage.v1beta.Schema)`);
  if (Array.isArray(schema.type)) return refuse(`Proto field is not repeating, cannot start list. at '${place}.type'`);
  if ((schema.enum ?? []).some((value) => typeof value !== "string")) return refuse(`Invalid value at '${place}.enum' (TYPE_STRING)`);
  let wrong = unknown(schema, SCHEMA, place) ?? refusedSchema(schema.items, `${place}.items`);
  for (const [name, inner] of Object.entries(schema.properties ?? {})) wrong ??= refusedSchema(inner, `${place}.properties[${name}].value`);
  for (const [at, inner] of (schema.anyOf ?? []).entries()) wrong ??= refusedSchema(inner, `${place}.any_of[${at}]`);
  return wrong;
}

export function refusal(whole, { issued, path }) {
  let body = whole;
  if (path.endsWith(":countTokens")) {
    const wrong = unknown(whole, COUNTED, "");
    if (wrong) return wrong;
    body = whole.generateContentRequest ?? whole;
  }
  let wrong = unknown(body, KNOWN, "") ?? unknown(body.generationConfig, CONFIG, "generationConfig") ?? refusedSchema(body.generationConfig?.responseSchema, "generation_config.response_schema");
  for (const [at, tool] of (body.tools ?? []).entries()) {
    wrong ??= unknown(tool, TOOL, `tools[${at}]`);
    for (const [index, declaration] of (tool.functionDeclarations ?? []).entries()) {
      const place = `tools[${at}].function_declarations[${index}]`;
      wrong ??= unknown(declaration, DECLARATION, place) ?? refusedSchema(declaration.parameters, `${place}.parameters`);
      if (!/^[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}$/.test(declaration.name ?? "")) wrong ??= refuse(`* GenerateContentRequest.${place}.name: Invalid function name.`);
    }
  }
  return wrong ?? refusedContents(body.contents ?? [], issued) ?? (/gemini-[12]/.test(path) ? undefined : refusedSteps(body.contents));
}

function refusedContents(contents, issued) {
  if (contents.length === 0) return refuse("* GenerateContentRequest.contents: contents is not specified");
  let calls;
  for (const [at, content] of contents.entries()) {
    let wrong = unknown(content, CONTENT, `contents[${at}]`);
    if (content.role !== "user" && content.role !== "model") wrong ??= refuse("Please use a valid role: user, model.");
    if (!Array.isArray(content.parts) || content.parts.length === 0) wrong ??= refuse(`* GenerateContentRequest.contents[${at}].parts: contents.parts must not be empty.`);
    for (const [index, part] of (content.parts ?? []).entries()) {
      const place = `contents[${at}].parts[${index}]`;
      wrong ??= unknown(part, PART, place) ?? unknown(part.functionCall, CALL, `${place}.functionCall`) ?? unknown(part.functionResponse, RESPONSE, `${place}.functionResponse`);
      const data = ["text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode", "codeExecutionResult"].filter((name) => part[name] !== undefined);
      if (data.length !== 1) wrong ??= refuse(`* GenerateContentRequest.${place}.data: required oneof field 'data' must have one initialized field`);
      if (part.thoughtSignature !== undefined && !issued.has(part.thoughtSignature) && !DUMMIES.includes(part.thoughtSignature)) wrong ??= refuse("Corrupted thought signature.");
      if (part.inlineData && (!/^[a-z]+\/[\w.;=+*-]+$/.test(part.inlineData.mimeType ?? "") || !/^[A-Za-z0-9+/]+={0,2}$/.test(part.inlineData.data ?? ""))) wrong ??= refuse(`Invalid value at '${snake(place)}.inline_data.data' (TYPE_BYTES), Base64 decoding failed`);
      if (part.fileData && !/^(https|gs):\/\//.test(part.fileData.fileUri ?? "")) wrong ??= refuse("Invalid or unsupported file uri: ");
      const { response } = part.functionResponse ?? {};
      if (part.functionResponse && (typeof response !== "object" || response === null || Array.isArray(response))) wrong ??= refuse(`Invalid value at '${place}.function_response.response' (type.googleapis.com/google.protobuf.Struct)`);
    }
    if (wrong) return wrong;
    const called = content.parts.filter((part) => part.functionCall).map((part) => part.functionCall.name);
    const answered = content.parts.filter((part) => part.functionResponse).map((part) => part.functionResponse.name);
    if (called.length > 0 && content.role !== "model") return refuse("Please ensure that function calls are the model's.");
    if (called.length > 0 && (at === 0 || contents[at - 1].role !== "user")) return refuse("Please ensure that function call turn comes immediately after a user turn or after a function response turn.");
    if (calls !== undefined || answered.length > 0) {
      if (calls === undefined) return refuse("Please ensure that function response turn comes immediately after a function call turn.");
      if (calls.length !== answered.length) return refuse("Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.");
      if ([...calls].sort().join() !== [...answered].sort().join()) return refuse(`Please ensure that the function responses are of the functions called: ${calls} are not ${answered}.`);
    }
    calls = called.length > 0 ? called : undefined;
  }
  if (contents[0].role !== "user") return refuse("Please ensure that a conversation begins with a user turn.");
}

// From Gemini 3 on: within the turn that is going on, the first call of each step needs its signature.
function refusedSteps(contents) {
  const said = contents.findLastIndex(({ role, parts }) => role === "user" && parts.some((part) => part.functionResponse === undefined));
  for (const [at, { parts }] of contents.entries()) {
    const first = at > said ? parts.find((part) => part.functionCall) : undefined;
    if (first !== undefined && first.thoughtSignature === undefined) {
      return refuse(`Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly. Additional data, function call \`default_api:${first.functionCall.name}\` , position ${at + 1}.`);
    }
  }
}

export function asked({ contents, tools, toolConfig, generationConfig }) {
  const { mode, allowedFunctionNames: names } = toolConfig?.functionCallingConfig ?? {};
  const said = ({ response }) => response.output ?? response.result ?? response.error ?? response.content ?? JSON.stringify(response);
  return {
    tools: (tools ?? []).flatMap((tool) => tool.functionDeclarations ?? []).map((tool) => ({ name: tool.name, schema: tool.parametersJsonSchema ?? tool.parameters })),
    forced: mode === "ANY" ? (names?.length === 1 ? names[0] : true) : false,
    forbidden: mode === "NONE",
    parallel: true,
    results: contents.at(-1).parts.filter((part) => part.functionResponse).map((part) => said(part.functionResponse)),
    schema: generationConfig?.responseJsonSchema ?? generationConfig?.responseSchema,
    thinks: generationConfig?.thinkingConfig?.includeThoughts === true,
  };
}

// An answer without calls is signed too, a stream of it at its end, in a part that says nothing else.
const signature = (turn, serial) => (turn.text && turn.calls.length === 0 ? { thoughtSignature: `CiQB-said/${serial}+=` } : {});

function parts(turn, serial) {
  const all = [];
  if (turn.reasoning) all.push({ text: turn.reasoning, thought: true });
  if (turn.text) all.push({ text: turn.text, ...signature(turn, serial) });
  for (const [at, { name, args }] of turn.calls.entries()) {
    // With parallel calls the first one carries the signature, and calls have no ids.
    all.push({ functionCall: { name, args }, ...(at === 0 ? { thoughtSignature: `CiQB-thought/${serial}+=` } : {}) });
  }
  return all;
}

const FINISH = { stop: "STOP", calls: "STOP", length: "MAX_TOKENS", refusal: "SAFETY" };
const USAGE = { promptTokenCount: 15, candidatesTokenCount: 5, thoughtsTokenCount: 4, cachedContentTokenCount: 4, totalTokenCount: 24 };
const response = (serial, model, inner, finish, usage) => ({
  candidates: [{ content: { parts: inner, role: "model" }, ...(finish ? { finishReason: finish } : {}), index: 0 }],
  usageMetadata: usage, modelVersion: model, responseId: `gemini${serial}`,
});

export const whole = (turn, model, serial) => response(serial, model, parts(turn, serial), FINISH[turn.finish], USAGE);

export function events(turn, model, serial) {
  const all = parts(turn, serial).flatMap((part) => {
    const { thoughtSignature: _, ...said } = part;
    const cut = part.text === undefined ? [part] : pieces(part.text).map((text) => ({ ...said, text }));
    return cut.map((piece) => response(serial, model, [piece], undefined, { promptTokenCount: 15, totalTokenCount: 15 }));
  });
  all.push(response(serial, model, [{ text: "", ...signature(turn, serial) }], FINISH[turn.finish], USAGE));
  return all;
}

export const frame = (event) => `data: ${JSON.stringify(event)}\r\n\r\n`;

export const signatures = (said) => [...said.matchAll(/"thoughtSignature": ?"((?:[^"\\]|\\.)+)"/g)].map(([, text]) => JSON.parse(`"${text}"`));
