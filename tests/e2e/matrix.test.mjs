// Every JavaScript SDK against every protocol of providers: text, streams, loops of tools, shapes, pictures, errors and a client that leaves. The
// providers (replay.mjs) refuse what the real ones refuse, and cut what they say at arbitrary bytes.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { CITY, clients, PIXEL, PROMPT, RESULT, TOOLS } from "./clients.mjs";
import { eventually, start } from "./harness.mjs";
import { gateway, KEYS, replay } from "./replay.mjs";
import { LOOPS, missing, RECORDINGS, told } from "./replay/recordings.mjs";
import { FINAL, HELLO, REASONING, sample } from "./replay/turn.mjs";

const PROVIDERS = ["chat", "responses", "anthropic", "gemini", "mistral"];
// What the gateway knows of models goes by their names.
const REAL = { chat: "gpt-4.1-mini", responses: "gpt-5-mini", anthropic: "claude-sonnet-4-5-20250929", gemini: "gemini-2.5-flash", mistral: "mistral-large-latest" };

let up;
let worker;

before(async () => {
  up = await replay();
  worker = await start(gateway(up.base));
});

after(async () => {
  await worker?.stop();
  await up?.stop();
});

// The last request of a model's, which its provider took.
function taken(model) {
  const request = up.of(model).at(-1);
  assert.deepEqual(request?.refused, undefined, `${model}: the provider refused it`);
  return request;
}

// What a picture is called in a request of each protocol.
const PICTURES = {
  chat: ({ messages }) => messages[0].content.find(({ type }) => type === "image_url").image_url.url,
  mistral: (body) => PICTURES.chat(body),
  responses: ({ input }) => input[0].content.find(({ type }) => type === "input_image").image_url,
  anthropic: ({ messages }) => {
    const { source } = messages[0].content.find(({ type }) => type === "image");
    return `data:${source.media_type};${source.type},${source.data}`;
  },
  gemini: ({ contents }) => {
    const { mimeType, data } = contents[0].parts.find((part) => part.inlineData).inlineData;
    return `data:${mimeType};base64,${data}`;
  },
};

// Where a request of each protocol asks for a shape natively.
const SHAPES = {
  chat: ({ response_format: format }) => format?.json_schema?.schema,
  mistral: (body) => SHAPES.chat(body),
  responses: ({ text }) => text?.format?.schema,
  anthropic: ({ output_config: config, output_format: format }) => (config?.format ?? format)?.schema,
  gemini: ({ generationConfig: config }) => config?.responseJsonSchema ?? config?.responseSchema,
};

// What each provider says of a request that is wrong; a refusal's message is passed on word for word.
const WRONG = {
  chat: "Invalid 'temperature': decimal above maximum value — word for word",
  responses: "Invalid 'temperature': decimal above maximum value — word for word",
  mistral: "Invalid 'temperature': decimal above maximum value — word for word",
  anthropic: "temperature: Input should be less than or equal to 1 — word for word",
  gemini: "Invalid value at 'generation_config.temperature' (TYPE_FLOAT), word for word — “9”",
};

const CALLS = TOOLS.map((name) => ({ name, args: { city: "Oslo" } }));
const ANSWERED = FINAL(CALLS.map(({ name, args }) => RESULT(name, args)));

const slug = (name) => name.replace(/\W+/g, "-");
const NAMES = clients("http://127.0.0.1:1").map(({ name }) => name);

