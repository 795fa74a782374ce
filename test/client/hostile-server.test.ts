/**
 * A server that says what no server should: whatever it is, the client takes no harm, and the application gets only what
 * has the types that it was promised.
 */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { createClient, type Item } from "../../src/client/mod.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { hasRuntime, type RuntimeName, startProgram } from "../support/start-program.ts";
import { type ScriptedSocket, scriptedSockets, type Sent } from "./scripted-socket.ts";

const program = new URL("./hostile-program.ts", import.meta.url).pathname;
const runtimes = (["node", "deno", "bun"] as RuntimeName[]).filter(hasRuntime);

function setUp() {
  const clock = new FakeClock();
  const sockets = scriptedSockets();
  const client = createClient({
    url: "ws://hostile",
    token: "a-token",
    WebSocket: sockets.WebSocket,
    clock,
    // The test moves the clock without saying a word.
    silenceMs: 10_000_000,
    random: () => 0,
  });
  sockets.newest().open();
  return { clock, client, ...sockets };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

/** Frames such as a server sends, some of them answers to what the client has said. */
function likely(sent: readonly Sent[]): object[] {
  const place = { room: "doc:a", seq: 9, epoch: "e1", timestamp: "2026-01-01T00:00:00Z", id: "i" };
  const answers = sent.flatMap(({ id }) => [
    { type: "response", correlation_id: id, data: { status: "subscribed", epoch: "e1", seq: 7 } },
    {
      type: "response",
      correlation_id: id,
      data: { status: "subscribed", epoch: "e1", seq: 7, recovered: false, from: 3, snapshot: { n: 1 } },
    },
    {
      type: "error",
      correlation_id: id,
      data: {},
      error_code: "RATE_LIMIT_EXCEEDED",
      error_message: "Retry after 0.250 seconds.",
    },
    { type: "error", correlation_id: id, data: {}, error_code: "FORBIDDEN", error_message: "No" },
  ]);
  return [
    ...answers,
    { type: "event", event: "welcome", room: null, data: { publish_window: 4 } },
    { type: "event", event: "doc.changed", data: { n: 1 }, prev: 8, ...place },
    { type: "event", event: "doc.changed", data: { n: 1 }, room: "doc:b" },
    { type: "event", event: "gap", data: { from: 1, to: 9, cause: "history" }, ...place },
    { type: "event", event: "position", data: {}, ...place },
    { type: "error", data: {}, room: "doc:a", error_code: "FORBIDDEN", error_message: "No more" },
    { type: "pong", data: {} },
  ];
}

/** Which of the frames, what to replace in it, and by what. */
const twist = fc.record({
  frame: fc.nat(),
  member: fc.option(fc.nat()),
  inData: fc.boolean(),
  value: fc.oneof(
    fc.jsonValue(),
    fc.constantFrom(null, -1, 1.5, 2 ** 53, "", "x", [], {}, { toString: 1 }, true),
  ),
});

type Twist = typeof twist extends fc.Arbitrary<infer T> ? T : never;

function twisted(frames: readonly object[], { frame, member, inData, value }: Twist): object {
  const found = { ...frames[frame % frames.length] } as { data: object };
  if (member === null) return found;
  const replaced = (part: object) => {
    const names = [...Object.keys(part), "seq", "epoch"];
    return { ...part, [names[member % names.length]!]: value };
  };
  return inData ? { ...found, data: replaced(found.data) } : replaced(found);
}

function expectPromised(item: Item): void {
  expect(item.channel).toBeTypeOf("string");
  if (item.type === "gap") {
    for (const end of [item.from, item.to]) expect(["number", "object"]).toContain(typeof end);
    expect(item.cause).toBeTypeOf("string");
  } else if (item.type === "event") {
    for (const text of [item.event, item.id, item.timestamp]) expect(text).toBeTypeOf("string");
    expect(item.data).toBeTypeOf("object");
    expect(item.data).not.toBeNull();
  }
  if (item.type !== "gap" && item.seq !== undefined) {
    expect(Number.isSafeInteger(item.seq)).toBe(true);
    expect(item.epoch).toBeTypeOf("string");
  }
}

/** What the client asks is still sent, and its answer still comes. */
async function expectAnswer(asked: Promise<object>, socket: ScriptedSocket): Promise<void> {
  const frame = socket.take().find(({ data }) => data.last === true)!;
  socket.answers(frame, { fine: true });
  expect(await asked).toEqual({ fine: true });
}

describe("the client takes no harm of", () => {
  it("frames of which any member may be anything", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(twist, { minLength: 1, maxLength: 30 }), async (twists) => {
        const { clock, client, newest } = setUp();
        const subscriptions = [
          client.subscribe("doc:a", { since: { epoch: "e1", seq: 2 } }),
          client.subscribe("doc:*"),
          client.subscribe("cursor:a", { last: 3 }),
        ];
        const requests = [client.request("ask", {}), client.publish("said", {})].map((asked) =>
          asked.then(
            (data) => expect(data).toBeTypeOf("object"),
            (error) => expect(error).toBeInstanceOf(Error),
          )
        );
        const items: Item[] = [];
        const readers = subscriptions.map(async (subscription) => {
          try {
            for await (const item of subscription as AsyncIterable<Item>) items.push(item);
          } catch (error) {
            expect(error).toBeInstanceOf(Error);
          }
        });
        const sent = newest().take();
        for (const one of twists) {
          newest().says(twisted(likely(sent), one));
          sent.push(...newest().take());
        }
        await settle();
        for (const item of items) expectPromised(item);
        for (const { position } of subscriptions) {
          if (position) expect(Number.isSafeInteger(position.seq)).toBe(true);
        }
        clock.advance(60_000);
        expect(client.state).toBe("open");
        await expectAnswer(client.request("ask", { last: true }, { timeoutMs: 0 }), newest());
        client.close();
        await Promise.all([...readers, ...requests]);
        expect(clock.pending).toBe(0);
      }),
      { numRuns: Number(process.env["CLIENT_RUNS"] ?? 300) },
    );
  }, 120_000);

  it("a state that is nested without end", async () => {
    const { client, newest } = setUp();
    const subscription = client.subscribe("doc:a");
    const { id } = newest().take().find(({ event }) => event === "subscribe")!;
    const depth = 100_000;
    const snapshot = "[".repeat(depth) + "]".repeat(depth);
    newest().says(
      `{"type":"response","correlation_id":"${id}","data":{"epoch":"e1","seq":1,"snapshot":${snapshot}}}`,
    );
    expect(await subscription.ready).toMatchObject({ position: { epoch: "e1", seq: 1 } });
    client.close();
  });

  it("a refusal of digits without end, and one for all time", () => {
    const { clock, client, newest } = setUp();
    void client.request("ask", {}, { timeoutMs: 0 }).catch(() => {});
    const [, ask] = newest().take();
    newest().refuses(ask!, "RATE_LIMIT_EXCEEDED", "1".repeat(1_000_000));
    clock.advance(1_500);
    const [again] = newest().take();
    newest().refuses(again!, "RATE_LIMIT_EXCEEDED", "Retry after 99999999 seconds.");
    clock.advance(60_000);
    expect(newest().take()).toMatchObject([{ event: "ask" }]);
    client.close();
  });

  it("a window for publishes that is no number of them", () => {
    const { client, newest } = setUp();
    for (const publish_window of [-1, "none", {}, [], true, 0.5, NaN]) {
      newest().says({ type: "event", event: "welcome", room: null, data: { publish_window } });
    }
    newest().take();
    for (let i = 0; i < 20; i++) void client.publish("said", {}).catch(() => {});
    expect(newest().take()).toHaveLength(16);
    client.close();
  });
});

