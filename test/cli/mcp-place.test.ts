/**
 * Who serves: what answers at the service's port, and what is made of it.
 */
import { createServer, type RequestListener } from "node:http";
import { createServer as createSocketServer, type Server } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { PlaceError, Places } from "../../src/cli/mcp/place.ts";
import { silentLog } from "../../src/ports/log.ts";
import { sessionBuddyService } from "../../services/session-buddy/mod.ts";
import { detectRuntime } from "../../src/runtimes/detect.ts";
import { settingsOf } from "../../src/server/server-settings.ts";
import type { Service } from "../../src/service/define-service.ts";
import type { SettingsPart } from "../../src/settings/schema.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { freePort } from "../support/serve-process.ts";

const service = sessionBuddyService as unknown as Service;
const POLL = { timeout: 30_000, interval: 5 };

const servers: Server[] = [];
const open: Places[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) server.close();
  await Promise.all(open.splice(0).map((places) => places.close()));
});

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  servers.push(server);
  return (server.address() as { port: number }).port;
}

const answering = (answer: RequestListener) => listen(createServer(answer));

async function placesAt(port: number, clock = new FakeClock(), more: SettingsPart = {}): Promise<Places> {
  const given = {
    http: { port },
    websocket: { port: 0 },
    storage: { path: ":memory:" },
    log: { level: "error" },
  };
  const settings = settingsOf(service, { ...given, ...more } as SettingsPart);
  const runtime = await detectRuntime();
  const places = new Places({ service, settings, runtime, clock, log: silentLog, serving: () => {} });
  open.push(places);
  return places;
}

/** Move the clock on until the promise is settled. */
async function late<T>(clock: FakeClock, work: Promise<T>): Promise<T> {
  let settled = false;
  const done = () => void (settled = true);
  work.then(done, done);
  await expect.poll(() => {
    if (!settled) clock.advance(500);
    return settled;
  }, POLL).toBe(true);
  return await work;
}

describe("Places", { timeout: 60_000 }, () => {
  it("serves where nobody listens, and is asked without a port", async () => {
    const places = await placesAt(await freePort());
    const place = await places.find();
    expect(place.isOwn).toBe(true);
    expect(await places.find()).toMatchObject({ url: place.url, isOwn: true });
    const health = await place.ask(place.url.replace("/mcp", "/health"), { method: "GET" });
    expect(await health.json()).toMatchObject({ server: "session-buddy" });
  });

  it("goes to whoever answers as the service", async () => {
    const port = await answering((_, answer) => void answer.end('{"server": "session-buddy"}'));
    expect(await (await placesAt(port)).find()).toMatchObject({
      url: `http://127.0.0.1:${port}/mcp`,
      isOwn: false,
    });
  });

  it("goes to loopback where the settings listen everywhere", async () => {
    const port = await answering((_, answer) => void answer.end('{"server": "session-buddy"}'));
    const everywhere: SettingsPart = {
      http: { host: "0.0.0.0", port },
      websocket: { enabled: false },
      allow_insecure: true,
    };
    const place = await (await placesAt(port, new FakeClock(), everywhere)).find();
    expect(place).toMatchObject({ url: `http://127.0.0.1:${port}/mcp`, isOwn: false });
  });

  it.each([
    ["a page", "<html>", "something else answers there"],
    ["another service", '{"server": "akosha"}', '"akosha" answers there'],
    ["JSON of somebody else", '{"status": "ok"}', "something else answers there"],
  ])("refuses %s at once", async (_, body, reason) => {
    const port = await answering((_, answer) => void answer.end(body));
    const refusal = (await placesAt(port)).find();
    await expect(refusal).rejects.toThrow(PlaceError);
    await expect(refusal).rejects.toThrow(
      `Cannot reach session-buddy at http://127.0.0.1:${port}: ${reason}; stop`,
    );
  });

  it("waits for a service that is busy", async () => {
    const clock = new FakeClock();
    let times = 0;
    const port = await answering((_, answer) => {
      if (++times < 3) answer.statusCode = 503;
      answer.end('{"server": "session-buddy"}');
    });
    expect(await late(clock, (await placesAt(port, clock)).find())).toMatchObject({ isOwn: false });
    expect(times).toBe(3);
  });

  it("waits for what has the port and does not answer, and then says so", async () => {
    const clock = new FakeClock();
    const port = await listen(createSocketServer((socket) => void socket.on("error", () => {})));
    await expect(late(clock, (await placesAt(port, clock)).find())).rejects.toThrow(
      "what has the port has not answered for 3 seconds; stop it",
    );
    expect(clock.monotonic()).toBeGreaterThanOrEqual(20_000);
  });

  it("says so where the port speaks something else", async () => {
    const clock = new FakeClock();
    const port = await listen(createSocketServer((socket) => {
      socket.on("error", () => {});
      socket.end("220 mail.example\r\n");
    }));
    await expect(late(clock, (await placesAt(port, clock)).find())).rejects.toThrow(
      "what has the port does not answer as a service does (",
    );
  });
});
