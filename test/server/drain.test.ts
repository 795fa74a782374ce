/**
 * A server that stops while it is asked something.
 */
import { once } from "node:events";
import { connect } from "node:net";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { silentLog } from "../../src/ports/log.ts";
import { defineContract } from "../../src/protocol/contract.ts";
import { detectRuntime } from "../../src/runtimes/detect.ts";
import { RealtimeServer } from "../../src/server/realtime-server.ts";
import { defineService } from "../../src/service/define-service.ts";
import { FrameClient } from "../support/frame-client.ts";
import { get, post } from "../support/http-client.ts";

const answer = v.object({ done: v.boolean() });
const contract = defineContract({
  name: "slow",
  ports: { http: 18_679, websocket: 18_689 },
  channels: {},
  events: {},
  requests: { wait: { description: "Wait", access: "read", input: v.object({}), output: answer } },
});

/** A server on which `wait` is answered when the test says so. */
async function startSlow(drainMs: number) {
  let asked = 0;
  let answerAll: () => void = () => {};
  const released = new Promise<void>((resolve) => answerAll = resolve);
  const waiting = new Set<() => void>();
  const service = defineService({
    contract,
    createManager: () => ({}),
    createHandlers: () => ({
      wait: async () => {
        asked++;
        waiting.forEach((check) => check());
        await released;
        return { done: true };
      },
    }),
  });
  const server = new RealtimeServer(service, {
    runtime: await detectRuntime({ log: silentLog }),
    log: silentLog,
    settings: {
      websocket: { port: 0, welcome: "off" },
      http: { port: 0 },
      storage: { path: "none" },
      shutdown: { drain_ms: drainMs },
    },
  });
  await server.start();
  return {
    server,
    websocket: `ws://127.0.0.1:${server.port}`,
    http: `http://127.0.0.1:${server.httpPort}`,
    answerAll,
    /** Resolves when so many requests wait. */
    asked: (count: number) =>
      new Promise<void>((resolve) => {
        const check = () => asked >= count && resolve();
        waiting.add(check);
        check();
      }),
  };
}

describe("RealtimeServer.stop", { timeout: 60_000 }, () => {
  it("is not ready at once, answers what is under way, and lets nobody new in", async () => {
    const slow = await startSlow(30_000);
    const asking = await FrameClient.open(slow.websocket);
    const quiet = await FrameClient.open(slow.websocket);
    const answers = [asking.request("wait"), post(`${slow.http}/api/requests/wait`, {})] as const;
    await slow.asked(2);

    const stopped = slow.server.stop();
    // Who asks nothing goes at once, who waits for an answer stays.
    expect(await quiet.closed).toMatchObject({ code: 1001 });
    expect(await get(`${slow.http}/ready`)).toMatchObject({ status: 503, body: { status: "not_ready" } });
    expect((await new FrameClient(slow.websocket).closed).code).toBe(1001);
    expect(asking.ws.readyState).toBe(asking.ws.OPEN);

    slow.answerAll();
    expect((await answers[0]).data).toEqual({ done: true });
    expect((await answers[1]).body).toEqual({ done: true });
    expect(await asking.closed).toMatchObject({ code: 1001 });
    await stopped;
    const socket = connect({ host: "127.0.0.1", port: Number(new URL(slow.http).port) });
    expect((await once(socket, "error"))[0]).toMatchObject({ code: "ECONNREFUSED" });
  });

  it("takes nothing more from who waits for an answer", async () => {
    const slow = await startSlow(30_000);
    const asking = await FrameClient.open(slow.websocket);
    const first = asking.request("wait");
    await slow.asked(1);
    const stopped = slow.server.stop();
    await get(`${slow.http}/ready`);
    asking.send({ type: "request", id: "late", event: "get_status", data: {} });
    asking.ws.ping();
    await once(asking.ws, "pong");
    slow.answerAll();
    expect((await first).type).toBe("response");
    expect((await asking.closed).code).toBe(1001);
    expect(asking.frames.filter((frame) => frame.correlation_id === "late")).toEqual([]);
    await stopped;
  });

  it("waits for no answer longer than shutdown.drain_ms", async () => {
    const slow = await startSlow(100);
    const asking = await FrameClient.open(slow.websocket);
    asking.send({ type: "request", id: "never", event: "wait", data: {} });
    await slow.asked(1);
    await slow.server.stop();
    expect(await asking.closed).toMatchObject({ code: 1001 });
    slow.answerAll();
  });
});
