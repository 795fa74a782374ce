/**
 * What happens to a server between two looks at its numbers. Each scenario starts its own server and ends it.
 *
 * @module
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect } from "vitest";
import { FakeClock } from "../support/fake-clock.ts";
import { FrameClient, refusedUpgrade } from "../support/frame-client.ts";
import { post } from "../support/http-client.ts";
import { StallingClient } from "../support/stalling-client.ts";
import { connectClient } from "../mcp/mcp-client.ts";
import { MoodyBroker } from "../server/moody-broker.ts";
import { makeMetered, type Metered, Readings, startMetered } from "./metered-service.ts";

/** Numbers before and after. */
export type Looks = readonly [Readings, Readings];
export type Scenario = () => Promise<Looks>;

const PATIENCE = { timeout: 60_000 };
type Start = Parameters<typeof startMetered>;

/** With a server: `prepare`, look, `work`, look. What `work` gives back undoes it. */
function on(
  start: Start,
  work: (metered: Metered) => Promise<void | (() => unknown)>,
  prepare: (metered: Metered) => Promise<unknown> = () => Promise.resolve(),
): Scenario {
  return async () => {
    const metered = await startMetered(...start);
    try {
      await prepare(metered);
      const before = await metered.read();
      const undo = await work(metered);
      const after = await metered.read();
      await undo?.();
      return [before, after];
    } finally {
      await metered.server.stop();
    }
  };
}

const write = async ({ http }: Metered, note_id: string, text = "") => {
  expect(await post(`${http}/api/requests/write`, { note_id, text })).toMatchObject({ status: 200 });
};

export const connects = on([], async ({ url }) => {
  const client = await FrameClient.open(url);
  await client.request("get_status");
  return () => client.close();
});

export const leaves: Scenario = async () => {
  let client: FrameClient;
  return await on(
    [],
    async ({ server }) => {
      await client.close();
      await expect.poll(() => server.connections.size, PATIENCE).toBe(0);
    },
    async ({ url }) => client = await FrameClient.open(url),
  )();
};

export const subscribes = on([], async ({ url }) => {
  const client = await FrameClient.open(url);
  await client.request("subscribe", { channel: "note:a" });
  return () => client.close();
});

export const hears: Scenario = async () => {
  let client: FrameClient;
  return await on(
    [],
    async (metered) => {
      await write(metered, "a");
      await client.event("note.written", "note:a");
      return () => client.close();
    },
    async ({ url }) => {
      client = await FrameClient.open(url);
      await client.request("subscribe", { channel: "note:a" });
    },
  )();
};

export const writesMuch = on([{ storage: { path: ":memory:" } }], async (metered) => {
  for (let note = 0; note < 10; note++) await write(metered, `note-${note}`, "x".repeat(50_000));
});

export const asksNonsense = on([], async ({ url }) => {
  const client = await FrameClient.open(url);
  await client.request("no_such_request");
  return () => client.close();
});

export const speaksNonsense = on([], async ({ url }) => {
  const client = await FrameClient.open(url);
  client.send("{");
  await client.frame(({ type }) => type === "error");
  return () => client.close();
});

export const isOneTooMany = on([{ websocket: { max_connections: 1 } }], async ({ url }) => {
  const client = await FrameClient.open(url);
  expect((await (await FrameClient.open(url)).closed).code).toBe(1013);
  return () => client.close();
});

export const comesFromElsewhere = on([], async ({ url }) => {
  expect((await refusedUpgrade(url, { origin: "https://elsewhere.example" })).status).toBe(403);
});

export const showsABadToken = on([{ auth: { secret: "only for this test" } }], async ({ url }) => {
  const headers = { authorization: "Bearer nonsense" };
  expect((await refusedUpgrade(url, { headers })).status).toBe(401);
});

/** Not a change in time: another server, with other settings. */
export const isSetOtherwise: Scenario = async () => {
  const [[before], [, after]] = [
    await on([], async () => {})(),
    await on([{ websocket: { max_connections: 7 }, history: { total_bytes: 1_000 } }], async () => {})(),
  ];
  return [before, after];
};

