/**
 * What scripts that watch servers do to a WebSocket port, and what they look for.
 *
 * @module
 */
import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FrameClient } from "../support/frame-client.ts";
import { get } from "../support/http-client.ts";
import { type RunningService, startService } from "./running-service.ts";
import type { ServiceDescription } from "./service-description.ts";

export function healthTests(service: ServiceDescription): void {
  describe("health scripts", () => {
    let running: RunningService;
    let httpUrl: string;
    beforeAll(async () => {
      running = await startService(service);
      httpUrl = running.url.replace("ws:", "http:");
    });
    afterAll(() => running.stop());

    it("a ping as the first frame is answered within a second, with its id", async () => {
      const started = performance.now();
      const client = await FrameClient.open(running.url);
      client.send({ type: "ping", id: `health_check_${Math.floor(Date.now() / 1_000)}` });
      const first = await client.next();
      expect(performance.now() - started).toBeLessThan(1_000);
      expect(["pong", "event", "response"]).toContain(first.type);
      const pong = await client.frame((frame) => frame.type === "pong");
      expect(pong.correlation_id).toMatch(/^health_check_\d+$/);
      await client.close();
    });

    it("a latency script's ping with a number for its time is answered, as Python answers it", async () => {
      const client = await FrameClient.open(running.url);
      client.send({ type: "ping", timestamp: Date.now() / 1_000 });
      expect(await client.frame((frame) => frame.type === "error")).toMatchObject({
        error_code: "DECODE_ERROR",
      });
      client.send({ type: "ping" });
      await client.frame((frame) => frame.type === "pong");
      await client.close();
    });

    it("a TCP connection that is opened and dropped is no error in the log", async () => {
      for (const leave of ["destroy", "end", "resetAndDestroy"] as const) {
        const socket = connect({ host: "127.0.0.1", port: running.server.port });
        socket.on("error", () => {});
        await once(socket, "connect");
        socket[leave]();
        if (!socket.closed) await once(socket, "close");
      }
      // Whatever the server had to say of them it has said by now.
      expect((await get(`${httpUrl}/health`)).status).toBe(200);
      expect(running.log.filter((line) => / (WARN|ERROR) /.test(line))).toEqual([]);
    });

    it("GET /ready tells on both ports that events get through", async () => {
      for (const base of [httpUrl, `http://127.0.0.1:${running.server.httpPort}`]) {
        expect(await get(`${base}/ready`)).toMatchObject({ status: 200, body: { status: "ready" } });
      }
    });

    it("GET /health on the WebSocket port tells status, checks and connections", async () => {
      const client = await FrameClient.open(running.url);
      await client.next();
      const { status, body } = await get(`${httpUrl}/health`);
      expect(status).toBe(200);
      expect(body).toMatchObject({
        status: "healthy",
        server: service.name,
        checks: { websocket: "passing" },
        metrics: { active_connections: 1 },
      });
      expect(Date.parse(body.timestamp)).not.toBeNaN();
      expect(Object.values(body.checks)).toSatisfy((all: string[]) => all.every((one) => one === "passing"));
      await client.close();
    });

    it("GET /metrics on the WebSocket port has the names that scripts look for", async () => {
      const { status, body, headers } = await get(`${httpUrl}/metrics`);
      expect(status).toBe(200);
      expect(headers["content-type"]).toContain("version=0.0.4");
      for (
        const name of [
          "websocket_connections_total",
          "websocket_connections_active",
          "websocket_messages_total",
        ]
      ) {
        expect(body).toMatch(new RegExp(`^${name}\\{[^}]*server="${service.name}"[^}]*\\} \\d`, "m"));
      }
    });

    it("an upgrade is taken on any path, also on those of health and metrics, and at localhost", async () => {
      for (const path of ["/", "/ws", "/health", "/metrics", "/any/path?with=query"]) {
        const client = await FrameClient.open(`${running.url.replace("127.0.0.1", "localhost")}${path}`);
        client.send({ type: "ping", id: path });
        expect(await client.next()).toMatchObject({ type: "pong", correlation_id: path });
        await client.close();
      }
    });
  });
}
