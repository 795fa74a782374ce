/**
 * Readers that stop reading, on real sockets: nobody else notices, nothing is lost to who resumes, and of a kind of
 * which the latest counts they get just that.
 *
 * @module
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { FrameClient, type Received } from "../support/frame-client.ts";
import { StallingClient } from "../support/stalling-client.ts";
import { hasRuntime, type Program, type RuntimeName, startProgram } from "../support/start-program.ts";

const PROGRAM = new URL("./slow-server.ts", import.meta.url).pathname;
const PATIENT = { timeout: 60_000, interval: 20 };
/** Clients that connect at a time: the kernel keeps a short queue of those that are not accepted yet. */
const BATCH = 50;

const join = (channel: string, more: object = {}) => ({
  type: "request",
  event: "subscribe",
  id: `join ${channel}`,
  data: { channel, ...more },
});

const numbers = (frames: readonly Received[], event: string) =>
  frames.filter((frame) => frame.event === event && frame.type === "event").map(({ data }) =>
    data.n as number
  );

const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

/** One suite for a runtime, with so many clients at a time. */
export function slowReaderSuite(runtime: RuntimeName, size: number): void {
  describe.runIf(hasRuntime(runtime))(`slow readers on ${runtime}`, { timeout: 120_000 }, () => {
    let program: Program<{ port: number; http: number }>;
    let admin: FrameClient;
    const clients: { end(): void }[] = [];

    const connect = async (...channels: string[]): Promise<FrameClient> => {
      const client = await FrameClient.open(`ws://127.0.0.1:${program.ready.port}`);
      clients.push({ end: () => client.ws.terminate() });
      for (const channel of channels) client.send(join(channel));
      return client;
    };
    const connectMany = async (count: number, channel: string): Promise<FrameClient[]> => {
      const all: FrameClient[] = [];
      while (all.length < count) {
        const batch = Math.min(BATCH, count - all.length);
        all.push(...await Promise.all(Array.from({ length: batch }, () => connect(channel))));
      }
      await expect.poll(() => all.every(({ frames }) => answered(frames, channel)), PATIENT).toBe(true);
      return all;
    };
    const connectStalling = async (...channels: string[]) => {
      const client = await StallingClient.open(program.ready.port);
      clients.push(client);
      for (const channel of channels) client.send(join(channel));
      await expect.poll(() => channels.every((channel) => answered(client.frames, channel)), PATIENT).toBe(
        true,
      );
      const id = client.frames.find(({ data }) => data.connection_id)!.data.connection_id as string;
      return { client, id };
    };
    const answered = (frames: readonly Received[], channel: string) =>
      frames.some(({ correlation_id }) => correlation_id === `join ${channel}`);
    /** Resolves when the server has sent all of it. */
    const send = async (kind: string, data: object): Promise<void> => {
      const id = crypto.randomUUID();
      admin.send({ type: "request", event: `send_${kind}`, id, data });
      const answer = () => admin.frames.find(({ correlation_id }) => correlation_id === id)?.data;
      await expect.poll(answer, PATIENT).toMatchObject({ sent: expect.any(Number) });
    };
    const queue = async (connection_id: string) => (await admin.request("queue", { connection_id })).data;

    beforeAll(async () => {
      program = await startProgram(runtime, PROGRAM);
    }, 60_000);
    beforeAll(async () => {
      admin = await FrameClient.open(`ws://127.0.0.1:${program.ready.port}`);
    });
    afterEach(() => {
      for (const client of clients.splice(0)) client.end();
    });
    afterAll(async () => {
      admin?.ws.terminate();
      await program?.stop();
    }, 60_000);

    it(`one of ${size} that has stalled changes nothing for the others, and resumes without a hole`, async () => {
      const others = await connectMany(size - 1, "feed:all");
      const { client: stalled, id } = await connectStalling("feed:all", "bulk:large");
      stalled.stall();
      // 20 MB for the stalled one alone: more than the network takes for it.
      await Promise.all([
        send("bulk", { to: "large", count: 200, bytes: 100_000 }),
        send("feed", { to: "all", count: 100 }),
      ]);
      await expect.poll(async () => (await queue(id)).open, PATIENT).toBe(false);
      await send("feed", { to: "all", count: 20 });
      const whole = () => others.filter(({ frames }) => numbers(frames, "feed.sent").length >= 120).length;
      await expect.poll(whole, PATIENT).toBe(size - 1);
      for (const { frames } of others) expect(numbers(frames, "feed.sent")).toEqual(upTo(120));

      stalled.flow();
      // The kernel may have cut it before its close frame came through.
      expect([4000, 1006]).toContain(await stalled.closed);
      const last = stalled.frames.findLast(({ room, seq }) => room === "feed:all" && seq);
      const reply = stalled.frames.find(({ correlation_id }) => correlation_id === "join feed:all")!;
      const { epoch, seq } = last ?? reply.data;
      const resumed = await connect();
      resumed.send(join("feed:all", { since: { epoch, seq } }));
      const seen = () => [...numbers(stalled.frames, "feed.sent"), ...numbers(resumed.frames, "feed.sent")];
      await expect.poll(() => seen().length, PATIENT).toBeGreaterThanOrEqual(120);
      expect(seen()).toEqual(upTo(120));
      expect(resumed.frames.some(({ event }) => event === "gap")).toBe(false);
    });

    it("one of a kind of which the latest counts stays, in bounded memory, and gets the newest of each key", async () => {
      const keys = 50;
      const count = 5_000;
      const [reader, feed] = [await connect("gauge:all"), await connect("feed:more")];
      const { client: stalled, id } = await connectStalling("gauge:all");
      stalled.stall();
      const sending = Promise.all([
        send("gauge", { to: "all", count, bytes: 5_000, keys }),
        send("feed", { to: "more", count: 100 }),
      ]);
      let over = false;
      void sending.finally(() => over = true);
      let most = 0;
      for (let looks = 0; !over || looks === 0; looks++) {
        const { open, bytes } = await queue(id);
        expect(open).toBe(true);
        most = Math.max(most, bytes);
      }
      await sending;
      most = Math.max(most, (await queue(id)).bytes);
      // Some of what the network did not take, and 50 parked ones of 5 KB: not the 25 MB that were sent.
      expect(most).toBeGreaterThan(65_536);
      expect(most).toBeLessThan(1_048_576);
      await expect.poll(() => numbers(feed.frames, "feed.sent").length, PATIENT).toBe(100);

      stalled.flow();
      const newest = new Set(upTo(count).slice(-keys));
      const arrived = (frames: readonly Received[]) =>
        numbers(frames, "gauge.sent").filter((n) => newest.has(n)).length;
      for (const { frames } of [stalled, reader]) {
        await expect.poll(() => arrived(frames), PATIENT).toBe(keys);
        const got = numbers(frames, "gauge.sent");
        expect(got).toEqual([...new Set(got)].sort((one, two) => one - two));
      }

      stalled.send({ type: "request", event: "get_status", id: "figures" });
      const figures = () => stalled.frames.find(({ correlation_id }) => correlation_id === "figures")?.data;
      await expect.poll(figures, PATIENT).toBeDefined();
      const got = numbers(stalled.frames, "gauge.sent").length;
      expect(figures()!.connection.delivery).toMatchObject({ events_sent: got, folded: count - got });
      expect(got).toBeLessThan(count);
      const text = await (await fetch(`http://127.0.0.1:${program.ready.http}/metrics`)).text();
      const counted = /^websocket_folded_events_total\{server="slow"\} (\d+)$/m.exec(text)?.[1];
      expect(Number(counted)).toBe(2 * count - got - numbers(reader.frames, "gauge.sent").length);
      expect((await queue(id)).open).toBe(true);
    });
  });
}