/** A client that has stopped to read, while large events come that only the latest of counts. */
const stalls = (limit: number, come: (metered: Metered, client: StallingClient) => Promise<void>) =>
  on([{ limits: { outbound_queue_bytes: limit } }], async (metered) => {
    const client = await StallingClient.open(metered.server.port);
    for (const [id, channel] of ["note:a", "gauge:a"].entries()) {
      client.send({ type: "request", id: String(id), event: "subscribe", data: { channel } });
    }
    await expect.poll(() => client.frames.length, PATIENCE).toBe(2);
    client.stall();
    await come(metered, client);
    return () => client.end();
  });

const LARGE = "x".repeat(500_000);

export const readsTooSlowly = stalls(100_000, async (metered) => {
  while (metered.server.connections.size > 0) await write(metered, "a", LARGE);
});

export const keepsEventsWaiting = stalls(0, async ({ server, http }) => {
  const [reader] = server.connections.values();
  const show = () => post(`${http}/api/requests/show`, { note_id: "a", text: LARGE });
  while (reader!.ledger.folded === 0) expect(await show()).toMatchObject({ status: 200 });
});

export const isDead: Scenario = async () => {
  const clock = new FakeClock();
  return await on([{}, { clock }], async ({ url, server }) => {
    const client = await FrameClient.open(url, { autoPong: false });
    await expect.poll(() => server.connections.size, PATIENCE).toBe(1);
    const pinged = new Promise((resolve) => client.ws.once("ping", resolve));
    clock.advance(26_000);
    await pinged;
    clock.advance(21_000);
    await client.closed;
  })();
};

const comesBack = (position: (written: { epoch: string; seq: number }) => object) =>
  on([], async (metered) => {
    const client = await FrameClient.open(metered.url);
    const { epoch, seq } = (await client.request("subscribe", { channel: "note:other" })).data;
    await write(metered, "a");
    await client.request("subscribe", { channel: "note:a", since: position({ epoch, seq }) });
    return () => client.close();
  });

export const recovers = comesBack((written) => written);
export const hasLostAll = comesBack(({ seq }) => ({ epoch: "another", seq }));

export const fillsHistory = on([{ history: { total_bytes: 100_000 } }], async (metered) => {
  for (let note = 0; note < 4; note++) await write(metered, "a", "x".repeat(40_000));
});

/** Within an app of somebody's own, which answers before the service is open. */
export const opens: Scenario = async () => {
  const server = await makeMetered();
  const read = async () => new Readings(await (await server.app.request("http://127.0.0.1/metrics")).text());
  const before = await read();
  await server.open();
  try {
    return [before, await read()];
  } finally {
    await server.stop();
  }
};

const withMoods = (
  clock: FakeClock,
  mood: "loses" | "stuck",
  pass: (broker: MoodyBroker) => void,
): Scenario => {
  const { createBroker, last } = MoodyBroker.maker();
  return async () => {
    const metered = await startMetered({}, { clock, createBroker });
    try {
      const before = await metered.read();
      last().mood = mood;
      clock.advance(1_000);
      const given = last().given.length;
      const after = metered.read();
      await expect.poll(() => last().given.length, PATIENCE).toBe(given + 1);
      pass(last());
      return [before, await after];
    } finally {
      await metered.server.stop();
    }
  };
};

export const losesEvents: Scenario = () => {
  const clock = new FakeClock();
  return withMoods(clock, "loses", () => clock.advance(2_000))();
};

export const delaysEvents: Scenario = () => {
  const clock = new FakeClock();
  return withMoods(clock, "stuck", (broker) => {
    clock.advance(700);
    broker.recover();
  })();
};

export const passesTime: Scenario = () => {
  const clock = new FakeClock();
  return on([{}, { clock }], () => Promise.resolve(clock.advance(1_000)))();
};

export const hasAgents = on([], async ({ http, read }) => {
  const { client } = await connectClient(`${http}/mcp`);
  // The client's stream opens by itself, when it has time.
  await expect.poll(async () => (await read()).sum("mcp_streams"), PATIENCE).toBe(1);
  return () => client.close();
});

/** Holds on to what it has made until it is looked at. What others have left behind would go meanwhile: it goes before. */
export const usesTheMachine = on([], () => {
  const heap = Array.from({ length: 1_000_000 }, (_, index) => ({ index }));
  const memory = new Uint8Array(200_000_000).fill(1);
  return Promise.resolve(() => expect(heap.length + memory.length).toBeGreaterThan(0));
}, () => {
  setFlagsFromString("--expose-gc");
  runInNewContext("globalThis.gc ?? (() => {})")();
  return Promise.resolve();
});
