// An OpenAI-compatible upstream over real sockets, which does what it is told: the model's name says how it behaves. It speaks HTTP by hand, so
// that every byte, and how a connection ends, is its own; and it sees how each of its connections is closed by the other side.

import { createServer } from "node:net";
import { gzipSync } from "node:zlib";

export const completion = (text, model = "upstream-model") => ({
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1700000000,
  model,
  choices: [{ index: 0, message: { role: "assistant", content: text }, finish_reason: "stop" }],
  usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
});

const chunk = (delta, finish_reason = null) => ({
  id: "chatcmpl-1",
  object: "chat.completion.chunk",
  created: 1700000000,
  model: "upstream-model",
  choices: [{ index: 0, delta, finish_reason }],
});

const frame = (event) => `data: ${typeof event === "string" ? event : JSON.stringify(event)}\n\n`;
const ROLE = frame(chunk({ role: "assistant", content: "" }));
const WORD = (word) => frame(chunk({ content: word }));
const FINISH = frame(chunk({}, "stop"));
const DONE = frame("[DONE]");
const USAGE = frame({ ...chunk({}), choices: [], usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } });

const error = (code, message, extra = {}) => JSON.stringify({ error: { message, type: "some_error", param: null, code, ...extra } });

// One exchange on a connection: what was received, and the means to answer.
class Exchange {
  constructor(socket, request) {
    this.socket = socket;
    this.request = request;
  }

  get json() {
    return JSON.parse(this.request.body);
  }

  get streamed() {
    return this.json.stream === true;
  }

  write(text) {
    if (!this.socket.destroyed) this.socket.write(text);
  }

  head(status, headers = {}) {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    this.write(`HTTP/1.1 ${status} X\r\n${lines.join("")}\r\n`);
  }

  // A whole answer; the connection stays open for the next one.
  answer(status, body, headers = {}) {
    this.head(status, { "content-type": "application/json", "content-length": Buffer.byteLength(body), ...headers });
    this.write(body);
  }

  stream(headers = {}) {
    this.head(200, { "content-type": "text/event-stream", "transfer-encoding": "chunked", ...headers });
  }

  piece(text) {
    if (text.length > 0) this.write(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);
  }

  end() {
    this.write("0\r\n\r\n");
  }

  // By RST.
  reset() {
    this.socket.resetAndDestroy();
  }

