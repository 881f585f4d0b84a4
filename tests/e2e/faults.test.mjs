// Every fault × {streamed, not} × {first target, every target}, over sockets: what the client is told, in what time, and that no
// connection to an upstream is left behind.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";

import { chat, eventually, events, outcomes, said, start } from "./harness.mjs";
import { provider, upstream } from "./upstream.mjs";

const DEADLINE = 1500;
// The contract's 50 ms, and what a busy machine of two cores adds to any timer.
const LATE = DEADLINE + 50 + 250;

// How each fault shows: its word in the trace, and what the client is told where every target has it. A word of its own for streams, where
// that differs; `begun` where a stream has begun by then, and ends with an error event.
const FAULTS = {
  refused: { says: "connection refused", word: "connect_failed", status: 502, code: "upstream_failed" },
  hang: { says: "hang before the headers", word: "timeout", stream: "first_token_timeout", status: 504, code: "deadline_exceeded" },
  silent: { says: "headers, then silence", only: "stream", stream: "first_token_timeout" },
  role: { says: "a role, then silence", only: "stream", stream: "first_token_timeout" },
  drip: { says: "slow drip", word: "timeout", stream: "first_token_timeout", status: 504, code: "deadline_exceeded" },
  s429: { says: "429, `retry-after`", word: "rate_limited", status: 429, code: "rate_limited", retry: "true", after: 7 },
  s429ms: { says: "429, `retry-after-ms`", word: "rate_limited", status: 429, code: "rate_limited", retry: "true", after: 3 },
  s429date: { says: "429, a date", word: "rate_limited", status: 429, code: "rate_limited", retry: "true", after: [18, 20] },
  s429reset: { says: "429, `x-ratelimit-reset-requests`", word: "rate_limited", status: 429, code: "rate_limited", retry: "true", after: 6 },
  s429info: { says: "429, `RetryInfo` in the body", word: "rate_limited", status: 429, code: "rate_limited", retry: "true", after: 5 },
  quota: { says: "429, quota used up", word: "quota_exhausted", status: 502, code: "upstream_failed" },
  s401: { says: "401", word: "key_refused", status: 502, code: "upstream_failed" },
  s404: { says: "404, no such model", word: "no_such_model", status: 502, code: "upstream_failed" },
  s500: { says: "500", word: "server_error", status: 502, code: "upstream_failed" },
  s502: { says: "502, HTML", word: "server_error", status: 502, code: "upstream_failed" },
  s529: { says: "529", word: "overloaded", status: 502, code: "upstream_failed" },
  s307: { says: "a redirect", word: "server_error", status: 502, code: "upstream_failed" },
  inside: { says: "200 with an error", word: "error_in_body", status: 502, code: "upstream_failed" },
  empty: { says: "200, empty", word: "empty", status: 502, code: "upstream_failed" },
  html: { says: "200, HTML", word: "garbage", status: 502, code: "upstream_failed" },
  garbage: { says: "a garbage frame", word: "garbage", status: 502, code: "upstream_failed" },
  hugeline: { says: "a line of 10 MB", word: "garbage", stream: "garbage", status: 502, code: "upstream_failed" },
  context: { says: "400, context length", word: "context_length", status: 400, code: "context_length_exceeded" },
  s400: { says: "400, refused", word: "refused", status: 400, code: "invalid_value", stops: true },
  rst: { says: "RST after three pieces", word: "cut", begun: true, status: 502, code: "upstream_failed" },
  fin: { says: "FIN after three pieces", word: "cut", begun: true, status: 502, code: "upstream_failed" },
  unended: { says: "end without a terminator", word: "garbage", begun: true, status: 502, code: "upstream_failed" },
  midframe: { says: "cut within a frame", word: "cut", begun: true, status: 502, code: "upstream_failed" },
  stall: { says: "stall after three pieces", word: "timeout", begun: true, status: 504, code: "deadline_exceeded" },
  eventually: { says: "an error event after content", only: "stream", begun: true },
};

const names = Object.keys(FAULTS);
let up;
let worker;

before(async () => {
  up = await upstream();
  const config = [`[defaults]\ndeadline = "${DEADLINE}ms"\nfirst_token = "400ms"\nstall = "300ms"\n`];
  for (const stream of ["stream", "whole"]) {
    for (const name of names) {
      const base = name === "refused" ? "http://127.0.0.1:9/v1" : up.base;
      // Accounts of their own, as some faults count against a credential.
      for (const at of ["first", "one", "two"]) config.push(provider(`${name}-${stream}-${at}`, base));
      config.push(`[routes.${name}-${stream}-first]\ntargets = ["${name}-${stream}-first/${name}~${stream}-first", "good/well"]`);
      config.push(`[routes.${name}-${stream}-every]\ntargets = ["${name}-${stream}-one/${name}~${stream}-one", "${name}-${stream}-two/${name}~${stream}-two"]`);
    }
  }
  config.push(provider("good", up.base));
  worker = await start({ config: config.join("\n") });
});

after(async () => {
  await worker?.stop();
  await up?.stop();
  if (process.env.FAULTS) writeFileSync(process.env.FAULTS, table());
});

// What was seen, for `make faults`: a row for each fault, and a column for each way to ask.
const seen = new Map();

function note(name, kind, scope, response, models) {
  const trace = outcomes(response).map((outcome) => outcome.split(";")[1]);
  const broken = response.text.includes('data: {"error"');
  const end = response.status !== 200 ? `${response.status} ${response.json?.error?.code}` : broken ? "200, error event" : "200";
  const open = models.reduce((sum, model) => sum + (KEPT.has(name) ? 0 : up.openOf(model)), 0);
  const row = seen.get(name) ?? seen.set(name, {}).get(name);
  row[`${kind} ${scope}`] = { text: `${trace.join(", ")}: ${end}`, ms: Math.round(response.took), open };
}

