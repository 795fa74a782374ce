import { spawnSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { buildOnce } from "../support/build-once.ts";
import { freePort, makeScratch, type Scratch, serve, type Serving } from "../support/serve-process.ts";
import { hasRuntime, type RuntimeName } from "../support/start-program.ts";
import { requireOrSkip } from "../support/require.ts";
import { Listener, Requester } from "./listener.ts";

const CHANNELS = 50;
/** Events of each channel while nobody listens, and again while all come back. */
const MISSED = 10;
const TIMEOUT_MS = 300_000;

const CROWDS = [
  { runtime: "node", clients: 10_000 },
  { runtime: "deno", clients: 1_000 },
  { runtime: "bun", clients: 1_000 },
] as const;

/** What this process and the server each have open, besides the sockets. */
const SPARE_FILES = 1_000;

/** Node, Deno and Bun raise their limit to the hard one by themselves. */
function mayOpen(files: number): boolean {
  const limit = spawnSync("sh", ["-c", "ulimit -Hn"], { encoding: "utf8" }).stdout?.trim();
  return limit === "unlimited" || Number(limit) >= files;
}

let scratch: Scratch;
beforeAll(async () => {
  await buildOnce();
  scratch = await makeScratch();
  await mkdir(join(scratch.folder, "settings"));
  await writeFile(
    join(scratch.folder, "settings", "session-buddy.yaml"),
    "websocket:\n  max_connections: 0\n  message_rate_limit: 0\nlog:\n  level: warn\n",
  );
}, 120_000);
afterAll(() => scratch.remove());

const channelOf = (client: number) => `session:s${client % CHANNELS}`;

/** Linux has a whole net of loopback addresses, and so more ports than one address has. */
const addressOf = (client: number) => process.platform === "linux" ? `127.0.0.${2 + client % 20}` : undefined;

/** A system has room for only so many connections that wait to be accepted. Who finds none tries again, as clients do. */
const MAX_TRIES = 10;

/** Connect all at once. Resolves when each has an answer to its subscribe. */
async function connectAll(
  clients: number,
  connect: (client: number) => Listener,
): Promise<{ listeners: Listener[]; retries: number }> {
  let retries = 0;
  const answered = async (client: number): Promise<Listener> => {
    for (let tries = 1;; tries++) {
      const listener = connect(client);
      try {
        await listener.subscribed;
        return listener;
      } catch (error) {
        if (listener.sent > 0 || tries === MAX_TRIES) throw error;
        retries++;
      }
    }
  };
  const listeners = await Promise.all(Array.from({ length: clients }, (_, client) => answered(client)));
  return { listeners, retries };
}

async function publish(requester: Requester, from: number): Promise<void> {
  const updates = Array.from({ length: MISSED * CHANNELS }, (_, n) =>
    requester.request("update_session", {
      session_id: `s${n % CHANNELS}`,
      context: { n: from + Math.floor(n / CHANNELS) },
    }));
  await Promise.all(updates);
}

/** Seqs of every channel's events, oldest first, as its history says. */
async function histories(requester: Requester): Promise<Map<string, number[]>> {
  const channels = Array.from({ length: CHANNELS }, (_, n) => channelOf(n));
  return new Map(
    await Promise.all(channels.map(async (channel): Promise<[string, number[]]> => {
      const { events, has_more } = await requester.request("get_history", { channel, limit: 1_000 });
      expect(has_more).toBe(false);
      return [channel, events.map(({ seq }: { seq: number }) => seq)];
    })),
  );
}

/** All come back at once, while more is published; each is to get what it missed, once and in order. */
async function comeBack(url: string, before: readonly Listener[], from: number): Promise<Listener[]> {
  const requester = await Requester.open(url);
  await publish(requester, from);
  const started = performance.now();
  const connecting = connectAll(
    before.length,
    (n) => new Listener(url, channelOf(n), { since: before[n]!.position, from: addressOf(n) }),
  );
  const meanwhile = publish(requester, from + MISSED);
  const { listeners: after, retries } = await connecting;
  const answered = performance.now();
  await meanwhile;
  const expected = await histories(requester);
  await Promise.all(after.map((listener, n) => {
    const last = expected.get(channelOf(n))!.at(-1)!;
    return listener.until((events) => (events.at(-1)?.seq ?? 0) >= last);
  }));
  const seconds = (since: number) => ((performance.now() - since) / 1_000).toFixed(1);
  const toAnswers = ((answered - started) / 1_000).toFixed(1);
  const took = `answered in ${toAnswers} s, up to date in ${seconds(started)} s, ${retries} tries in vain`;
  console.info(`${after.length} came back: ${took}`);
  const replies = await Promise.all(after.map(({ subscribed }) => subscribed));
  expect(replies.filter(({ recovered }) => recovered !== true)).toEqual([]);
  for (const [n, { events, strange, sent }] of after.entries()) {
    const missed = expected.get(channelOf(n))!.filter((seq) => seq > before[n]!.position.seq);
    const what = `client ${n}`;
    expect(events.map(({ seq }) => seq), what).toEqual(missed);
    expect(missed, what).toHaveLength(2 * MISSED);
    expect(events.map(({ data }) => data.changes.n), what).toEqual(missed.map((_, index) => from + index));
    expect(strange, what).toEqual([]);
    expect(sent, what).toBe(1);
  }
  await requester.close();
  return after;
}

async function serveOn(runtime: RuntimeName, port: number): Promise<Serving> {
  const storage = join(scratch.folder, `${runtime}.db`);
  const program = await serve(runtime, {
    args: ["session-buddy", "--port", `${port}`, "--http-port", "0", "--storage", storage],
    folder: scratch.folder,
    lifetimeMs: TIMEOUT_MS,
  });
  onTestFinished(() => program.kill("SIGKILL"));
  return program;
}

describe.each(CROWDS)("$clients clients of a server on $runtime", ({ runtime, clients }) => {
  const files = clients + SPARE_FILES;
  const can = hasRuntime(runtime) &&
    requireOrSkip(`${files} open files`, mayOpen(files), "raise the hard limit: ulimit -Hn");

  it.runIf(can)(
    "that are cut at once come back at once, and miss nothing",
    { timeout: TIMEOUT_MS },
    async () => {
      const port = await freePort();
      const first = await serveOn(runtime, port);
      const url = first.websocket;
      const requester = await Requester.open(url);
      for (let n = 0; n < CHANNELS; n++) {
        await requester.request("start_session", { session_id: `s${n}`, project: "edges" });
      }
      const connect = (n: number) => new Listener(url, channelOf(n), { from: addressOf(n) });
      let { listeners } = await connectAll(clients, connect);
      await requester.close();

      // The network fails.
      for (const { ws } of listeners) ws.terminate();
      await Promise.all(listeners.map(({ closed }) => closed));
      listeners = await comeBack(url, listeners, 0);

      // The server is killed.
      first.kill("SIGKILL");
      expect((await first.ended).code).toBe("SIGKILL");
      expect(new Set(await Promise.all(listeners.map(({ closed }) => closed)))).toEqual(new Set([1006]));
      const second = await serveOn(runtime, port);
      expect(second.websocket).toBe(url);
      listeners = await comeBack(url, listeners, 2 * MISSED);

      for (const { ws } of listeners) ws.terminate();
      second.kill("SIGTERM");
      expect(await second.ended).toMatchObject({ code: 0, complaints: [] });
    },
  );
});
