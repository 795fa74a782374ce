/**
 * One process of a service makes room for the next one, on the same ports and the same database, while a publisher goes
 * on: what clients of every kind have heard of it in the end.
 */
import { describe, expect, it } from "vitest";
import { createClient } from "../../src/client/node.ts";
import { useBuiltScratch } from "../support/built-scratch.ts";
import { startPython } from "../support/python-program.ts";
import { pythonPath, requireOrSkip } from "../support/require.ts";
import { freePort, serve, type Serving } from "../support/serve-process.ts";
import { hasRuntime, type RuntimeName } from "../support/start-program.ts";

const TIMEOUT_MS = 120_000;
const READERS = 4;
/** Changes in all, fewer than the 256 events that a channel keeps, and the one whose answer the old process is told after. */
const [CHANGES, TOLD_AT] = [200, 70];
const SESSION = "upgraded";
const CHANNEL = `session:${SESSION}`;
const ALL = Array.from({ length: CHANGES }, (_, n) => n);

const scratch = useBuiltScratch();
const hasPython = requireOrSkip(
  "Python with websockets",
  pythonPath(["websockets"]) !== undefined,
  "pip install websockets",
);

/** Comes back soon, so that the test is. */
const DELAYS = { minDelayMs: 20, maxDelayMs: 400 };

/** What a client has heard when the last change is told: the numbers of the changes in order, and gaps. */
interface Heard {
  readonly heard: number[];
  readonly gaps: unknown[];
  readonly connections: number;
}

interface Listening {
  readonly end: Promise<Heard>;
}

/** A client as applications use it. Resolves when it listens. */
async function listen(url: string): Promise<Listening> {
  let connections = 0;
  const reader = createClient({
    url,
    ...DELAYS,
    onState: (state) => void (connections += state === "open" ? 1 : 0),
  });
  const subscription = reader.subscribe(CHANNEL);
  await subscription.ready;
  const read = async () => {
    const [heard, gaps]: [number[], unknown[]] = [[], []];
    for await (const item of subscription) {
      if (item.type === "gap") gaps.push(item);
      if (item.type !== "event" || item.event !== "session.updated") continue;
      heard.push((item.data.changes as { n: number }).n);
      if ((item.data.changes as { n: number }).n === CHANGES - 1) break;
    }
    await reader.close();
    return { heard, gaps, connections };
  };
  return { end: read() };
}

/** The same by a few lines of Python. */
async function listenByPython(url: string): Promise<Listening> {
  const program = startPython("resuming_client.py", [], { url, channel: CHANNEL, last: CHANGES - 1 });
  await program.line((line) => line === "subscribed");
  return { end: program.line((line) => line.startsWith("{")).then((line) => JSON.parse(line)) };
}

const ways: { from: RuntimeName; to: RuntimeName; signal: "SIGTERM" | "SIGKILL" }[] = [
  { from: "node", to: "node", signal: "SIGTERM" },
  { from: "node", to: "node", signal: "SIGKILL" },
  { from: "node", to: "deno", signal: "SIGTERM" },
  { from: "deno", to: "bun", signal: "SIGKILL" },
];

describe.each(ways)(
  "An upgrade from $from to $to by $signal",
  { timeout: TIMEOUT_MS },
  ({ from, to, signal }) => {
    it.runIf([from, to].every(hasRuntime) && hasPython)(
      "brings every client every event, once, in order and without a gap",
      async () => {
        const [port, httpPort] = [await freePort(), await freePort()];
        const flags = scratch.flags(`upgrade-${from}-${to}-${signal}`).slice(-2);
        const args = ["--port", `${port}`, "--http-port", `${httpPort}`, ...flags];
        const begin = (runtime: RuntimeName): Promise<Serving> =>
          serve(runtime, { entry: "session-buddy", args, lifetimeMs: TIMEOUT_MS });
        const old = await begin(from);
        const url = old.websocket;
        const publisher = createClient({ url, ...DELAYS });
        await publisher.request("start_session", { session_id: SESSION, project: "upgrade" });
        const heard = await Promise.all([
          ...Array.from({ length: READERS }, () => listen(url)),
          listenByPython(url),
        ]);

        let next: Promise<Serving> | null = null;
        for (const n of ALL) {
          await publisher.request("update_session", { session_id: SESSION, context: { n } });
          if (n !== TOLD_AT) continue;
          old.kill(signal);
          next = old.ended.then(({ code }) => {
            expect(code).toBe(signal === "SIGTERM" ? 0 : "SIGKILL");
            return begin(to);
          });
        }
        const young = (await next)!;
        expect(young.websocket).toBe(url);
        for (const { end } of heard) {
          const { heard: numbers, gaps, connections } = await end;
          expect(numbers).toEqual(ALL);
          expect(gaps).toEqual([]);
          expect(connections).toBeGreaterThan(1);
        }
        await publisher.close();
        young.kill("SIGTERM");
        expect((await young.ended).code).toBe(0);
      },
    );
  },
);
