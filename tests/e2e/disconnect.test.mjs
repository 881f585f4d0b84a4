// Nothing upstream outlives the request: a client that leaves, before the headers and after, by RST and by FIN, and every attempt
// that was given up. The upstream sees its connection close; a timer on its side would not tell.

import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, test } from "node:test";

import { chat, eventually, outcomes, sleep, start } from "./harness.mjs";
import { provider, upstream } from "./upstream.mjs";

// How soon an upstream must see it.
const AT_ONCE = 500;

let up;
let worker;

before(async () => {
  up = await upstream();
  worker = await start({
    config: `[defaults]\ndeadline = "20s"\nfirst_token = "15s"\nstall = "15s"\n
${provider("a", up.base)}
[routes.given-up]
targets = [{ target = "a/hang~given-up", first_token = "300ms" }, "a/well"]
[routes.late]
targets = ["a/hang~late"]
deadline = "400ms"
`,
  });
});

after(async () => {
  await worker?.stop();
  await up?.stop();
});

// A client by hand: sends a request, and leaves when and how it is told.
function client(body) {
  const text = JSON.stringify({ messages: [{ role: "user", content: "Hello" }], ...body });
  const socket = connect(worker.port, "127.0.0.1");
  socket.on("error", () => {});
  let received = "";
  socket.on("data", (data) => (received += data));
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:${worker.port}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
  return { socket, received: () => received };
}

// A client that closes its socket sends a FIN, as long as it has read all it was sent; one that only closes its half may still be reading.
const LEAVES = { RST: (socket) => socket.resetAndDestroy(), FIN: (socket) => socket.destroy() };

// What is under way when the client leaves, and whether it has seen anything by then. Before the headers the platform notices an RST
// only: a half-closed connection may still be waiting for its answer.
const CASES = [
  { name: "before the upstream's headers", model: "hang", stream: true, ways: ["RST"] },
  { name: "before the upstream's headers, not streamed", model: "hang", stream: false, ways: ["RST"] },
  { name: "after the upstream's headers, before content", model: "silent", stream: true, ways: ["RST"] },
  { name: "after a role-only delta", model: "role", stream: true, ways: ["RST"] },
  { name: "in the middle of an unstreamed answer", model: "stall", stream: false, ways: ["RST"] },
  { name: "in the middle of a stream", model: "forever", stream: true, begun: true, ways: ["RST", "FIN"] },
];

for (const { name, model, stream, begun, ways } of CASES) {
  for (const way of ways) {
    test(`a client leaves by ${way} ${name}`, async () => {
      const own = `${model}~${way}-${stream}`;
      const { socket, received } = client({ model: `a/${own}`, stream });
      await eventually(() => up.callsOf(own).length === 1);
      if (begun) await eventually(() => received().includes("data: "));
      else await sleep(100);
      const left = Date.now();
      LEAVES[way](socket);
      const connection = await eventually(() => up.connectionOf(own)?.closed !== undefined && up.connectionOf(own), 5000);
      assert.ok(connection.closed - left < AT_ONCE, `the upstream saw it ${connection.closed - left} ms later`);
      await sleep(100);
      assert.equal(up.callsOf(own).length, 1, "no other attempt is made for a client that is gone");
    });
  }
}

test("an attempt that is given up for another one is aborted at once", async () => {
  const started = Date.now();
  const response = await chat(worker, { model: "given-up", stream: true });
  assert.deepEqual(outcomes(response), ["a/hang~given-up;first_token_timeout", "a/well;ok"]);
  const connection = await eventually(() => up.connectionOf("hang~given-up").closed !== undefined && up.connectionOf("hang~given-up"));
  const after = connection.closed - started;
  assert.ok(after >= 290 && after < 300 + AT_ONCE, `closed after ${after} ms`);
});

test("nothing uncommitted outlives the deadline", async () => {
  const started = Date.now();
  const response = await chat(worker, { model: "late" });
  assert.equal(response.status, 504);
  assert.ok(Date.now() - started < 400 + AT_ONCE);
  await eventually(() => up.openOf("hang~late") === 0, AT_ONCE);
});

test("what a finished stream leaves open behind it is closed", async () => {
  const response = await chat(worker, { model: "a/lingers", stream: true });
  assert.match(response.text, /\[DONE\]/);
  await eventually(() => up.openOf("lingers") === 0, 1000);
});

test("clients that leave count against nobody", async () => {
  for (let at = 0; at < 8; at++) {
    const { socket } = client({ model: "a/hang~blameless", stream: true });
    await eventually(() => up.callsOf("hang~blameless").length === at + 1);
    socket.resetAndDestroy();
    await sleep(20);
  }
  await sleep(300);
  const status = await (await fetch(`${worker.url}/status`)).json();
  assert.doesNotMatch(JSON.stringify(status), /"open"/);
});

test("what a client's request held is given back when it leaves", async () => {
  const megabytes = (count) => [{ role: "user", content: "x".repeat(count * 1024 * 1024) }];
  for (let at = 0; at < 8; at++) {
    const { socket } = client({ model: "a/hang~held", stream: at % 2 === 0, messages: megabytes(9) });
    await eventually(() => up.callsOf("hang~held").length === at + 1, 20_000);
    socket.resetAndDestroy();
    await eventually(() => up.openOf("hang~held") === 0);
  }
  // Five of them at once are all that an isolate holds.
  const clients = [];
  for (let at = 0; at < 5; at++) {
    clients.push(client({ model: "a/hang~held", messages: megabytes(9) }));
    await eventually(() => up.callsOf("hang~held").length === 9 + at, 20_000);
  }
  const busy = await chat(worker, { model: "a/well", messages: megabytes(9) });
  assert.deepEqual([busy.status, busy.json.error.code], [503, "busy"]);
  assert.equal((await chat(worker, { model: "a/well" })).status, 200, "small requests are served all the same");
  for (const { socket } of clients) socket.resetAndDestroy();
});
