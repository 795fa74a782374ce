import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildOnce } from "../support/build-once.ts";
import { makeScratch, type Scratch, serve, type Serving } from "../support/serve-process.ts";
import { hasRuntime } from "../support/start-program.ts";
import { Listener, Requester } from "./listener.ts";

const MISSED = 1_000;
const CHANNEL = "session:recovered";

let scratch: Scratch;
beforeAll(async () => {
  await buildOnce();
  scratch = await makeScratch();
  await mkdir(join(scratch.folder, "settings"));
  await writeFile(
    join(scratch.folder, "settings", "session-buddy.yaml"),
    `history:\n  events: ${MISSED}\nwebsocket:\n  message_rate_limit: 0\n`,
  );
}, 120_000);
afterAll(() => scratch.remove());

describe.each(["node", "deno", "bun"] as const)("a client that missed 1,000 events on %s", (runtime) => {
  let program: Serving;
  beforeAll(async () => {
    if (!hasRuntime(runtime)) return;
    program = await serve(runtime, {
      args: ["session-buddy", ...scratch.flags(runtime)],
      folder: scratch.folder,
      lifetimeMs: 240_000,
    });
  }, 60_000);
  afterAll(async () => {
    program?.kill("SIGTERM");
    expect(await program?.ended).toMatchObject({ code: 0, complaints: [] });
  }, 60_000);

  it.runIf(hasRuntime(runtime))("gets them all, in order, for one frame that it sends", {
    timeout: 120_000,
  }, async () => {
    const requester = await Requester.open(program.websocket);
    await requester.request("start_session", { session_id: "recovered", project: "edges" });
    const before = new Listener(program.websocket, CHANNEL);
    const since = await before.subscribed;
    await before.close();

    const updates = Array.from(
      { length: MISSED },
      (_, n) => requester.request("update_session", { session_id: "recovered", context: { n } }),
    );
    await Promise.all(updates);

    const opened = new Listener(program.websocket, CHANNEL, { since });
    await new Promise((resolve) => opened.ws.once("open", resolve));
    const asked = performance.now();
    const reply = await opened.subscribed;
    expect(reply).toMatchObject({ recovered: true, epoch: since.epoch });
    await opened.until(({ length }) => length >= MISSED);
    console.info(`recovery on ${runtime}: ${MISSED} events in ${Math.round(performance.now() - asked)} ms`);
    expect(opened.events.map(({ data }) => data.changes.n)).toEqual(updates.map((_, n) => n));
    let { seq } = since;
    for (const event of opened.events) {
      // What follows what: the first one what the client had seen last.
      expect(event.prev <= seq && seq < event.seq, `${seq}: ${event.prev}, ${event.seq}`).toBe(true);
      seq = event.seq;
    }
    expect(opened.strange).toEqual([]);
    expect(opened.sent).toBe(1);

    // And it is live.
    await requester.request("update_session", { session_id: "recovered", context: { n: "live" } });
    await opened.until(({ length }) => length > MISSED);
    expect(opened.events.slice(MISSED).map(({ data }) => data.changes.n)).toEqual(["live"]);
    for (const client of [opened, requester]) await client.close();
  });
});
