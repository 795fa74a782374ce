/**
 * `npm exec -- deno run -A scripts/bench-mcp.ts [ROUNDS]` (or Bun, or Node 22.18 and newer): what agents that wait cost
 * those who are told over a WebSocket. 500 clients are in a channel in which events happen at a steady pace: alone; beside
 * 200 MCP sessions that wait for another event of the channel; and beside 200 that are subscribed to it as a resource
 * too. Takes about half a minute. What is measured with a machine that has other work, or less than four cores for the
 * three processes, says little of the delays.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const SUBSCRIBERS = 500;
const AGENTS = 200;
const EVENTS = 40;
const EVERY_MS = 50;

interface Run {
  readonly cpuMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** How the agents of a run are called, and how they are started; null for none. */
const MODES = [["alone", null], ["beside 200 that wait", "waiting"], [
  "… and are subscribed",
  "subscribed",
]] as const;

const rounds = Number(process.argv[2] ?? 3);
const epochMs = () => performance.timeOrigin + performance.now();

/** A program of this folder on the runtime of this one, and the lines that it prints. */
function start(file: string, ...args: string[]): { child: ChildProcess; line: () => Promise<string> } {
  const program = fileURLToPath(new URL(file, import.meta.url));
  const words = "Deno" in globalThis ? ["run", "-A", "--no-check", program] : [program];
  const child = spawn(process.execPath, [...words, ...args], { stdio: ["pipe", "pipe", "inherit"] });
  process.once("exit", () => void child.kill("SIGKILL"));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${file} ended before it should`);
    return value;
  };
  return { child, line };
}

const server = start("./bench-mcp-server.ts");
const ports: { websocket: number; http: number } = JSON.parse(await server.line());
const http = `http://127.0.0.1:${ports.http}`;

/** Milliseconds from event to client, of the run under way. */
let delays: number[] = [];

async function subscribe(): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${ports.websocket}`);
  await new Promise((resolve, reject) => {
    socket.onerror = () => reject(new Error("Cannot connect a subscriber"));
    socket.onopen = () => socket.send(JSON.stringify({ type: "subscribe", data: { channel: "feed" } }));
    socket.onmessage = ({ data }) => {
      // Parsing all of it would measure this process.
      const at = /"at":([\d.]+)/.exec(data)?.[1];
      if (at !== undefined) delays.push(epochMs() - Number(at));
      else if (data.includes('"type":"ack"')) resolve(null);
    };
  });
  return socket;
}

async function measure(): Promise<Run> {
  delays = [];
  const response = await fetch(`${http}/api/requests/send`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ count: EVENTS, every_ms: EVERY_MS }),
  });
  const { cpu_ms: cpuMs } = await response.json();
  const expected = SUBSCRIBERS * EVENTS;
  for (const late = epochMs() + 10_000; delays.length < expected && epochMs() < late;) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  if (delays.length !== expected) throw new Error(`Expected ${expected} deliveries, got ${delays.length}`);
  const sorted = delays.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))]!;
  return { cpuMs, p50Ms: at(0.5), p99Ms: at(0.99) };
}

/** One run beside agents, and the updates that they were told of. */
async function measureBeside(mode: string): Promise<Run & { updates: number }> {
  const { child, line } = start("./bench-mcp-agents.ts", `${http}/mcp`, String(AGENTS), mode);
  await line();
  // What opening that many sessions has left behind is done by then.
  await measure();
  const run = await measure();
  child.stdin!.end();
  return { ...run, updates: Number(await line()) };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function print(name: string, ...cells: readonly (string | number)[]): void {
  const texts = cells.map((cell) => typeof cell === "number" ? cell.toFixed(1) : cell);
  console.log(name.padEnd(34), ...texts.map((text) => text.padStart(9)));
}

const sockets = await Promise.all(Array.from({ length: SUBSCRIBERS }, subscribe));
await measure();
print(`${SUBSCRIBERS} subscribers, ${EVENTS} events`, "CPU ms", "p50 ms", "p99 ms", "updates");
const runs = new Map<string, Run[]>(MODES.map(([name]) => [name, []]));
for (let round = 0; round < rounds; round++) {
  for (const [name, mode] of MODES) {
    const run = mode === null ? { ...await measure(), updates: 0 } : await measureBeside(mode);
    runs.get(name)!.push(run);
    print(name, run.cpuMs, run.p50Ms, run.p99Ms, String(run.updates));
  }
}
const medians = MODES.map(([name]) => {
  const all = runs.get(name)!;
  return [
    name,
    ...(["cpuMs", "p50Ms", "p99Ms"] as const).map((of) => median(all.map((run) => run[of]))),
  ] as const;
});
for (const [name, ...of] of medians) print(`median ${name}`, ...of);
const [, ...alone] = medians[0]!;
for (const [name, ...of] of medians.slice(1)) {
  print(
    `ratio ${name}`,
    ...of.map((value, index) => (value as number / (alone[index] as number)).toFixed(2)),
  );
}
for (const socket of sockets) socket.close();
server.child.kill("SIGTERM");
await once(server.child, "exit");
process.exit(0);