/** What the server does with a connection, by its path. */
const CONDUCT: Readonly<Record<string, (ws: WebSocket) => void>> = {
  "/binary": (ws) =>
    ws.send(new TextEncoder().encode('{"type":"event","event":"told","room":"a","data":{}}')),
  "/huge": (ws) =>
    ws.send(JSON.stringify({ type: "event", event: "told", room: "a", data: "x".repeat(1_200_000) })),
  "/endless": (ws) => {
    const send = () => ws.send('{"type":"event",', { fin: false }, (error) => error || setImmediate(send));
    send();
  },
  "/cut": (ws) => ws.terminate(),
};

describe.each(runtimes)("the client on %s", { timeout: 60_000 }, (runtime) => {
  let server: WebSocketServer;
  let url: string;
  beforeAll(async () => {
    server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: true });
    server.on("connection", (ws, request) => {
      ws.on("error", () => {});
      CONDUCT[request.url ?? ""]?.(ws);
    });
    await once(server, "listening");
    url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });

  async function heard(path: string, until: "connecting" | "malformed") {
    const started = await startProgram<{ states: string[]; errors: string[]; items: number }>(
      runtime,
      program,
      {
        args: [url + path, until],
      },
    );
    expect(await started.ended, started.stderr()).toBe(0);
    return started.ready;
  }

  it("leaves binary messages out", async () => {
    expect(await heard("/binary", "malformed")).toEqual({
      states: ["open"],
      errors: ["malformed"],
      items: 0,
    });
  });

  it.each(["/huge", "/endless", "/cut"])("loses the connection over %s, and comes back", async (path) => {
    const { states, items } = await heard(path, "connecting");
    expect(states).toEqual(["open", "connecting", "open"]);
    expect(items).toBe(0);
  });
});
