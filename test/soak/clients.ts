/**
 * The clients of a soak, in a process of their own: `clients.ts MILLISECONDS TURN ADDRESSES`, these as JSON. They are
 * busy for so long, then all of them go. Prints what they did as one line of JSON; `faults` are answers that nobody
 * should get.
 *
 * @module
 */
import process from "node:process";
import type { Addresses } from "../binary/program.ts";
import { FrameClient } from "../support/frame-client.ts";
import { get, post } from "../support/http-client.ts";
import { Abandoned, agentVisit } from "./agents.ts";
import { badFrames, brokenBeginning, slowReader, vanish } from "./trouble.ts";
import { VISITS } from "./visits.ts";

/** What the clients did. */
export interface Tally {
  readonly counts: Record<string, number>;
  readonly faults: readonly string[];
  /** Where the next ones go on. */
  readonly turn: number;
}

/** Visitors of each service at a time, and how long each rests after a visit. */
const VISITORS = 3;
const REST_MS = 50;
const FAULTS_TOLD = 20;

const [milliseconds = "0", first = "0", text = "{}"] = process.argv.slice(2);
const services = Object.entries(JSON.parse(text) as Record<string, Addresses>);
const late = performance.now() + Number(milliseconds);
const isOver = () => performance.now() >= late;

const counts: Record<string, number> = {};
const faults: string[] = [];
const count = (what: string, by = 1) => counts[what] = (counts[what] ?? 0) + by;
/** Goes on where the clients of the round before have left off, so that what is to be new is. */
let turns = Number(first);

/** Do it again and again until the time is over. A failure is told, and is no reason to stop. */
async function repeat(what: string, work: (turn: number) => Promise<void>): Promise<void> {
  while (!isOver()) {
    const turn = turns++;
    try {
      await work(turn);
      count(what);
    } catch (error) {
      if (faults.length < FAULTS_TOLD) faults.push(`${what}: ${(error as Error).message}`);
      count("faults");
    }
    await new Promise((resolve) => setTimeout(resolve, REST_MS));
  }
}

async function visit(service: string, { websocket, http }: Addresses, turn: number): Promise<void> {
  // Both ports take WebSockets.
  const client = await FrameClient.open(turn % 4 === 0 ? `${http.replace("http", "ws")}/ws` : websocket);
  let answers = 0;
  await VISITS[service]!({
    client,
    http,
    turn,
    async ask(event, data) {
      const answer = await client.request(
        event,
        data,
        turn % 2 === 0 ? { idempotency_key: crypto.randomUUID() } : {},
      );
      if (answer.type === "error") throw new Error(`${event}: ${answer.error_code} ${answer.error_message}`);
      answers++;
      return answer.data;
    },
  });
  count("answers", answers);
  count("events", client.frames.filter(({ type }) => type === "event").length);
  if (turn % 3 === 0) client.ws.terminate();
  else await client.close();
}

async function lookAround({ http }: Addresses, turn: number): Promise<void> {
  const paths = ["health", "ready", "metrics", "api/status", "api/channels"];
  const { status } = await get(`${http}/${paths[turn % paths.length]}`);
  if (status !== 200) throw new Error(`Expected 200 of ${paths[turn % paths.length]}, got ${status}`);
}

const abandoned = new Abandoned();
/** A service and, so that each service gets each kind of trouble, which round this is. */
const someService = (turn: number) =>
  [...services[turn % services.length]!, Math.floor(turn / services.length)] as const;
const buddy = services.find(([name]) => name === "session-buddy")![1];

/** A session whose context is large, and whose readers are slow. */
async function slow(): Promise<void> {
  const asked = async (name: string, data: object) => {
    const { status, body } = await post(`${buddy.http}/api/requests/${name}`, data);
    if (status !== 200) throw new Error(`${name}: ${status} ${JSON.stringify(body)}`);
    return body;
  };
  const { session_id } = await asked("start_session", { project: "slow" });
  const text = "x".repeat(100_000);
  const publish = () => asked("update_session", { session_id, context: { text: text + Math.random() } });
  count(`slow readers: ${await slowReader(buddy.websocket, `session:${session_id}`, publish, isOver)}`);
  await asked("end_session", { session_id });
}

await Promise.all([
  ...services.flatMap(([name, addresses]) =>
    Array.from({ length: VISITORS }, () => repeat(name, (turn) => visit(name, addresses, turn)))
  ),
  ...[0, 1].map(() =>
    repeat("agents", (turn) => {
      const [name, { mcp }, round] = someService(turn);
      return agentVisit(name, mcp, round, abandoned);
    })
  ),
  repeat("looks", (turn) => {
    const [, addresses, round] = someService(turn);
    return lookAround(addresses, round);
  }),
  repeat("bad frames", (turn) => {
    const [, { websocket }, round] = someService(turn);
    return badFrames(websocket, round);
  }),
  repeat("vanished", (turn) => vanish(someService(turn)[1].websocket)),
  repeat("broken beginnings", (turn) => {
    const [, { websocket, http }, round] = someService(turn);
    return brokenBeginning(round % 2 === 0 ? websocket : http, round);
  }),
  repeat("slow", slow),
]);
await abandoned.end();
console.log(JSON.stringify({ counts, faults, turn: turns } satisfies Tally));
process.exit(0);