  // By FIN, in the middle of the body.
  hangUp() {
    this.socket.end();
  }
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// A fine answer, or a fine stream in `words`, with a pause between them.
async function well(exchange, words = ["Hello", " from", " the", " upstream"], ms = 0) {
  if (!exchange.streamed) return exchange.answer(200, JSON.stringify(completion(words.join(""))), { "x-request-id": "req_upstream", "x-ratelimit-remaining-requests": "41" });
  exchange.stream({ "x-request-id": "req_upstream", "x-ratelimit-remaining-requests": "41" });
  exchange.piece(ROLE);
  for (const word of words) {
    exchange.piece(WORD(word));
    if (ms > 0) await pause(ms);
  }
  exchange.piece(FINISH);
  if (exchange.json.stream_options?.include_usage) exchange.piece(USAGE);
  exchange.piece(DONE);
  exchange.end();
}

// What begins well and then goes wrong: three words of a stream, or half of an answer.
function begins(exchange) {
  if (exchange.streamed) {
    exchange.stream();
    exchange.piece(ROLE + WORD("one") + WORD(" two") + WORD(" three"));
  } else {
    exchange.head(200, { "content-type": "application/json", "content-length": 1000 });
    exchange.write(JSON.stringify(completion("half")).slice(0, 60));
  }
}

const sse = (...pieces) => (exchange) => {
  if (!exchange.streamed) return exchange.answer(200, error("server_error", "inside a 200"));
  exchange.stream();
  for (const piece of pieces) exchange.piece(piece);
  return exchange;
};

// Every behaviour, by the name that stands before a model's first `~`: "hang~a" and "hang~b" are two models that hang.
export const BEHAVIOURS = {
  well,
  slowly: (exchange) => well(exchange, ["a", "b", "c", "d", "e"], 100),
  forever: async (exchange) => {
    exchange.stream();
    exchange.piece(ROLE);
    while (!exchange.socket.destroyed) {
      exchange.piece(WORD("x"));
      await pause(20);
    }
  },
  flood: async (exchange) => {
    exchange.stream();
    exchange.piece(ROLE);
    for (let at = 0; at < 2000; at++) exchange.piece(WORD(`word-${at} `));
    exchange.piece(FINISH + DONE);
    exchange.end();
  },
  split: async (exchange) => {
    // Frames that end at other places than pieces do, with every kind of line end.
    const text = (": hello\r\n\r\n" + ROLE + WORD("é") + WORD("漢字") + FINISH + DONE).replace(/\n\n(?=data: \{"id":"chatcmpl-1".*漢)/u, "\r\r");
    const bytes = Buffer.from(text);
    exchange.stream();
    for (let at = 0; at < bytes.length; at += 7) {
      const part = bytes.subarray(at, at + 7);
      exchange.write(Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from("\r\n")]));
      if (at % 70 === 0) await pause(1);
    }
    exchange.end();
  },
  hang: () => {},
  silent: (exchange) => exchange.stream(),
  role: (exchange) => (exchange.streamed ? (exchange.stream(), exchange.piece(ROLE)) : undefined),
  s429: (exchange) => exchange.answer(429, error("rate_limit_exceeded", "slow down"), { "retry-after": "7" }),
  s429ms: (exchange) => exchange.answer(429, error("rate_limit_exceeded", "slow down"), { "retry-after": "9", "retry-after-ms": "2500" }),
  s429date: (exchange) => exchange.answer(429, error("rate_limit_exceeded", "slow down"), { "retry-after": new Date(Date.now() + 20_000).toUTCString() }),
  s429reset: (exchange) =>
    exchange.answer(429, error("rate_limit_exceeded", "slow down"), { "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6s" }),
  s429info: (exchange) =>
    exchange.answer(429, JSON.stringify({ error: { code: 429, message: "slow down", status: "RESOURCE_EXHAUSTED", details: [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "4.4s" }] } })),
  // One key has reached its limit, the others have not.
  limitedkey: (exchange) => (exchange.request.headers.authorization === "Bearer sk-limited-key" ? BEHAVIOURS.s429(exchange) : well(exchange)),
  quota: (exchange) => exchange.answer(429, error("insufficient_quota", "no credit")),
  s401: (exchange) => exchange.answer(401, error("invalid_api_key", `Incorrect API key provided: ${exchange.request.headers.authorization ?? ""}`)),
  s400: (exchange) => exchange.answer(400, error("invalid_value", "temperature: must be at most 2 — word for word", { param: "temperature" })),
  s404: (exchange) => exchange.answer(404, error("model_not_found", `The model \`${exchange.json.model}\` does not exist`)),
  context: (exchange) => exchange.answer(400, error("context_length_exceeded", "This model's maximum context length is 10 tokens.")),
  s500: (exchange) => exchange.answer(500, error("server_error", "boom")),
  s502: (exchange) => exchange.answer(502, "<html><body>Bad gateway</body></html>", { "content-type": "text/html" }),
  s529: (exchange) => exchange.answer(529, error("overloaded_error", "busy")),
  s307: (exchange) => exchange.answer(307, "", { location: "http://127.0.0.1:1/elsewhere" }),
  inside: sse(frame(JSON.parse(error("server_error", "inside a 200"))), DONE),
  empty: (exchange) => (exchange.streamed ? (exchange.stream(), exchange.end()) : exchange.answer(200, "")),
  html: (exchange) => exchange.answer(200, "<html>hello</html>", { "content-type": "text/html" }),
  eventually: async (exchange) => {
    // An error event after content.
    exchange.stream();
    exchange.piece(ROLE + WORD("one"));
    await pause(50);
    exchange.piece(frame(JSON.parse(error("tool_use_failed", "the call failed"))) + DONE);
    exchange.end();
  },
  rst: (exchange) => {
    begins(exchange);
    setTimeout(() => exchange.reset(), 30);
  },
  fin: (exchange) => {
    begins(exchange);
    setTimeout(() => exchange.hangUp(), 30);
  },
  // Reasons, and breaks off before it has answered.
  thinks: (exchange) => {
    exchange.stream();
    exchange.piece(ROLE + frame(chunk({ reasoning_content: "Let me" })) + frame(chunk({ reasoning_content: " think" })));
    setTimeout(() => exchange.reset(), 30);
  },
  unended: (exchange) => {
    // A clean end of the body without the protocol's terminator.
    if (!exchange.streamed) return exchange.answer(200, JSON.stringify(completion("half")).slice(0, 60));
    begins(exchange);
    exchange.end();
  },
  midframe: (exchange) => {
    if (!exchange.streamed) return BEHAVIOURS.rst(exchange);
    begins(exchange);
    exchange.piece(WORD("four").slice(0, 40));
    exchange.end();
  },
  stall: begins,
  garbage: (exchange) => (exchange.streamed ? (exchange.stream(), exchange.piece("data: {not json\n\n")) : exchange.answer(200, "{not json")),
  hugeline: async (exchange) => {
    if (!exchange.streamed) return exchange.answer(200, JSON.stringify(completion("x".repeat(11 * 1024 * 1024))));
    exchange.stream();
    exchange.piece(ROLE + "data: ");
    for (let at = 0; at < 160 && !exchange.socket.destroyed; at++) {
      exchange.piece("x".repeat(65536));
      await pause(0);
    }
  },
  drip: async (exchange) => {
    // One byte at a time, and never a whole event.
    if (!exchange.streamed) {
      exchange.head(200, { "content-type": "application/json", "content-length": 1_000_000 });
    } else exchange.stream();
    while (!exchange.socket.destroyed) {
      if (exchange.streamed) exchange.piece(":");
      else exchange.write(" ");
      await pause(20);
    }
  },
  lingers: (exchange) => {
    // Complete, but the connection is left open behind it.
    if (!exchange.streamed) return well(exchange);
    exchange.stream();
    exchange.piece(ROLE + WORD("one") + FINISH + DONE);
  },
  // 20 MB of text in some kilobytes.
  bomb: (exchange) => exchange.answer(200, gzipSync(JSON.stringify(completion("x".repeat(20 * 1024 * 1024)))), { "content-encoding": "gzip" }),
  zipped: (exchange) => exchange.answer(200, gzipSync(JSON.stringify(completion("unzipped"))), { "content-encoding": "gzip" }),
  // An answer that cannot be told as a stream.
  unfinished: (exchange) => exchange.answer(200, JSON.stringify({ ...completion("half"), choices: [{ index: 0, message: { role: "assistant", content: "half" }, finish_reason: null }] })),
  // Everything but the terminator at once, usage included.
  late: async (exchange) => {
    exchange.stream();
    exchange.piece(ROLE + WORD("Hello") + FINISH + USAGE);
    await pause(50);
    exchange.piece(DONE);
    exchange.end();
  },
  whole: (exchange) => exchange.answer(200, JSON.stringify(completion("all at once"))),
  tools: (exchange) =>
    exchange.answer(200, JSON.stringify({ ...completion(null), choices: [{ index: 0, message: { role: "assistant", content: null, tool_calls: [{ id: "call_1", type: "function", function: { name: "weather", arguments: '{"city":"Oslo"}' } }] }, finish_reason: "tool_calls" }] })),
  echo: (exchange) => exchange.answer(200, JSON.stringify({ ...completion("echo"), future: { exact: "1.0e2" } }).replace('"1.0e2"', "1.0e2")),
};

