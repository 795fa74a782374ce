/**
 * The three tests of the plan that the servers were written to: defaults and connect hook, an acknowledgement as the
 * first frame, and an event for whoever subscribed with `room`.
 *
 * @module
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../src/ports/clock.ts";
import { silentLog } from "../../src/ports/log.ts";
import { FrameClient } from "../support/frame-client.ts";
import { LinkedClient } from "../support/linked-socket.ts";
import { type RunningService, startService } from "./running-service.ts";
import type { ServiceDescription } from "./service-description.ts";

/** Connections of the second test, each with its own first frame. */
const FIRST_FRAMES = 200;

export function planTests(service: ServiceDescription): void {
  describe("the plan's tests", () => {
    let running: RunningService;
    beforeAll(async () => {
      running = await startService(service, { websocket: { message_rate_limit: 1_000 } });
      for (const request of service.prepare) await running.request(request);
    });
    afterAll(() => running.stop());

    it(`${service.Server.name} listens on 127.0.0.1:${service.ports.websocket} unless told otherwise`, () => {
      const server = new service.Server({ log: silentLog });
      expect(server.host).toBe("127.0.0.1");
      expect(server.port).toBe(service.ports.websocket);
      expect(server.httpPort).toBe(service.ports.http);
      expect(server.isRunning).toBe(false);
      expect(server.connections.size).toBe(0);
      expect(server.rooms.size).toBe(0);
    });

    it("onConnect alone puts the id into connections, on a server that was never started", async () => {
      const server = new service.Server({ log: silentLog });
      const client = new LinkedClient(systemClock, (socket) => server.onConnect(socket, "conn1"));
      expect([...server.connections.keys()]).toEqual(["conn1"]);
      client.hangUp();
      expect(server.connections.size).toBe(0);
      await server.stop();
    });

    it(`answers an event-type subscribe with an ack as the first frame, ${FIRST_FRAMES} times`, async () => {
      for (let n = 0; n < FIRST_FRAMES; n++) {
        const client = await FrameClient.open(running.url);
        client.send({ type: "event", event: "subscribe", data: { channel: service.channel } });
        expect(await client.next(), `connection ${n}`).toMatchObject({
          type: "ack",
          event: "subscribe",
          data: { status: "subscribed", channel: service.channel },
        });
        expect(await client.next()).toMatchObject({ type: "event", event: service.welcome, room: null });
        await client.close();
      }
    });

    it(`a client that subscribes with room receives ${service.event}`, async () => {
      const client = await FrameClient.open(running.url);
      client.send({ type: "event", event: "subscribe", data: { room: service.channel } });
      await client.frame((frame) => frame.type === "ack");
      await running.request(service.trigger(1));
      const frame = await client.event(service.event, service.channel);
      expect(frame.data).toMatchObject(service.shows(1));
      expect(Object.keys(frame).slice(0, 9)).toEqual([
        "id",
        "correlation_id",
        "type",
        "event",
        "data",
        "timestamp",
        "room",
        "error_code",
        "error_message",
      ]);
      expect(client.events(service.channel)).toHaveLength(1);
      await client.close();
    });
  });
}
