// Providers over real sockets, in the four protocols: real recorded bytes, or turns of a scripted model, cut at arbitrary byte positions. Each
// refuses what the real one refuses, in the real one's words, so that a request that is only nearly right fails as it would in production.
//
//   /openai/v1     Chat Completions and Responses      /mistral/v1      Chat Completions by Mistral's rules
//   /anthropic/v1  Messages                            /gemini/v1beta   generateContent
//
// The model's name says what comes, by its first part that means something: parts are between `~`, and a real model's name may stand before, where
// the gateway's knowledge of models matters ("claude-sonnet-4-5~agent~mine"). "rec.…" and "fix.…" (recordings.mjs), "loop.…" (two of them, by whether tools were answered), "agent", "caller"
// (turn.mjs), "e400" and the like (the provider's own error), "forever" (a stream that never ends).

import { createServer } from "node:net";

import * as anthropic from "./replay/anthropic.mjs";
import * as chat from "./replay/chat.mjs";
import * as gemini from "./replay/gemini.mjs";
import { LOOPS, RECORDINGS } from "./replay/recordings.mjs";
import * as responses from "./replay/responses.mjs";
import { MODELS, uncorrected } from "./replay/turn.mjs";

const PROTOCOLS = { anthropic, chat, gemini, responses };
export const KEYS = { openai: "sk-openai", mistral: "sk-mistral", anthropic: "sk-ant", gemini: "AIza-gemini" };

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// A small generator of numbers, so that a run can be repeated.
function random(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

// Writes bytes in pieces of arbitrary sizes, a single byte among them, with pauses in which they leave this process one by one.
async function cut(socket, bytes, dice, write) {
  const large = Math.max(120, Math.ceil(bytes.length / 25));
  for (let at = 0; at < bytes.length && !socket.destroyed; ) {
    const size = dice(3) === 0 ? 1 + dice(3) : 1 + dice(large);
    write(bytes.subarray(at, at + size));
    at += size;
    await (dice(4) === 0 ? pause(1) : new Promise((resolve) => setImmediate(resolve)));
  }
}

// What a request is for: the protocol, the model, and whether a stream is wanted.
function purpose(method, path, body) {
  const [, provider, , ...rest] = path.split("/");
  const [name, ...more] = rest;
  if (provider === "gemini") {
    const [, model, verb] = /^(.*):(\w+)$/.exec(decodeURIComponent(more.join("/"))) ?? [];
    return { provider, protocol: "gemini", model, verb, streamed: verb === "streamGenerateContent" };
  }
  const protocol = { messages: "anthropic", chat: "chat", responses: "responses" }[name];
  return { provider, protocol, model: body?.model, verb: method === "POST" ? (more[0] === "completions" ? undefined : more.at(-1)) : method, streamed: body?.stream === true, id: more[0] };
}

const meaning = (model, { ERRORS }) =>
  model.split("~").find((part) => part === "forever" || part in MODELS || part in ERRORS || part.startsWith("loop.") || RECORDINGS.has(part)) ?? model;

// The schema that a model is asked for in words, where there is one: a model does what it is told.
function prompted(body) {
  const texts = [];
  JSON.stringify(body.system ?? body.systemInstruction ?? body.instructions ?? "", (_, value) => (typeof value === "string" && texts.push(value), value));
  JSON.stringify(body.messages ?? body.contents ?? body.input, (_, value) => (typeof value === "string" && texts.push(value), value));
  const text = texts.find((one) => /JSON.schema/i.test(one) && one.includes("{")) ?? "";
  try {
    return JSON.parse(text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1));
  } catch {
    return undefined;
  }
}

class Replay {
  requests = [];
  refusals = [];
  connections = [];
  // What the providers remember: signatures that they gave, and Responses' store.
  world = { issued: new Set(), responses: new Map(), items: new Map() };
  serial = 100;

  constructor(seed) {
    this.dice = random(seed);
    // One signature is one provider's: none is valid at another.
    this.issued = Object.fromEntries(Object.keys(PROTOCOLS).map((name) => [name, new Set()]));
    // What was signed, where a protocol knows that.
    this.thoughts = new Map();
  }

