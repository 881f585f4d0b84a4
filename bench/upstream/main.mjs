// The upstream of the benchmark, and the store behind its KV namespace: two servers that must never be what is measured.
//
// Every answer is made beforehand, and a request is read only as far as it takes to see where it ends and what it wants, so that
// one answer costs about 10 µs, a twentieth of what a worker spends on it. What is wanted stands in the request's body, as that
// reaches the upstream unchanged through every worker: `"stream":true`, and `"bench":"paced"`, `"bench":"brief"` or `"bench":"order"` in its metadata.
// Each frame of a stream is a chunk of its own, as providers send them. What is sent to `/v1/messages` is answered with the same words in Anthropic's form.
//
// Prints `{"upstream":PORT,"kv":PORT}` when it listens.
import net from "node:net";
import { answer as order } from "../structured.mjs";

const FRAMES = 500;
const BRIEF_FRAMES = 10;
const PACE_MS = 2;

const completion = (content) => ({
  id: "chatcmpl-bench0001",
  object: "chat.completion",
  created: 1700000000,
  model: "gpt-4o-mini-2024-07-18",
  choices: [
    {
      index: 0,
      message: { role: "assistant", content, refusal: null },
      logprobs: null,
      finish_reason: "stop",
    },
  ],
  usage: { prompt_tokens: 24, completion_tokens: 64, total_tokens: 88 },
  system_fingerprint: "fp_bench",
});

function whole(content) {
  const answer = JSON.stringify(completion(content));
  return Buffer.from(
    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: req_bench0001\r\n" +
      "x-ratelimit-remaining-requests: 9999\r\nopenai-processing-ms: 1\r\n" +
      `content-length: ${Buffer.byteLength(answer)}\r\n\r\n${answer}`,
  );
}
const WHOLE = whole("The capital of France is Paris. ".repeat(8));
const ORDER = whole(order);