function table() {
  const columns = ["stream first", "whole first", "stream every", "whole every"];
  const told = (cell) => (cell === undefined ? "" : `${cell.text} (${cell.ms} ms${cell.open > 0 ? `, ${cell.open} OPEN` : ""})`);
  const heads = ["fault", "streamed, first target", "not streamed, first target", "streamed, every target", "not streamed, every target"];
  const lines = [`| ${heads.join(" | ")} |`, `|${"---|".repeat(heads.length)}`];
  for (const [name, row] of seen) lines.push(`| ${FAULTS[name].says} | ${columns.map((column) => told(row[column])).join(" | ")} |`);
  const cells = [...seen.values()].flatMap((row) => Object.values(row));
  const late = Math.max(...cells.map((cell) => cell.ms)) - DEADLINE;
  const open = cells.reduce((sum, cell) => sum + cell.open, 0);
  lines.push("", `The latest answer came ${Math.abs(late)} ms ${late > 0 ? "after" : "before"} the deadline of ${DEADLINE} ms; connections left open: ${open}.`);
  return `${lines.join("\n")}\n`;
}

async function timed(body) {
  const started = performance.now();
  const response = await chat(worker, body);
  return { ...response, took: performance.now() - started };
}

const closed = (model) => eventually(() => up.openOf(model) === 0 || up.callsOf(model).length === 0, 1000);

// An upstream whose answer was read to its end may keep its connection for the next call; none of the other ones may.
const KEPT = new Set(["s429", "s429ms", "s429date", "s429reset", "s429info", "quota", "s401", "s404", "s500", "s502", "s529", "s307", "inside", "empty", "html", "garbage", "hugeline", "context", "s400", "unended", "midframe", "eventually"]);

for (const [stream, kind] of [[true, "stream"], [false, "whole"]]) {
  describe(kind === "stream" ? "streamed" : "not streamed", { concurrency: 8 }, () => {
    for (const [name, fault] of Object.entries(FAULTS)) {
      if (fault.only !== undefined && fault.only !== kind) continue;
      const word = stream ? (fault.stream ?? fault.word) : fault.word;

      test(`${name}: first target`, async () => {
        const response = await timed({ model: `${name}-${kind}-first`, stream });
        const target = `${name}-${kind}-first/${name}~${kind}-first`;
        assert.ok(response.took < LATE, `${response.took} ms`);
        if (stream && fault.begun) {
          assert.equal(response.status, 200);
          assert.deepEqual(outcomes(response), [`${target};ok`]);
          endsBadly(response.text);
        } else if (fault.stops) {
          assert.equal(response.status, fault.status);
          assert.equal(response.json.error.message, "temperature: must be at most 2 — word for word");
          assert.deepEqual([response.json.error.code, response.json.error.param], ["invalid_value", "temperature"]);
          assert.deepEqual(outcomes(response), [`${target};${word}`]);
        } else {
          assert.equal(response.status, 200, response.text);
          assert.deepEqual(outcomes(response), [`${target};${word}`, "good/well;ok"]);
          assert.equal(stream ? said(response.text) : response.json.choices[0].message.content, "Hello from the upstream");
        }
        if (!KEPT.has(name)) await closed(`${name}~${kind}-first`);
        note(name, kind, "first", response, [`${name}~${kind}-first`]);
      });

      if (stream && fault.begun) continue;
      test(`${name}: every target`, async () => {
        const response = await timed({ model: `${name}-${kind}-every`, stream });
        assert.ok(response.took < LATE, `${response.took} ms`);
        const targets = (fault.stops ? ["one"] : ["one", "two"]).map((at) => `${name}-${kind}-${at}/${name}~${kind}-${at}`);
        assert.deepEqual(
          outcomes(response).map((outcome) => outcome.split(";")[0]),
          targets,
        );
        // Two first-token deadlines are over before the request's own is.
        const told = word === "first_token_timeout" ? [502, "upstream_failed"] : [fault.status, fault.code];
        assert.deepEqual([response.status, response.json?.error.code], told, response.text);
        assert.equal(response.headers.get("x-should-retry"), fault.retry ?? "false");
        if (fault.after !== undefined) {
          const [least, most] = [fault.after].flat().concat(fault.after).slice(0, 2);
          const after = Number(response.headers.get("retry-after"));
          assert.ok(after >= least && after <= Math.max(least, most), `retry-after ${after}`);
          const ms = Number(response.headers.get("retry-after-ms"));
          assert.ok(ms <= after * 1000 && ms > (after - 1) * 1000, `retry-after-ms ${ms}`);
        }
        assert.deepEqual(
          response.json.error.attempts.map(({ target }) => target),
          targets,
        );
        for (const text of ["127.0.0.1", "    at ", ".rs:"]) assert.ok(!response.text.includes(text), text);
        for (const at of ["one", "two"]) if (!KEPT.has(name)) await closed(`${name}~${kind}-${at}`);
        note(name, kind, "every", response, ["one", "two"].map((at) => `${name}~${kind}-${at}`));
      });
    }
  });
}

// A stream that failed must not look complete to anyone.
function endsBadly(text) {
  const seen = events(text);
  assert.ok(!seen.includes("[DONE]"), text);
  const last = seen.at(-1);
  assert.ok(typeof last.error?.message === "string" && last.error.message !== "", text);
  for (const event of seen) assert.ok(!event.choices?.some((choice) => choice.finish_reason), text);
}