// Starts an upstream. `switches` overrides a model's behaviour while a test runs.
export async function upstream() {
  const state = { calls: [], connections: [], switches: new Map() };
  const server = createServer((socket) => {
    const connection = { opened: Date.now(), closed: undefined, how: undefined, model: undefined };
    state.connections.push(connection);
    const close = (how) => {
      connection.closed ??= Date.now();
      connection.how ??= how;
    };
    socket.setNoDelay(true);
    socket.on("end", () => close("fin"));
    socket.on("error", (failure) => close(failure.code === "ECONNRESET" ? "rst" : failure.code));
    socket.on("close", () => close("closed"));
    let received = Buffer.alloc(0);
    socket.on("data", (data) => {
      received = Buffer.concat([received, data]);
      for (;;) {
        const split = received.indexOf("\r\n\r\n");
        if (split < 0) return;
        const [line, ...lines] = received.subarray(0, split).toString().split("\r\n");
        const headers = Object.fromEntries(lines.map((text) => [text.slice(0, text.indexOf(":")).toLowerCase(), text.slice(text.indexOf(":") + 1).trim()]));
        const length = Number(headers["content-length"] ?? 0);
        if (received.length < split + 4 + length) return;
        const body = received.subarray(split + 4, split + 4 + length).toString();
        received = received.subarray(split + 4 + length);
        const request = { line, headers, body, at: Date.now() };
        state.calls.push(request);
        const { model } = JSON.parse(body);
        connection.model = model;
        const behaviour = state.switches.get(model) ?? BEHAVIOURS[model.split("~")[0]] ?? well;
        Promise.resolve(behaviour(new Exchange(socket, request))).catch(() => socket.destroy());
      }
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  return {
    ...state,
    port,
    base: `http://127.0.0.1:${port}/v1`,
    // The calls of one model.
    callsOf: (model) => state.calls.filter((call) => JSON.parse(call.body).model === model),
    // The connection that a model's last call came by.
    connectionOf: (model) => state.connections.findLast((connection) => connection.model === model),
    // Connections that carried a call of this model and are still open.
    openOf: (model) => state.connections.filter((connection) => connection.model === model && connection.closed === undefined).length,
    stop: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections?.();
        setTimeout(resolve, 200).unref();
      }),
  };
}

// A provider's part of a configuration.
export const provider = (name, base, more = "") => `[providers.${name}]\nprotocol = "openai"\nbase_url = "${base}"\n${more}\n`;