  // Answers one request.
  async serve(socket, connection, request) {
    const [method, target] = request.line.split(" ");
    const [path, query = ""] = target.split("?");
    const body = request.body === "" ? undefined : JSON.parse(request.body);
    const what = purpose(method, path, body);
    const { protocol, provider, model } = what;
    const speaker = PROTOCOLS[protocol];
    Object.assign(connection, { model });
    const record = { ...what, method, path, query, headers: request.headers, body, text: request.body };
    this.requests.push(record);
    if (speaker === undefined) return this.send(socket, 404, { error: { message: `no such path: ${path}` } });
    const world = { ...this.world, issued: this.issued[protocol], thoughts: this.thoughts, provider, path };
    let wrong = speaker.unauthorized({ headers: request.headers, query }, KEYS[provider]);
    if (!wrong && protocol === "responses" && (method !== "POST" || what.verb === "cancel")) return this.stored(socket, what, new URLSearchParams(query));
    wrong ??= speaker.refusal(body, world);
    if (!wrong && what.streamed && protocol === "gemini" && query !== "alt=sse") wrong = gemini.error(400, "INVALID_ARGUMENT", "this upstream streams with alt=sse only");
    if (wrong) {
      record.refused = wrong.body;
      this.refusals.push({ model, path, said: wrong.body, body });
      return this.send(socket, wrong.status, wrong.body, wrong.headers);
    }
    if (what.verb === "count_tokens") return this.send(socket, 200, { input_tokens: 42 });
    if (what.verb === "countTokens") return this.send(socket, 200, { totalTokens: 42, promptTokensDetails: [{ modality: "TEXT", tokenCount: 42 }] });
    const name = meaning(model, speaker);
    const fails = speaker.ERRORS[name];
    if (fails) {
      const { status, body: said, headers } = fails();
      return this.send(socket, status, said, headers);
    }
    const { body: before, corrected } = uncorrected(body);
    const asked = { ...speaker.asked(before, world), corrected };
    asked.schema ??= prompted(body);
    if (name === "forever") return this.forever(socket, what, body, world);
    const steps = LOOPS[name.replace(/^loop\./, "")];
    const recording = RECORDINGS.get(steps ? steps[asked.results.length > 0 ? 1 : 0] : name);
    if (recording) return this.send(socket, recording.status, recording.body, recording.headers, protocol);
    const script = MODELS[name];
    if (script === undefined) return this.send(socket, 404, { error: { message: `the tests have no model ${model}`, code: "model_not_found" } });
    const turn = script(asked);
    record.turn = turn;
    const more = { provider, body, world };
    const serial = this.serial++;
    // A provider that does not stream, whatever it is asked for.
    if (!what.streamed || model.includes("~whole~")) {
      record.said = speaker.whole(turn, model, serial, more);
      return this.send(socket, 200, record.said, {}, protocol);
    }
    const said = speaker.events(turn, model, serial, more).map(speaker.frame).join("");
    record.said = said;
    await this.send(socket, 200, said, { "content-type": "text/event-stream" }, protocol);
  }

  // A response that is kept: read, removed or cancelled.
  stored(socket, { verb, id }, query) {
    const kept = this.world.responses.get(id);
    if (kept === undefined) return this.send(socket, 404, responses.error(404, "invalid_request_error", `Response with id '${id}' not found.`).body);
    if (verb === "DELETE") {
      this.world.responses.delete(id);
      return this.send(socket, 200, { id, object: "response", deleted: true });
    }
    if (verb === "GET" && query.get("stream") === "true") {
      const after = Number(query.get("starting_after") ?? -1);
      const told = kept.events.filter(({ sequence_number: number }) => number > after).map(responses.frame).join("");
      return this.send(socket, 200, told, { "content-type": "text/event-stream" }, "responses");
    }
    if (verb === "cancel") kept.response = { ...kept.response, status: "cancelled" };
    return this.send(socket, 200, kept.response);
  }

  async send(socket, status, body, headers = {}, protocol = undefined) {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    if (protocol) for (const signature of PROTOCOLS[protocol].signatures(text)) this.issued[protocol].add(signature);
    for (const [signature, thought] of PROTOCOLS[protocol]?.thoughts?.(text) ?? []) this.thoughts.set(signature, thought);
    const bytes = Buffer.from(text);
    const streamed = headers["content-type"]?.includes("event-stream");
    const framing = streamed ? "transfer-encoding: chunked" : `content-length: ${bytes.length}`;
    const lines = Object.entries({ "content-type": "application/json", "x-request-id": "req_upstream", ...headers })
      .filter(([name]) => !["content-length", "transfer-encoding", "content-encoding", "connection"].includes(name.toLowerCase()))
      .map(([name, value]) => `${name}: ${value}\r\n`);
    if (socket.destroyed) return;
    socket.write(`HTTP/1.1 ${status} X\r\n${lines.join("")}${framing}\r\n\r\n`);
    if (!streamed) return cut(socket, bytes, this.dice, (part) => socket.write(part));
    await cut(socket, bytes, this.dice, (part) => socket.write(chunked(part)));
    socket.write("0\r\n\r\n");
  }

