/**
 * What is left of a subscription and of a call when the line breaks: nothing is missed. The MCP package's own client, a
 * real service on each runtime, and a line between them that is cut.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { buildOnce } from "../support/build-once.ts";
import { FrameClient } from "../support/frame-client.ts";
import { makeScratch, type Scratch, serve, type Serving } from "../support/serve-process.ts";
import { hasRuntime } from "../support/start-program.ts";
import { BrokenLine } from "./broken-line.ts";
import { Subscriber } from "./subscriber.ts";

const GLOBAL = "session-buddy://global";
const PATIENCE = { timeout: 30_000, interval: 20 };

describe.each(["node", "deno", "bun"] as const)("/mcp on %s and a line that breaks", (runtime) => {
  describe.runIf(hasRuntime(runtime))("between the MCP package's client and a service", () => {
    let scratch: Scratch;
    let service: Serving;
    let publisher: FrameClient;
    let line: BrokenLine;

    beforeAll(async () => {
      if (runtime === "node") await buildOnce();
      scratch = await makeScratch();
      service = await serve(runtime, {
        args: ["session-buddy", ...scratch.flags("resume")],
        lifetimeMs: 240_000,
      });
      publisher = await FrameClient.open(service.websocket);
    }, 180_000);
    afterAll(async () => {
      await publisher?.close();
      service?.kill("SIGTERM");
      await service?.ended;
      await scratch?.remove();
    }, 60_000);
    beforeEach(async () => {
      line = await BrokenLine.to(service.mcp);
      onTestFinished(() => line.close());
    });

    const follow = async (uri: string): Promise<Subscriber> => {
      const subscriber = new Subscriber(line.url, uri);
      onTestFinished(() => subscriber.close());
      await subscriber.open();
      return subscriber;
    };
    const announce = async (message: string): Promise<void> => {
      const data = { message, level: "info", source: "a test" };
      const reply = await publisher.request("publish", {
        channel: "global",
        event: "system.announcement",
        data,
      });
      expect(reply).toMatchObject({ type: "response", data: { status: "published" } });
    };
    const messagesIn = async (subscriber: Subscriber): Promise<unknown[]> =>
      (await subscriber.read()).recent.map(({ data }) => data.message);

    it("tells a subscriber of what is published over a WebSocket", async () => {
      const subscriber = await follow(GLOBAL);
      await announce(`first on ${runtime}`);
      await expect.poll(() => subscriber.updates, PATIENCE).toEqual([{ uri: GLOBAL, streams: 1 }]);
      expect(await messagesIn(subscriber)).toContain(`first on ${runtime}`);
    }, 60_000);

    it("tells a subscriber of a channel's state as requests over a WebSocket change it", async () => {
      const session = { session_id: `resume-${runtime}` };
      const uri = `session-buddy://session/${session.session_id}`;
      const subscriber = await follow(uri);
      await publisher.request("start_session", { ...session, project: "house" });
      await publisher.request("update_session", { ...session, context: { step: 7 } });
      await expect.poll(() => subscriber.updates, PATIENCE).toContainEqual({ uri, streams: 1 });
      const { snapshot, recent } = await subscriber.read();
      expect(snapshot).toMatchObject({ ...session, context: { step: 7 } });
      expect(recent.map(({ event }) => event)).toEqual(["session.created", "session.updated"]);
    }, 60_000);

    it.each(["both", "client"] as const)(
      "brings a subscriber what it missed when its line was cut, as seen by: %s",
      async (sides) => {
        const subscriber = await follow(GLOBAL);
        for (const round of [1, 2, 3]) {
          await announce(`heard in round ${round} by ${sides}`);
          await expect.poll(() => subscriber.updates, PATIENCE).toContainEqual({
            uri: GLOBAL,
            streams: round,
          });
          line.cut(sides);
          await announce(`missed in round ${round} by ${sides}`);
          line.mend();
          await expect.poll(() => subscriber.updates, PATIENCE)
            .toContainEqual({ uri: GLOBAL, streams: round + 1 });
          expect(subscriber.resumed.at(-1)).toEqual(expect.any(String));
          expect(await messagesIn(subscriber)).toContain(`missed in round ${round} by ${sides}`);
        }
      },
      120_000,
    );

    it.each(["both", "client"] as const)(
      "brings a subscriber what it missed when its line was cut before anything had happened, as seen by: %s",
      async (sides) => {
        const subscriber = await follow(GLOBAL);
        await expect.poll(() => subscriber.canResume, PATIENCE).toBe(true);
        line.cut(sides);
        await announce(`missed from the beginning by ${sides}`);
        line.mend();
        await expect.poll(() => subscriber.updates, PATIENCE).toContainEqual({ uri: GLOBAL, streams: 2 });
        expect(await messagesIn(subscriber)).toContain(`missed from the beginning by ${sides}`);
      },
      60_000,
    );

    it.each(["both", "client"] as const)(
      "brings the answer of a tool that waits to a client whose line was cut meanwhile, as seen by: %s",
      async (sides) => {
        const subscriber = await follow(GLOBAL);
        const { seq, epoch } = await subscriber.read();
        const tokens: string[] = [];
        const waits = subscriber.client.callTool(
          {
            name: "wait_for_event",
            arguments: { channel: "global", since: `${epoch}:${seq}`, timeout: 40 },
          },
          undefined,
          { onresumptiontoken: (token) => tokens.push(token) },
        );
        await expect.poll(() => tokens, PATIENCE).toHaveLength(1);
        line.cut(sides);
        await announce(`waited for by ${sides}`);
        line.mend();
        expect(await waits).toMatchObject({
          structuredContent: { outcome: "matched", event: { data: { message: `waited for by ${sides}` } } },
        });
      },
      60_000,
    );
  });
});
