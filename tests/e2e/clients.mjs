// The JavaScript SDKs, each as its users use it, behind one form: what a model answered, whole and as a stream, a loop of tools, an answer of a
// given shape, a picture in the question, an error, and a stream that is broken off. `clients(url)` is all of them, pointed at one gateway.

import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import Anthropic from "@anthropic-ai/sdk";
import { APICallError, generateText, isStepCount, jsonSchema, Output, streamText, tool } from "ai";
import OpenAI from "openai";

// What it has to say about models that it does not know.
globalThis.AI_SDK_LOG_WARNINGS = false;

// A picture of one pixel.
export const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
export const PROMPT = "What is the weather in Oslo?";
export const CITY = {
  type: "object",
  properties: { name: { type: "string" }, population: { type: "integer" }, districts: { type: "array", items: { type: "string" } } },
  required: ["name", "population", "districts"],
  additionalProperties: false,
};

const PARAMETERS = { type: "object", properties: { city: { type: "string", description: "Its name" } }, required: ["city"], additionalProperties: false };
export const TOOLS = ["weather", "local_time"];
export const RESULT = (name, args) => `${name}(${JSON.stringify(args)}) = 7 °C «ok»`;
const declared = (names) => names.map((name) => ({ name, description: `Tells the ${name} of a city`, parameters: PARAMETERS }));

const said = (more) => ({ text: "", reasoning: "", calls: [], ...more });

function chat(url, key) {
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 });
  const functions = (names) => (names ? { tools: declared(names).map((tool) => ({ type: "function", function: tool })) } : {});
  const create = (model, { messages = [{ role: "user", content: PROMPT }], tools, ...more } = {}) => ({ model, messages, ...functions(tools), ...more });
  const read = ({ choices: [{ message, finish_reason: finish }] }) =>
    said({
      text: message.content ?? "",
      reasoning: message.reasoning_content ?? "",
      calls: (message.tool_calls ?? []).map(({ function: { name, arguments: args } }) => ({ name, args: JSON.parse(args || "{}") })),
      finish,
      message,
    });
  const whole = async (model, more) => read(await client.chat.completions.create(create(model, more)));
  const stream = async (model, more) => {
    const running = client.chat.completions.stream(create(model, more));
    let reasoning = "";
    running.on("chunk", ({ choices }) => (reasoning += choices[0]?.delta.reasoning_content ?? ""));
    return { ...read(await running.finalChatCompletion()), reasoning };
  };
  return {
    name: "openai (chat)",
    dialect: "chat",
    whole,
    stream,
    async loop(model, tools, streamed) {
      const messages = [{ role: "user", content: PROMPT }];
      const ask = () => (streamed ? stream : whole)(model, { messages, tools });
      const steps = [await ask()];
      while (steps.at(-1).calls.length > 0 && steps.length < 4) {
        const { message, calls } = steps.at(-1);
        // What the SDK's own helpers put there, and no API knows.
        const { parsed: _, ...assistant } = message;
        messages.push({ ...assistant, tool_calls: message.tool_calls.map(({ id, type, function: { name, arguments: args } }) => ({ id, type, function: { name, arguments: args } })) });
        message.tool_calls.forEach(({ id }, at) => messages.push({ role: "tool", tool_call_id: id, content: RESULT(calls[at].name, calls[at].args) }));
        steps.push(await ask());
      }
      return steps;
    },
    object: async (model) => JSON.parse((await whole(model, { response_format: { type: "json_schema", json_schema: { name: "city", strict: true, schema: CITY } } })).text),
    image: (model) => whole(model, { messages: [{ role: "user", content: [{ type: "text", text: "What is this?" }, { type: "image_url", image_url: { url: `data:image/png;base64,${PIXEL}` } }] }] }),
    fails: (model) => client.chat.completions.create(create(model)),
    class: (status) => ({ 400: OpenAI.BadRequestError, 401: OpenAI.AuthenticationError, 404: OpenAI.NotFoundError, 429: OpenAI.RateLimitError })[status] ?? OpenAI.InternalServerError,
    async abort(model) {
      const running = await client.chat.completions.create(create(model, { stream: true }));
      for await (const { choices } of running) if (choices[0]?.delta.content) break;
    },
  };
}

