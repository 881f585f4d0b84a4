// Structured output by the JavaScript SDKs, each as its users ask for an answer of a type: what a model gets wrong is put right before the SDK sees
// any of it, or is the SDK's own error. The models (replay/turn.mjs) stay wrong until they are told what is wrong with what they said.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import Anthropic from "@anthropic-ai/sdk";
import { zodOutputFormat } from "@anthropic-ai/sdk/helpers/zod";
import { APICallError, generateText, isStepCount, NoObjectGeneratedError, NoOutputGeneratedError, Output, streamText, tool } from "ai";
import OpenAI from "openai";
import { ContentFilterFinishReasonError } from "openai/error";
import { zodFunction, zodResponseFormat, zodResponsesFunction, zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";

import { start } from "./harness.mjs";
import { gateway, replay } from "./replay.mjs";
import { REFUSAL } from "./replay/turn.mjs";

globalThis.AI_SDK_LOG_WARNINGS = false;

const City = z.object({ name: z.string(), population: z.number(), districts: z.array(z.string()) });
const OSLO = { name: "Oslo", population: 7, districts: ["Oslo"] };
const PROMPT = "Tell me of Oslo.";
const Place = z.object({ city: z.string() });
const RESULT = "7 degrees";
// Each with a real model's name, by which the gateway knows what it can do; of one it knows that it cannot do this.
const PROVIDERS = { chat: "gpt-4.1-mini", responses: "gpt-5-mini", anthropic: "claude-sonnet-4-5-20250929", gemini: "gemini-3-pro-preview", mistral: "mistral-large-latest" };
const ALL = [...Object.entries(PROVIDERS), ["anthropic", "claude-3-haiku-20240307"]];

let up;
// By default, with the tools checked that call themselves strict; with all checked, as some SDKs ask by a tool of their own that does not; and live.
let strict;
let checked;
let live;

before(async () => {
  up = await replay({ seed: 3 });
  // More is put right here than a budget of retries would have it.
  const worker = (more) => start(gateway(up.base, `[defaults]\nretry_budget = "off"\n${more}`));
  strict = await worker("");
  checked = await worker("validate_tools = true");
  live = await worker('validate_tools = true\nschema_stream = "live"');
});

after(async () => {
  await strict?.stop();
  await checked?.stop();
  await live?.stop();
  await up?.stop();
});

// A client of an SDK's by `make(url, key, fetch)`, and what it was answered: status, the gateway's word for how it came about, and the bytes.
function watched(make, worker) {
  const answers = [];
  const watching = async (...call) => {
    const response = await fetch(...call);
    answers.push({ status: response.status, mark: response.headers.get("x-breakwater-schema"), retry: response.headers.get("x-should-retry"), text: response.clone().text().catch(() => "") });
    return response;
  };
  return { ...make(worker.url, "any", watching), answers };
}

function chat(url, apiKey, fetch) {
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey, fetch });
  const request = (model) => ({ model, messages: [{ role: "user", content: PROMPT }], response_format: zodResponseFormat(City, "city") });
  return {
    parse: async (model) => (await client.chat.completions.parse(request(model))).choices[0].message.parsed,
    async stream(model) {
      const running = client.chat.completions.stream(request(model));
      return (await running.finalChatCompletion()).choices[0].message.parsed;
    },
    async loop(model) {
      const running = client.chat.completions.runTools({ ...request(model), tools: [zodFunction({ name: "weather", description: "Tells the weather", parameters: Place, function: () => RESULT })] });
      return JSON.parse(await running.finalContent());
    },
    async refusal(model) {
      try {
        return (await client.chat.completions.parse(request(model))).choices[0].message.refusal;
      } catch (error) {
        // Claude says it of the whole answer, which has no other word here.
        assert.ok(model.startsWith("anthropic/") && error instanceof ContentFilterFinishReasonError, `${error}`);
        return REFUSAL;
      }
    },
    error: OpenAI.UnprocessableEntityError,
    broken: OpenAI.APIError,
  };
}

function responses(url, apiKey, fetch) {
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey, fetch });
  const request = (model, input = PROMPT) => ({ model, input, store: false, include: ["reasoning.encrypted_content"], text: { format: zodTextFormat(City, "city") } });
  const parse = async (model) => (await client.responses.parse(request(model))).output_parsed;
  return {
    parse,
    stream: async (model) => (await client.responses.stream(request(model)).finalResponse()).output_parsed,
    async loop(model) {
      const tools = [zodResponsesFunction({ name: "weather", description: "Tells the weather", parameters: Place })];
      const input = [{ role: "user", content: PROMPT }];
      for (;;) {
        const { output, output_parsed: parsed } = await client.responses.parse({ ...request(model, input), tools });
        const calls = output.filter(({ type }) => type === "function_call");
        if (calls.length === 0) return parsed;
        for (const { parsed_arguments: args } of calls) assert.deepEqual(args, { city: args.city });
        for (const { parsed_arguments: _, ...item } of output) input.push(item);
        for (const { call_id } of calls) input.push({ type: "function_call_output", call_id, output: RESULT });
      }
    },
    async refusal(model) {
      const { output, incomplete_details: why } = await client.responses.create(request(model));
      const [{ refusal, text }] = output.at(-1).content;
      assert.equal(why?.reason, model.startsWith("anthropic/") ? "content_filter" : undefined);
      return refusal ?? text;
    },
    error: OpenAI.UnprocessableEntityError,
    broken: OpenAI.APIError,
  };
}

