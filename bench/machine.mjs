// What the machine does for the benchmark: which processor runs whom, and how much time a process took of it.
//
// workerd has processor 0 for itself; the load and the upstream share processor 1. With a single processor, or without `taskset`,
// nobody is pinned, and the rates say less; the time that workerd took says what it always does.
import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";

const WORKERD_CPU = "0";
const OTHERS_CPU = "1";

const processors = os.availableParallelism();
export const pinned = canPin();

function canPin() {
  if (processors < 2) return false;
  try {
    execFileSync("taskset", ["-acp", OTHERS_CPU, String(process.pid)], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

// Starts a program whose file descriptor `fd` says in one line of JSON where it listens. What else it says goes to `log`.
export async function start(command, args, { measured = false, fd = 1, log = "inherit" } = {}) {
  const stdio = ["ignore", log, log];
  stdio[fd] = "pipe";
  if (measured && pinned) [command, args] = ["taskset", ["-c", WORKERD_CPU, command, ...args]];
  const child = spawn(command, args, { stdio, cwd: os.tmpdir() });
  const said = await new Promise((resolve, reject) => {
    let text = "";
    child.on("error", reject);
    child.on("exit", (code) => reject(new Error(`${command} ended with ${code} before it listened`)));
    child.stdio[fd].on("data", (data) => {
      text += data;
      if (text.includes("\n")) resolve(JSON.parse(text.slice(0, text.indexOf("\n"))));
    });
  });
  return { pid: child.pid, said, stop: () => stop(child) };
}

function stop(child) {
  return new Promise((resolve) => {
    child.removeAllListeners("exit");
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.on("exit", resolve);
    child.kill("SIGKILL");
  });
}

// The microseconds of processor time that a process has taken so far, in user and system mode, all of its threads; NaN where
// there is no /proc. The scheduler's own count is exact to the nanosecond; /proc/PID/stat counts in hundredths of a second.
export function cpuMicros(pid) {
  try {
    let nanos = 0;
    for (const thread of fs.readdirSync(`/proc/${pid}/task`)) {
      nanos += Number(fs.readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]);
    }
    if (nanos > 0) return nanos / 1000;
  } catch {
    // A kernel without schedstat, or a thread that has just ended.
  }
  try {
    const fields = fs.readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /s, "").split(" ");
    return (Number(fields[11]) + Number(fields[12])) * 10_000;
  } catch {
    return NaN;
  }
}

export function describe() {
  const model = os.cpus()[0]?.model ?? "unknown processor";
  const where = pinned ? `workerd on processor ${WORKERD_CPU}, load and upstream on ${OTHERS_CPU}` : "nobody pinned to a processor";
  return `${model}, ${processors} processors, load average ${os.loadavg()[0].toFixed(1)}; ${where}`;
}