function responses(url, key) {
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 });
  // What was recorded calls other tools, with other arguments than these parameters allow.
  const create = (model, { input = PROMPT, tools, ...more } = {}) => ({ model, input, store: false, include: ["reasoning.encrypted_content"], ...(tools ? { tools: declared(tools).map((tool) => ({ type: "function", strict: TOOLS.includes(tool.name), ...tool })) } : {}), ...more });
  const read = (response) => {
    const items = (type) => response.output.filter((item) => item.type === type);
    return said({
      text: response.output_text ?? items("message").flatMap(({ content }) => content).map(({ text }) => text ?? "").join(""),
      reasoning: items("reasoning").map(({ summary }) => summary.map(({ text }) => text).join("\n\n")).join(""),
      calls: items("function_call").map(({ name, arguments: args }) => ({ name, args: JSON.parse(args || "{}") })),
      finish: response.status,
      output: response.output,
      response,
    });
  };
  const whole = async (model, more) => read(await client.responses.create(create(model, more)));
  const stream = async (model, more) => {
    const running = client.responses.stream(create(model, more));
    let text = "";
    running.on("response.output_text.delta", ({ delta }) => (text += delta));
    const answer = read(await running.finalResponse());
    if (text !== answer.text) throw new Error(`the deltas say ${JSON.stringify(text)}, the end ${JSON.stringify(answer.text)}`);
    return answer;
  };
  return {
    name: "openai (responses)",
    dialect: "responses",
    whole,
    stream,
    async loop(model, tools, streamed) {
      const input = [{ role: "user", content: PROMPT }];
      const ask = () => (streamed ? stream : whole)(model, { input, tools });
      const steps = [await ask()];
      while (steps.at(-1).calls.length > 0 && steps.length < 4) {
        for (const { parsed_arguments: _, parsed: __, ...item } of steps.at(-1).output) input.push(item);
        for (const { type, call_id, name, arguments: args } of steps.at(-1).output) {
          if (type === "function_call") input.push({ type: "function_call_output", call_id, output: RESULT(name, JSON.parse(args || "{}")) });
        }
        steps.push(await ask());
      }
      return steps;
    },
    object: async (model) => JSON.parse((await whole(model, { text: { format: { type: "json_schema", name: "city", strict: true, schema: CITY } } })).text),
    image: (model) => whole(model, { input: [{ role: "user", content: [{ type: "input_text", text: "What is this?" }, { type: "input_image", detail: "auto", image_url: `data:image/png;base64,${PIXEL}` }] }] }),
    fails: (model) => client.responses.create(create(model)),
    class: (status) => ({ 400: OpenAI.BadRequestError, 401: OpenAI.AuthenticationError, 404: OpenAI.NotFoundError, 429: OpenAI.RateLimitError })[status] ?? OpenAI.InternalServerError,
    async abort(model) {
      const running = await client.responses.create({ ...create(model), stream: true });
      for await (const { type } of running) if (type === "response.output_text.delta") break;
    },
  };
}

