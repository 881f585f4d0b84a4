// A closed loop of requests over a pool of connections: each sends its next request when its last answer is complete.
//
// Plain sockets, and as little reading of HTTP as tells where an answer ends: the load shares a processor with the upstream, and
// must stay far from filling it.
import net from "node:net";
import { quantile } from "./report.mjs";

const LAST_CHUNK = Buffer.from("\r\n0\r\n\r\n");

// Reads one answer after the other off a socket. `onFirst` is called at each body's first byte, `onEnd(status, head)` at its end.
class Answers {
  constructor(onFirst, onEnd) {
    this.onFirst = onFirst;
    this.onEnd = onEnd;
    this.bytes = 0;
    this.restart();
  }

  restart() {
    this.head = Buffer.alloc(0);
    this.fields = "";
    this.left = Infinity; // bytes of the body still to come; without an end where it is chunked
    this.tail = Buffer.alloc(0);
    this.begun = false;
  }

  feed(data) {
    if (this.fields === "") {
      if (this.head.length > 0) data = Buffer.concat([this.head, data]);
      const end = data.indexOf("\r\n\r\n");
      if (end < 0) {
        this.head = data;
        return;
      }
      this.fields = data.latin1Slice(0, end + 2);
      const length = /\r\ncontent-length: *(\d+)/i.exec(this.fields);
      if (length !== null) this.left = Number(length[1]);
      data = data.subarray(end + 4);
    }
    if (!this.begun && (data.length > 0 || this.left === 0)) {
      this.begun = true;
      this.onFirst();
    }
    this.bytes += data.length;
    this.left -= data.length;
    const last = this.left === Infinity ? this.endsChunked(data) : this.left <= 0;
    if (!last) return;
    const fields = this.fields;
    this.restart();
    this.onEnd(Number(fields.slice(9, 12)), fields);
  }

  endsChunked(data) {
    if (data.length < LAST_CHUNK.length) data = Buffer.concat([this.tail, data]);
    this.tail = data.subarray(-LAST_CHUNK.length);
    return this.tail.equals(LAST_CHUNK);
  }
}

// Sends `request` over `connections` sockets for `seconds`. Times are in milliseconds, bytes are of bodies.
export async function load({ port, request, connections = 8, seconds }) {
  const took = [];
  const first = [];
  let failed = 0;
  let bytes = 0;
  const from = performance.now();
  const until = from + seconds * 1000;
  const one = () =>
    new Promise((resolve, reject) => {
      const socket = net.connect({ port, host: "127.0.0.1", noDelay: true });
      let sent = 0;
      const answers = new Answers(
        () => first.push(performance.now() - sent),
        (status) => {
          if (status !== 200) failed++;
          took.push(performance.now() - sent);
          next();
        },
      );
      const next = () => {
        sent = performance.now();
        if (sent < until) return socket.write(request);
        bytes += answers.bytes;
        socket.removeAllListeners("close");
        socket.destroy();
        resolve();
      };
      socket.on("connect", next);
      socket.on("data", (data) => answers.feed(data));
      socket.on("error", reject);
      socket.on("close", () => reject(new Error("the server closed a connection")));
    });
  await Promise.all(Array.from({ length: connections }, one));
  const elapsed = (performance.now() - from) / 1000;
  const requests = took.length;
  took.sort((a, b) => a - b);
  first.sort((a, b) => a - b);
  const times = { p50: quantile(took, 0.5), p99: quantile(took, 0.99), first50: quantile(first, 0.5) };
  return { requests, failed, rate: requests / elapsed, bytes: bytes / elapsed, ...times };
}

// One request over a connection of its own: the status, the head and the body, as text.
export function once(port, request) {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host: "127.0.0.1", noDelay: true }, () => socket.write(request));
    let text = "";
    const answers = new Answers(
      () => {},
      (status, head) => {
        socket.removeAllListeners("close");
        socket.destroy();
        resolve({ status, head, body: text.slice(text.indexOf("\r\n\r\n") + 4) });
      },
    );
    socket.on("data", (data) => {
      text += data.latin1Slice();
      answers.feed(data);
    });
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("the server closed the connection")));
  });
}