function messages(url, apiKey, fetch) {
  const client = new Anthropic({ baseURL: url, apiKey, authToken: null, fetch });
  const request = (model) => ({ model, max_tokens: 4096, messages: [{ role: "user", content: PROMPT }], output_config: { format: zodOutputFormat(City) } });
  return {
    parse: async (model) => (await client.messages.parse(request(model))).parsed_output,
    stream: async (model) => (await client.messages.stream(request(model)).finalMessage()).parsed_output,
    async loop(model) {
      const tools = [{ name: "weather", description: "Tells the weather", strict: true, input_schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false } }];
      const history = [{ role: "user", content: PROMPT }];
      for (;;) {
        const { content, parsed_output: parsed, stop_reason: stop } = await client.messages.parse({ ...request(model), messages: history, tools });
        if (stop !== "tool_use") return parsed;
        const used = content.filter(({ type }) => type === "tool_use");
        for (const { input } of used) assert.deepEqual(input, { city: input.city });
        history.push({ role: "assistant", content: content.map(({ parsed_output: _, ...block }) => block) });
        history.push({ role: "user", content: used.map(({ id }) => ({ type: "tool_result", tool_use_id: id, content: RESULT })) });
      }
    },
    async refusal(model) {
      // Its parser takes no notice of why the model stopped.
      const { content, stop_reason: stop } = await client.messages.create({ ...request(model), output_config: { format: { type: "json_schema", schema: z.toJSONSchema(City) } } });
      assert.equal(stop, "refusal");
      return content[0].text;
    },
    error: Anthropic.UnprocessableEntityError,
    broken: Anthropic.APIError,
  };
}

// The AI SDK, by one of its providers.
const ai = (create) => (url, apiKey, fetch) => {
  const provider = create({ baseURL: `${url}/v1`, apiKey, fetch });
  const request = (model) => ({ model: provider(model), prompt: PROMPT, output: Output.object({ schema: City }) });
  return {
    parse: async (model) => (await generateText(request(model))).output,
    async stream(model) {
      let failure;
      const running = streamText({ ...request(model), onError: ({ error }) => (failure ??= error) });
      const partial = [];
      try {
        for await (const one of running.partialOutputStream) partial.push(one);
        const output = await running.output;
        if (failure) throw failure;
        // Each is on the way to the last: nothing was taken back.
        for (const { population } of partial) assert.ok(population === undefined || population === OSLO.population);
        return output;
      } catch (error) {
        throw failure ?? error;
      }
    },
    async loop(model) {
      const weather = tool({
        description: "Tells the weather", inputSchema: Place, strict: true,
        execute: (args) => (assert.deepEqual(args, { city: args.city }), RESULT),
      });
      return (await generateText({ ...request(model), tools: { weather }, stopWhen: isStepCount(5) })).output;
    },
    async refusal(model) {
      const error = await failed(generateText(request(model)).then(({ output }) => output));
      assert.ok(NoObjectGeneratedError.isInstance(error) || NoOutputGeneratedError.isInstance(error), `${error}`);
      return REFUSAL;
    },
    error: APICallError,
    broken: Error,
  };
};

const SDKS = {
  "openai (chat)": chat,
  "openai (responses)": responses,
  "@anthropic-ai/sdk": messages,
  "ai + @ai-sdk/openai": ai(createOpenAI),
  "ai + @ai-sdk/openai-compatible": ai((settings) => createOpenAICompatible({ name: "breakwater", supportsStructuredOutputs: true, ...settings })),
  "ai + @ai-sdk/anthropic": ai(createAnthropic),
};

const failed = (promise) => promise.then((value) => assert.fail(`an answer: ${JSON.stringify(value)}`), (failure) => failure);

// The calls that a model had, none of which its provider refused.
function calls(model) {
  const all = up.of(model);
  for (const { refused } of all) assert.equal(refused, undefined, `${model}: ${JSON.stringify(refused)}`);
  return all;
}