function chunk(data) {
  const text = `data: ${data}\n\n`;
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

function delta(delta, finish_reason) {
  const choices = [{ index: 0, delta, logprobs: null, finish_reason }];
  const head = { id: "chatcmpl-bench0001", object: "chat.completion.chunk", created: 1700000000, model: "gpt-4o-mini-2024-07-18" };
  return chunk(JSON.stringify({ ...head, system_fingerprint: "fp_bench", choices }));
}

// A whole streamed answer, as the writes that it is sent in.
function pieces(frames) {
  const head =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\nx-request-id: req_bench0001\r\n" +
    "x-ratelimit-remaining-requests: 9999\r\ntransfer-encoding: chunked\r\n\r\n";
  const texts = [head + delta({ role: "assistant", content: "", refusal: null }, null)];
  for (let at = 1; at < frames - 2; at++) texts.push(delta({ content: ` token${at}` }, null));
  texts.push(delta({}, "stop"), `${chunk("[DONE]")}0\r\n\r\n`);
  return texts.map((text) => Buffer.from(text));
}
const LONG = pieces(FRAMES);
const BRIEF = pieces(BRIEF_FRAMES);

// The same in Anthropic's form.
const message = JSON.stringify({
  id: "msg_bench0001",
  type: "message",
  role: "assistant",
  model: "claude-sonnet-4-5-20250929",
  content: [{ type: "text", text: "The capital of France is Paris. ".repeat(8) }],
  stop_reason: "end_turn",
  stop_sequence: null,
  usage: { input_tokens: 24, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 64, service_tier: "standard" },
});
const WHOLE_MESSAGE = Buffer.from(
  "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nrequest-id: req_bench0001\r\n" +
    `anthropic-ratelimit-requests-remaining: 9999\r\ncontent-length: ${Buffer.byteLength(message)}\r\n\r\n${message}`,
);

function event(data) {
  const text = `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

function messagePieces(frames) {
  const head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\nrequest-id: req_bench0001\r\ntransfer-encoding: chunked\r\n\r\n";
  const begun = { ...JSON.parse(message), content: [], stop_reason: null, usage: { input_tokens: 24, output_tokens: 1 } };
  const texts = [head + event({ type: "message_start", message: begun })];
  texts.push(event({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }));
  for (let at = 1; at < frames - 2; at++) texts.push(event({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: ` token${at}` } }));
  texts.push(event({ type: "content_block_stop", index: 0 }));
  texts.push(event({ type: "message_delta", delta: { stop_reason: "end_turn", stop_sequence: null }, usage: { output_tokens: 64 } }));
  texts.push(`${event({ type: "message_stop" })}0\r\n\r\n`);
  return texts.map((text) => Buffer.from(text));
}
const LONG_MESSAGE = messagePieces(FRAMES);

function pace(socket, pieces) {
  let at = 0;
  const next = () => {
    if (socket.destroyed) return;
    socket.write(pieces[at++]);
    if (at < pieces.length) setTimeout(next, PACE_MS);
  };
  next();
}

function respond(socket, data, from, to) {
  const wants = (text) => {
    const at = data.indexOf(text, from);
    return at >= 0 && at < to;
  };
  const messages = data.latin1Slice(0, 18) === "POST /v1/messages ";
  const long = messages ? LONG_MESSAGE : LONG;
  if (!wants('"stream":true')) socket.write(messages ? WHOLE_MESSAGE : wants('"bench":"order"') ? ORDER : WHOLE);
  else if (wants('"bench":"paced"') || wants('"user_id":"paced"')) pace(socket, long);
  else for (const piece of wants('"bench":"brief"') ? BRIEF : long) socket.write(piece);
}

// Where the request at the start of `data` has its body, as [from, to]; nothing while it is incomplete.
function extent(data) {
  const head = data.indexOf("\r\n\r\n");
  if (head < 0) return undefined;
  const fields = data.latin1Slice(0, head + 2);
  const length = /\r\ncontent-length: *(\d+)/i.exec(fields);
  let end = head + 4;
  if (length !== null) end += Number(length[1]);
  else if (/\r\ntransfer-encoding: *chunked/i.test(fields)) {
    const last = data.indexOf("\r\n0\r\n\r\n", head + 2);
    if (last < 0) return undefined;
    end = last + 7;
  }
  return end > data.length ? undefined : [head + 4, end];
}

function serve(answerOne) {
  const server = net.createServer({ noDelay: true }, (socket) => {
    let held = null;
    socket.on("error", () => {});
    socket.on("data", (data) => {
      if (held !== null) data = Buffer.concat([held, data]);
      held = null;
      for (;;) {
        const found = data.length > 0 ? extent(data) : undefined;
        if (found === undefined) break;
        answerOne(socket, data, found[0], found[1]);
        data = data.subarray(found[1]);
      }
      if (data.length > 0) held = data;
    });
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server.address().port)));
}

// KV as workerd speaks it: GET and PUT of `/KEY?…`, the metadata in a header.
const stored = new Map();
const EMPTY = Buffer.from("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
const MISSING = Buffer.from("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");

function store(socket, data, from, to) {
  const head = data.latin1Slice(0, from);
  const [method, path] = head.split(" ", 2);
  const key = path.split("?", 1)[0];
  if (method === "PUT") {
    const metadata = /\r\ncf-kv-metadata: *([^\r]*)/i.exec(head);
    const value = data.subarray(from, to);
    const fields = metadata === null ? "" : `cf-kv-metadata: ${metadata[1]}\r\n`;
    const text = `HTTP/1.1 200 OK\r\n${fields}content-length: ${value.length}\r\n\r\n`;
    stored.set(key, Buffer.concat([Buffer.from(text), value]));
    socket.write(EMPTY);
  } else socket.write(stored.get(key) ?? MISSING);
}

console.log(JSON.stringify({ upstream: await serve(respond), kv: await serve(store) }));