for (const name of NAMES) {
  describe(name, () => {
    let client;
    before(() => (client = clients(worker.url).find((one) => one.name === name)));

    for (const provider of PROVIDERS) {
      // A model of its own for each test, so that its requests are found again.
      const model = (kind, what) => `${REAL[provider]}~${kind}~${slug(name)}-${provider}-${what}`;

      test(`${provider}: text, whole and streamed`, async () => {
        for (const way of ["whole", "stream"]) {
          const own = model("agent", way);
          const answer = await client[way](`${provider}/${own}`);
          assert.deepEqual([answer.text, answer.calls, answer.reasoning], [HELLO, [], ""], way);
          const { headers, streamed } = taken(own);
          assert.equal(streamed, way === "stream");
          assert.ok(!JSON.stringify(headers).includes("Bearer any"), "the client's key went up");
        }
      });

      test(`${provider}: a loop of two parallel calls, whole and streamed`, async () => {
        for (const streamed of [false, true]) {
          const own = model("agent", `loop-${streamed}`);
          const steps = await client.loop(`${provider}/${own}`, TOOLS, streamed);
          taken(own);
          assert.deepEqual(steps.map(({ calls }) => calls), [CALLS, []]);
          assert.equal(steps[1].text, ANSWERED);
          // The OpenAI SDK's stream helper keeps only the last piece of what it has no type for; Mistral's models say no reasoning here.
          if (provider !== "mistral" && name !== "openai (chat)") assert.equal(steps[0].reasoning.trim(), REASONING);
          assert.equal(up.of(own).length, 2);
        }
      });

      test(`${provider}: an answer of a shape`, async () => {
        const own = model("agent", "shape");
        assert.deepEqual(await client.object(`${provider}/${own}`), sample(CITY));
        const { body } = taken(own);
        const shape = SHAPES[provider](body);
        // This one asks by a tool of its own of models that it does not know.
        if (name !== "ai + @ai-sdk/anthropic") {
          assert.ok(shape !== undefined, "the provider has it natively, and was not asked");
          assert.deepEqual(Object.keys(shape.properties), Object.keys(CITY.properties), "the order of members is kept");
        }
      });

      test(`${provider}: an answer of a shape, of a model that has no word for it`, { skip: ["anthropic", "gemini"].includes(provider) ? false : "it has" }, async () => {
        const own = `old-model~agent~${slug(name)}-${provider}-words`;
        assert.deepEqual(await client.object(`${provider}/${own}`), sample(CITY));
        taken(own);
      });

      test(`${provider}: a picture`, async () => {
        const own = model("agent", "picture");
        assert.equal((await client.image(`${provider}/${own}`)).text, HELLO);
        assert.equal(PICTURES[provider](taken(own).body), `data:image/png;base64,${PIXEL}`);
      });

      test(`${provider}: its refusal is the SDK's own error, with its own message`, async () => {
        const own = model("e400", "wrong");
        const error = await client.fails(`${provider}/${own}`).then(() => assert.fail("an answer"), (failure) => failure);
        assert.ok(error instanceof client.class(400), `${error}`);
        assert.equal(error.status ?? error.statusCode, 400);
        assert.ok(error.message.includes(WRONG[provider]), error.message);
        assert.equal(up.of(own).length, 1);
        const limited = await client.fails(`${provider}/${model("e429", "limited")}`).then(() => assert.fail("an answer"), (failure) => failure);
        assert.ok(limited instanceof client.class(429), `${limited}`);
        assert.equal(limited.status ?? limited.statusCode, 429);
        const after = Number(limited.headers?.get?.("retry-after") ?? limited.responseHeaders?.["retry-after"]);
        assert.ok(after >= 6 && after <= 7, `retry-after: ${after}`);
      });

      test(`${provider}: a client that leaves ends the upstream's stream within a second`, async () => {
        const own = model("forever", "left");
        await client.abort(`${provider}/${own}`);
        await eventually(() => up.of(own).length === 1 && up.openOf(own) === 0, 1000);
      });

      const protocol = provider === "mistral" ? "chat" : provider;
      test(`${provider}: recorded loops of tools`, { skip: provider === "mistral" ? "its recorded ids are redacted to what it would refuse" : missing }, async () => {
        for (const way of ["whole", "stream"]) {
          const recorded = LOOPS[`${protocol}.${way}`].map((step) => told(RECORDINGS.get(step)));
          const own = model(`loop.${protocol}.${way}`, "recorded");
          const steps = await client.loop(`${provider}/${own}`, recorded[0].calls.map((call) => call.name), way === "stream");
          taken(own);
          assert.deepEqual(steps.map(({ text, calls }) => ({ text, calls })), recorded.map(({ text, calls }) => ({ text, calls })), way);
        }
      });
    }

    test("a wrong key at the gateway, and one of the gateway's that the provider refuses", async () => {
      const { config, vars } = gateway(up.base);
      const closed = await start({ config, vars: { ...vars, BREAKWATER_OPEN: undefined } });
      try {
        const stranger = clients(closed.url, "bw-wrong").find((one) => one.name === name);
        const error = await stranger.fails("chat/agent").then(() => assert.fail("an answer"), (failure) => failure);
        assert.ok(error instanceof client.class(401), `${error}`);
        assert.equal(error.status ?? error.statusCode, 401);
      } finally {
        await closed.stop();
      }
      const refused = await client.fails(`refused/agent~${slug(name)}`).then(() => assert.fail("an answer"), (failure) => failure);
      // The first time the provider says so; then its credential is left alone. An upstream's 401 is never the client's.
      assert.ok([502, 503].includes(refused.status ?? refused.statusCode), `${refused.status ?? refused.statusCode}`);
    });
  });
}

test("each provider gets its own credential, in its own header field", () => {
  const sent = (provider) => up.requests.filter((request) => request.provider === provider && request.headers["x-api-key"] !== "sk-wrong");
  for (const { headers } of sent("anthropic")) {
    assert.equal(headers["x-api-key"], KEYS.anthropic);
    assert.match(headers["anthropic-version"], /^\d{4}-\d\d-\d\d$/);
  }
  for (const { headers, query } of sent("gemini")) {
    assert.equal(headers["x-goog-api-key"], KEYS.gemini);
    assert.ok(!query.includes("key="));
  }
  for (const provider of ["openai", "mistral"]) for (const { headers } of sent(provider)) assert.equal(headers.authorization, `Bearer ${KEYS[provider]}`);
  for (const { headers, body } of up.requests) {
    // `cf-worker` is the platform's own, on every subrequest.
    assert.deepEqual(Object.keys(headers).filter((field) => /^(x-breakwater|cookie|cf-(?!worker)|x-forwarded)/.test(field)), []);
    if (body !== undefined) assert.ok(!JSON.stringify(body).includes(worker.url));
  }
  assert.ok(["openai", "anthropic", "gemini", "mistral"].every((provider) => sent(provider).length > 0));
});

test("nothing that the matrix sent was refused by a provider's rules, the wrong key apart", () => {
  assert.deepEqual(up.refusals.filter(({ said }) => !JSON.stringify(said).includes("invalid x-api-key")).map(({ model, said }) => [model, said]), []);
});

test("the prompt reached every provider word for word", () => {
  for (const provider of ["openai", "anthropic", "gemini", "mistral"]) {
    assert.ok(up.requests.some((request) => request.provider === provider && request.text.includes(PROMPT)), provider);
  }
});
