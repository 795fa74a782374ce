import { afterAll, beforeAll, expect, it } from "vitest";
import { FrameClient, refusedUpgrade } from "../support/frame-client.ts";
import { get, post } from "../support/http-client.ts";
import { type Own, startOwn } from "./own-service.ts";

let own: Own;
let ports: { name: string; http: string; upgrade: string }[];
beforeAll(async () => {
  own = await startOwn({ origins: { allowed: ["https://app.example"] }, hosts: { allowed: ["rt.example"] } });
  ports = [
    { name: "HTTP", http: own.http, upgrade: `${own.http.replace("http", "ws")}/ws` },
    { name: "WebSocket", http: own.url.replace("ws", "http"), upgrade: own.url },
  ];
});
afterAll(() => own.server.stop());

const strangers = [
  "https://evil.example",
  "http://localhost:1",
  "null",
  "http://127.0.0.1.evil.example",
  "file://",
];

it.each(strangers)("a page of %s is refused with 403, before any upgrade, on both ports", async (origin) => {
  for (const { http, upgrade } of ports) {
    expect(await get(`${http}/health`, { origin })).toMatchObject({
      status: 403,
      body: { error_code: "FORBIDDEN" },
    });
    const refusal = await refusedUpgrade(upgrade, { origin });
    expect(refusal.status).toBe(403);
    expect(JSON.parse(refusal.body)).toMatchObject({ error_code: "FORBIDDEN" });
  }
  const answer = await post(`${own.http}/api/requests/make`, { thing_id: "stolen" }, { origin });
  expect(answer.status).toBe(403);
  expect((await post(`${own.http}/mcp`, {}, { origin })).status).toBe(403);
  expect(own.server.connections.size).toBe(0);
});

it("a host name that is not ours is refused with 403, as DNS rebinding brings it", async () => {
  for (const { http, upgrade } of ports) {
    const headers = { host: "evil.example:8688" };
    expect(await get(`${http}/health`, headers)).toMatchObject({ status: 403 });
    expect(await refusedUpgrade(upgrade, { headers })).toMatchObject({ status: 403 });
  }
});

it("a program, our own pages and those that a setting allows may connect", async () => {
  const { port, httpPort } = own.server;
  const origins = [
    undefined,
    `http://127.0.0.1:${httpPort}`,
    `http://localhost:${port}`,
    "http://localhost:8678",
    "https://app.example",
  ];
  for (const origin of origins) {
    for (const { upgrade } of ports) {
      const client = await FrameClient.open(upgrade, origin === undefined ? {} : { origin });
      client.send({ type: "ping" });
      expect((await client.next()).type).toBe("pong");
      await client.close();
    }
  }
  for (const host of ["rt.example", `rt.example:${port}`, `localhost:${port}`, "[::1]"]) {
    const client = await FrameClient.open(own.url, { headers: { host } });
    await client.close();
  }
});