function messages(url, key) {
  const client = new Anthropic({ baseURL: url, apiKey: key, authToken: null, maxRetries: 0 });
  const create = (model, { messages = [{ role: "user", content: PROMPT }], tools, ...more } = {}) => ({
    model, messages, max_tokens: 4096, ...(tools ? { tools: declared(tools).map(({ parameters, ...tool }) => ({ ...tool, input_schema: parameters })) } : {}), ...more,
  });
  const read = ({ content, stop_reason: finish }) => {
    const blocks = (type) => content.filter((block) => block.type === type);
    return said({
      text: blocks("text").map(({ text }) => text).join(""),
      reasoning: blocks("thinking").map(({ thinking }) => thinking).join("\n\n"),
      calls: blocks("tool_use").map(({ name, input: args }) => ({ name, args })),
      finish,
      content,
    });
  };
  const whole = async (model, more) => read(await client.messages.create(create(model, more)));
  const stream = async (model, more) => {
    const running = client.messages.stream(create(model, more));
    let text = "";
    running.on("text", (delta) => (text += delta));
    const answer = read(await running.finalMessage());
    if (text !== answer.text) throw new Error(`the deltas say ${JSON.stringify(text)}, the end ${JSON.stringify(answer.text)}`);
    return answer;
  };
  return {
    name: "@anthropic-ai/sdk",
    dialect: "anthropic",
    client,
    whole,
    stream,
    async loop(model, tools, streamed) {
      const history = [{ role: "user", content: PROMPT }];
      const ask = () => (streamed ? stream : whole)(model, { messages: history, tools });
      const steps = [await ask()];
      while (steps.at(-1).calls.length > 0 && steps.length < 4) {
        const { content } = steps.at(-1);
        history.push({ role: "assistant", content });
        const used = content.filter(({ type }) => type === "tool_use");
        history.push({ role: "user", content: used.map(({ id, name, input }) => ({ type: "tool_result", tool_use_id: id, content: RESULT(name, input) })) });
        steps.push(await ask());
      }
      return steps;
    },
    object: async (model) => JSON.parse((await whole(model, { output_config: { format: { type: "json_schema", schema: CITY } } })).text),
    image: (model) => whole(model, { messages: [{ role: "user", content: [{ type: "text", text: "What is this?" }, { type: "image", source: { type: "base64", media_type: "image/png", data: PIXEL } }] }] }),
    fails: (model) => client.messages.create(create(model)),
    class: (status) => ({ 400: Anthropic.BadRequestError, 401: Anthropic.AuthenticationError, 404: Anthropic.NotFoundError, 429: Anthropic.RateLimitError })[status] ?? Anthropic.InternalServerError,
    async abort(model) {
      const running = await client.messages.create({ ...create(model), stream: true });
      for await (const { type } of running) if (type === "content_block_delta") break;
    },
  };
}

// The AI SDK, by one of its providers.
function ai(name, dialect, provider) {
  const prompt = PROMPT;
  const set = (names = []) => Object.fromEntries(declared(names).map(({ name, description, parameters }) => [name, tool({ description, inputSchema: jsonSchema(parameters), execute: async (args) => RESULT(name, args) })]));
  const read = ({ text, reasoningText, toolCalls, finishReason }) => said({ text, reasoning: reasoningText ?? "", calls: toolCalls.map(({ toolName: name, input: args }) => ({ name, args })), finish: finishReason });
  const options = (model, tools, steps) => ({ model: provider(model), maxRetries: 0, prompt, ...(tools ? { tools: set(tools), stopWhen: isStepCount(steps) } : {}) });
  const failing = (failure) => ({ onError: ({ error }) => (failure.error ??= error) });
  const streaming = async (settings) => {
    const failure = {};
    const running = streamText({ ...settings, ...failing(failure) });
    try {
      await running.consumeStream();
      const steps = await running.steps;
      if (failure.error) throw failure.error;
      return steps;
    } catch (error) {
      throw failure.error ?? error;
    }
  };
  return {
    name,
    dialect,
    whole: async (model, { tools } = {}) => read(await generateText(options(model, tools, 1))),
    stream: async (model, { tools } = {}) => read((await streaming(options(model, tools, 1))).at(-1)),
    loop: async (model, tools, streamed) => (streamed ? await streaming(options(model, tools, 4)) : (await generateText(options(model, tools, 4))).steps).map(read),
    object: async (model) => (await generateText({ ...options(model), output: Output.object({ schema: jsonSchema(CITY) }) })).output,
    image: async (model) => read(await generateText({ ...options(model), prompt: undefined, messages: [{ role: "user", content: [{ type: "text", text: "What is this?" }, { type: "file", mediaType: "image/png", data: PIXEL }] }] })),
    fails: (model) => generateText(options(model)),
    class: () => APICallError,
    async abort(model) {
      const controller = new AbortController();
      const running = streamText({ ...options(model), abortSignal: controller.signal, onError: () => {} });
      for await (const _ of running.textStream) break;
      controller.abort();
    },
  };
}

export function clients(url, key = "any") {
  const baseURL = `${url}/v1`;
  return [
    chat(url, key),
    responses(url, key),
    messages(url, key),
    ai("ai + @ai-sdk/openai", "responses", createOpenAI({ baseURL, apiKey: key })),
    ai("ai + @ai-sdk/openai-compatible", "chat", createOpenAICompatible({ name: "breakwater", baseURL, apiKey: key, supportsStructuredOutputs: true })),
    ai("ai + @ai-sdk/anthropic", "anthropic", createAnthropic({ baseURL, apiKey: key })),
  ];
}
