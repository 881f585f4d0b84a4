// What is asked: each scenario is one request, sent over and over.
import { answer, schema } from "./structured.mjs";

const KEY = "sk-bench-0123456789abcdef0123456789abcdef";

// What an official SDK sends along.
const FIELDS = {
  host: "127.0.0.1",
  accept: "application/json",
  "accept-encoding": "gzip, deflate",
  "content-type": "application/json",
  authorization: `Bearer ${KEY}`,
  "user-agent": "OpenAI/JS 6.9.0",
  "x-stainless-lang": "js",
  "x-stainless-package-version": "6.9.0",
  "x-stainless-os": "Linux",
  "x-stainless-arch": "x64",
  "x-stainless-runtime": "node",
  "x-stainless-runtime-version": "v24.0.0",
  "x-stainless-retry-count": "0",
};

function post(body) {
  const text = JSON.stringify(body);
  const fields = { ...FIELDS, "content-length": Buffer.byteLength(text) };
  const head = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`POST /v1/chat/completions HTTP/1.1\r\n${head.join("")}\r\n${text}`);
}

function chat(fields, words = 30) {
  const messages = [
    { role: "system", content: "You answer in one sentence." },
    { role: "user", content: "What is the capital of France? ".repeat(Math.ceil(words / 6)).trim() },
  ];
  return post({ model: "smart", messages, temperature: 0.2, max_tokens: 128, ...fields });
}

// A request that has the schema with it, under this name: only one of them demands it.
const order = (member) => chat({ metadata: { bench: "order" }, [member]: { type: "json_schema", json_schema: { name: "order", schema } } });

// `unit` is what one request is divided into where CPU time is given per piece of it; `weight` stretches a round, for scenarios
// whose single request takes long.
export const scenarios = {
  small: { title: "small chat request (about 300 bytes)", request: chat({}) },
  large: { title: "16 KB chat request", request: chat({}, 3100) },
  cached: { title: "answer from the cache (KV)", request: chat({ model: "cached" }), hit: true },
  stream: { title: "stream of 500 chunks, as fast as it comes", request: chat({ stream: true }), stream: true, weight: 2 },
  paced: {
    title: "stream of 500 chunks, one every 2 ms, 16 at a time",
    request: chat({ stream: true, metadata: { bench: "paced" } }),
    stream: true,
    connections: 16,
    weight: 4,
  },
  // Against the same request to a provider of the client's dialect, in the same rounds.
  translated: {
    title: "small chat request, to a provider that speaks Anthropic's Messages",
    request: chat({ model: "translated" }),
    beside: chat({}),
  },
  translatedStream: {
    title: "stream of 500 chunks from such a provider, as fast as it comes",
    request: chat({ model: "translated", stream: true }),
    beside: chat({ stream: true }),
    stream: true,
    weight: 2,
  },
  translatedPaced: {
    title: "the same, one chunk every 2 ms, 16 at a time",
    request: chat({ model: "translated", stream: true, metadata: { bench: "paced" }, user: "paced" }),
    beside: chat({ stream: true, metadata: { bench: "paced" } }),
    stream: true,
    connections: 16,
    weight: 4,
  },
  // Against the same bytes without a demand: what differs is the cost of reading, checking and telling what was demanded.
  schema: {
    title: `answer of ${answer.length} bytes by a schema of ${JSON.stringify(schema).length}`,
    request: order("response_format"),
    beside: order("response_formed"),
    besides: "without a demand",
    demands: true,
  },
  first: {
    title: "first byte of a stream, one at a time",
    request: chat({ stream: true, metadata: { bench: "brief" } }),
    first: true,
    connections: 1,
  },
};

export const key = KEY;
export const health = Buffer.from("GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