  // The beginning of a stream, and then its text again and again.
  async forever(socket, { protocol, model, provider }, body, world) {
    const speaker = PROTOCOLS[protocol];
    const events = speaker.events({ reasoning: "", text: "again", calls: [], finish: "stop" }, model, this.serial++, { provider, body, world });
    const isDelta = (event) => ["content_block_delta", "response.output_text.delta"].includes(event.type) || Boolean(event.choices?.[0]?.delta?.content) || Boolean(event.candidates?.[0]?.content.parts[0].text);
    const first = events.findIndex(isDelta);
    socket.write("HTTP/1.1 200 X\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n");
    socket.write(chunked(Buffer.from(events.slice(0, first).map(speaker.frame).join("") || ": \n\n")));
    while (!socket.destroyed) {
      socket.write(chunked(Buffer.from(speaker.frame(events[first]))));
      await pause(20);
    }
  }

  // The requests for one model.
  of(model) {
    return this.requests.filter((request) => request.model === model);
  }

  // Closes the connections of a model's, in the middle of what they say.
  breakOff(model) {
    for (const connection of this.connections) if (connection.model === model) connection.socket.destroy();
  }

  // Connections that carried a call of this model last, and are still open.
  openOf(model) {
    return this.connections.filter((connection) => connection.model === model && !connection.closed).length;
  }
}

const chunked = (part) => Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from("\r\n")]);

// The body of a request and what follows it, or nothing while it is not complete.
function received(bytes) {
  const split = bytes.indexOf("\r\n\r\n");
  if (split < 0) return undefined;
  const [line, ...lines] = bytes.subarray(0, split).toString().split("\r\n");
  const headers = Object.fromEntries(lines.map((text) => [text.slice(0, text.indexOf(":")).toLowerCase(), text.slice(text.indexOf(":") + 1).trim()]));
  let at = split + 4;
  if (headers["transfer-encoding"] !== "chunked") {
    const end = at + Number(headers["content-length"] ?? 0);
    return bytes.length < end ? undefined : { request: { line, headers, body: bytes.subarray(at, end).toString() }, rest: bytes.subarray(end) };
  }
  const parts = [];
  for (;;) {
    const end = bytes.indexOf("\r\n", at);
    if (end < 0) return undefined;
    const size = Number.parseInt(bytes.subarray(at, end).toString(), 16);
    if (bytes.length < end + 2 + size + 2) return undefined;
    parts.push(bytes.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
    if (size === 0) return { request: { line, headers, body: Buffer.concat(parts).toString() }, rest: bytes.subarray(at) };
  }
}

// Starts the providers. The same `seed` cuts the same bytes at the same places.
export async function replay({ seed = 1 } = {}) {
  const state = new Replay(seed);
  const sockets = new Set();
  const server = createServer((socket) => {
    const connection = { socket, closed: false, model: undefined };
    state.connections.push(connection);
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("error", () => {});
    socket.on("end", () => (connection.closed = true));
    socket.on("close", () => {
      connection.closed = true;
      sockets.delete(socket);
    });
    let bytes = Buffer.alloc(0);
    socket.on("data", (data) => {
      bytes = Buffer.concat([bytes, data]);
      for (let one = received(bytes); one !== undefined; one = received(bytes)) {
        bytes = one.rest;
        state.serve(socket, connection, one.request).catch((error) => {
          console.error("replay:", error);
          socket.destroy();
        });
      }
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  state.base = `http://127.0.0.1:${server.address().port}`;
  state.stop = () =>
    new Promise((resolve) => {
      for (const socket of sockets) socket.destroy();
      server.close(resolve);
    });
  return state;
}

// All of them as a gateway's configuration, and the secrets that it names. They fail more often than a breaker would let them.
export function gateway(base, more = "") {
  const provider = (name, path, key, rest) => `[providers.${name}]\nbase_url = "${base}/${path}"\nkey = "${key}"\n${rest}\nbreaker = { failures = 1000, error_rate = 1.0, min_requests = 1000 }\n`;
  const config = [
    provider("chat", "openai/v1", "OPENAI_KEY", 'preset = "openai"\nprotocol = "openai"'),
    provider("responses", "openai/v1", "OPENAI_KEY", 'protocol = "responses"'),
    provider("anthropic", "anthropic/v1", "ANTHROPIC_KEY", 'protocol = "anthropic"'),
    provider("gemini", "gemini/v1beta", "GEMINI_KEY", 'protocol = "gemini"'),
    provider("mistral", "mistral/v1", "MISTRAL_KEY", 'preset = "mistral"'),
    provider("refused", "anthropic/v1", "WRONG_KEY", 'protocol = "anthropic"'),
    more,
  ].join("\n");
  const vars = { OPENAI_KEY: KEYS.openai, ANTHROPIC_KEY: KEYS.anthropic, GEMINI_KEY: KEYS.gemini, MISTRAL_KEY: KEYS.mistral, WRONG_KEY: "sk-wrong" };
  return { config, vars };
}