// That a request holds the wrong answer, and after it what is wrong with it and where.
function told(request, said, place) {
  const { messages: turns = request.body.contents ?? request.body.input } = request.body;
  const own = turns.findLastIndex(({ role, type }) => ["assistant", "model"].includes(role) || type === "function_call");
  assert.ok(JSON.stringify(turns.slice(0, own + 1)).includes(said), `its answer: ${request.text}`);
  assert.ok(JSON.stringify(turns.slice(own + 1)).includes(place), `what is wrong with it: ${request.text}`);
}

for (const [name, make] of Object.entries(SDKS)) {
  describe(name, () => {
    const own = (real, kind, what) => `${real}~${kind}~${name.replace(/\W+/g, "-")}-${what}`;

    for (const [provider, real] of ALL) {
      test(`${provider}, ${real}: wrong, then right, whole and streamed`, async () => {
        for (const kind of ["mends", "breaks"]) {
          for (const way of ["parse", "stream"]) {
            const model = own(real, kind, way);
            const client = watched(make, checked);
            assert.deepEqual(await client[way](`${provider}/${model}`), OSLO);
            const [first, second, ...more] = calls(model);
            // Asked by a tool, it has no text that could break off.
            if (first.body.tools !== undefined && kind === "breaks") continue;
            assert.equal(more.length, 0);
            assert.equal(first.streamed, way === "stream");
            told(second, kind === "mends" ? "seven" : "population", kind === "mends" ? "/population" : "not JSON");
            const [answer, ...others] = client.answers;
            assert.deepEqual([answer.status, answer.mark, others.length], [200, "retried;1", 0]);
            assert.ok(!(await answer.text).includes("seven"), "it saw what was wrong");
          }
        }
      });

      test(`${provider}, ${real}: a fenced answer is repaired, without another call`, async () => {
        for (const way of ["parse", "stream"]) {
          const model = own(real, "fenced", way);
          const client = watched(make, checked);
          assert.deepEqual(await client[way](`${provider}/${model}`), OSLO);
          assert.equal(calls(model).length, 1);
          // Asked by a tool, it has nothing to put into a fence.
          if (calls(model)[0].body.tools === undefined) assert.equal(client.answers[0].mark, "repaired");
        }
      });

      test(`${provider}, ${real}: never right is the SDK's own error, which it does not repeat`, async () => {
        for (const way of ["parse", "stream"]) {
          const model = own(real, "stubborn", way);
          const client = watched(make, checked);
          const error = await failed(client[way](`${provider}/${model}`));
          assert.ok(error instanceof make(checked.url, "any").error, `${error}`);
          assert.equal(error.status ?? error.statusCode, 422);
          assert.match(error.message, /\/population/);
          assert.deepEqual(client.answers.map(({ status, retry }) => [status, retry]), [[422, "false"]]);
          assert.equal(calls(model).length, 2);
          told(calls(model)[1], "seven", "/population");
        }
      });
    }

    for (const [provider, real] of Object.entries(PROVIDERS)) {
      test(`${provider}: turns that call strict tools wrongly, and one that answers wrongly, are put right one by one`, async () => {
        const model = own(real, "mends", "loop");
        // By the tools' own word, where the SDK passes it on.
        const client = watched(make, name === "ai + @ai-sdk/anthropic" ? checked : strict);
        assert.deepEqual(await client.loop(`${provider}/${model}`), OSLO);
        const all = calls(model);
        assert.deepEqual(client.answers.map(({ mark }) => mark), ["retried;1", "retried;1"]);
        assert.equal(all.length, 4);
        told(all[1], '"city', "/city");
        assert.ok(all[1].text.includes("not run"));
        told(all[3], "seven", "/population");
        // What was wrong is forgotten when it is right: the client never said it.
        assert.ok(!all[2].text.includes("not run") && all[2].text.includes(RESULT));
      });
    }

    for (const provider of ["chat", "responses", "anthropic"]) {
      test(`${provider}: a stream that is passed on live ends in the SDK's error where it is wrong`, async () => {
        const model = own(PROVIDERS[provider], "mends", "live");
        const client = watched(make, live);
        const error = await failed(client.stream(`${provider}/${model}`));
        assert.ok(error instanceof make(live.url, "any").broken, `${error}`);
        assert.match(error.message, /\/population/);
        assert.equal(calls(model).length, 1);
        assert.equal(client.answers.length, 1);
        const right = own(PROVIDERS[provider], "agent", "live");
        assert.deepEqual(await client.stream(`${provider}/${right}`), OSLO);
      });

      test(`${provider}: a refusal is passed on as one`, async () => {
        const client = watched(make, checked);
        const model = own(PROVIDERS[provider], "refuses", "refusal");
        assert.equal(await client.refusal(`${provider}/${model}`), REFUSAL);
        assert.deepEqual([client.answers.map(({ status }) => status), calls(model).length], [[200], 1]);
        assert.ok((await client.answers[0].text).includes(REFUSAL));
      });
    }
  });
}

test("no provider refused anything", () => assert.deepEqual(up.refusals.map(({ model, said }) => [model, said]), []));
