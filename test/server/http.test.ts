import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createToken } from "../../src/auth/token.ts";
import { systemClock } from "../../src/ports/clock.ts";
import { FrameClient } from "../support/frame-client.ts";
import { get, post, send } from "../support/http-client.ts";
import { type Own, startOwn } from "./own-service.ts";

const JSON_TYPE = { "content-type": "application/json" };

describe("the HTTP port", () => {
  let own: Own;
  const api = (path: string) => `${own.http}/api/${path}`;
  beforeAll(async () => {
    own = await startOwn({ storage: { path: ":memory:" } });
  });
  afterAll(() => own.server.stop());

  it("answers a request of the contract with the reply's data", async () => {
    const { count } = (await post(api("requests/look"), {})).body;
    const answer = await post(api("requests/make"), { thing_id: "a" });
    expect(answer).toMatchObject({ status: 200, body: { count: count + 1 } });
  });

  it("takes no body at all as an empty one", async () => {
    expect(await send("POST", api("requests/look"), {})).toMatchObject({ status: 200 });
    expect(await send("POST", api("requests/look"), JSON_TYPE)).toMatchObject({ status: 200 });
  });

  it("answers get_status", async () => {
    expect((await post(api("requests/get_status"), {})).body).toMatchObject({
      service: "own",
      running: true,
      port: own.server.port,
      manager: { count: expect.any(Number) },
    });
  });

  it.each([
    ["requests/nothing", {}, 404, "UNKNOWN_REQUEST", "nothing"],
    ["requests/__proto__", {}, 404, "UNKNOWN_REQUEST", "__proto__"],
    ["requests/make", {}, 400, "INVALID_DATA", "thing_id"],
    ["requests/make", { thing_id: 5 }, 400, "INVALID_DATA", "thing_id"],
    ["requests/make", "{", 400, "DECODE_ERROR", "JSON"],
    ["requests/make", "[1]", 400, "DECODE_ERROR", "object"],
    ["requests/make", "null", 400, "DECODE_ERROR", "object"],
    ["requests/refuse", {}, 409, "CONFLICT", "moved on"],
    ["publish", { event: "thing.made", data: { thing_id: "a" } }, 403, "FORBIDDEN", "thing.made"],
    ["publish", { event: "no.such", data: {} }, 400, "INVALID_DATA", "no.such"],
    ["publish", { event: "thing.noted", data: { thing_id: "a" } }, 400, "INVALID_DATA", "note"],
    [
      "publish",
      { event: "thing.noted", channel: "thing:b", data: { thing_id: "a", note: "n" } },
      400,
      "INVALID_CHANNEL",
      "thing:a",
    ],
  ])("POST /api/%s of %j is refused with %i %s", async (path, body, status, code, word) => {
    const answer = await post(api(path), body);
    expect(answer).toMatchObject({ status, body: { error_code: code } });
    expect(answer.body.error_message).toContain(word);
  });

  it("publishes what a client may publish, to its channels", async () => {
    const client = await FrameClient.open(own.url);
    await client.request("subscribe", { channel: "thing:p" });
    const data = { thing_id: "p", note: "by HTTP" };
    expect(await post(api("publish"), { channel: "thing:p", event: "thing.noted", data })).toMatchObject({
      status: 200,
      body: { status: "published", event: "thing.noted", channels: ["thing:p"] },
    });
    expect((await client.event("thing.noted", "thing:p")).data).toMatchObject(data);
    await client.close();
  });

  it("wants application/json, and says so", async () => {
    const answer = await send(
      "POST",
      api("requests/make"),
      { "content-type": "text/plain" },
      '{"thing_id":"a"}',
    );
    expect(answer).toMatchObject({ status: 400, body: { error_code: "DECODE_ERROR" } });
    expect(answer.body.error_message).toContain("application/json");
    const variant = { "content-type": "application/vnd.own+json; charset=utf-8" };
    expect(await send("POST", api("requests/look"), variant, "{}")).toMatchObject({ status: 200 });
  });

  it("refuses a body over 1 MiB with 413, with and without a length", async () => {
    const body = JSON.stringify({ thing_id: "x".repeat(1_048_576) });
    const known = await post(api("requests/make"), body);
    expect(known).toMatchObject({ status: 413, body: { error_code: "MESSAGE_TOO_LARGE" } });
    const chunked = await send(
      "POST",
      api("requests/make"),
      { ...JSON_TYPE, "transfer-encoding": "chunked" },
      body,
    );
    expect(chunked).toMatchObject({ status: 413, body: { error_code: "MESSAGE_TOO_LARGE" } });
    const largest = JSON.stringify({ thing_id: "x".repeat(1_048_576 - '{"thing_id":""}'.length) });
    expect(largest).toHaveLength(1_048_576);
    // As large as it may be; the channel's name is then too long, which is another matter.
    expect((await post(api("requests/make"), largest)).status).not.toBe(413);
  });

  it("the same Idempotency-Key is the same answer, and with other data a CONFLICT", async () => {
    const key = { "idempotency-key": crypto.randomUUID() };
    const first = await post(api("requests/make"), { thing_id: "once" }, key);
    expect(first.status).toBe(200);
    expect((await post(api("requests/make"), { thing_id: "once" }, key)).body).toEqual(first.body);
    expect(await post(api("requests/make"), { thing_id: "twice" }, key)).toMatchObject({
      status: 409,
      body: { error_code: "CONFLICT" },
    });
    const again = await post(api("requests/make"), { thing_id: "once" });
    expect(again.body.count).toBe(first.body.count + 1);
  });

  it("what a handler throws stays inside: 500, and an id that the log explains", async () => {
    for (const name of ["fail_now", "fail_later", "fail_oddly"]) {
      const answer = await post(api(`requests/${name}`), {});
      expect(answer).toMatchObject({ status: 500, body: { error_code: "SERVER_ERROR" } });
      expect(JSON.stringify(answer.body)).not.toContain("secret");
      const id = /[0-9a-f-]{36}/.exec(answer.body.error_message)?.[0] ?? "no id";
      expect(own.log.filter((line) => line.includes(id))).toEqual([
        expect.stringContaining("an inner secret"),
      ]);
    }
  });

  it("says what there is where nothing is", async () => {
    for (
      const [method, path] of [["GET", "/nowhere"], ["GET", "/api/requests/look"], ["DELETE", "/health"]]
    ) {
      const answer = await send(method!, `${own.http}${path}`, {});
      expect(answer).toMatchObject({ status: 404, body: { error_code: "NOT_FOUND" } });
      expect(answer.body.error_message).toContain(`${method} ${path}`);
    }
  });

  it("GET /ws without an upgrade is refused and harms nothing", async () => {
    const { status } = await get(`${own.http}/ws`);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
  });

  it("/health and /metrics are on both ports, and count true", async () => {
    const client = await FrameClient.open(`${own.http.replace("http", "ws")}/ws`);
    for (const base of [own.http, own.url.replace("ws:", "http:")]) {
      const health = await get(`${base}/health`);
      expect(health).toMatchObject({
        status: 200,
        body: { status: "healthy", metrics: { active_connections: 1 } },
      });
      const { body } = await get(`${base}/metrics`);
      expect(body).toMatch(/^websocket_connections_active\{server="own"\} 1$/m);
      for (const name of ["websocket_broadcast_total", "websocket_rooms", "websocket_health"]) {
        expect(body, name).toContain(name);
      }
    }
    await client.close();
  });

  it("counts frames by direction, errors by type and rooms", async () => {
    const client = await FrameClient.open(own.url);
    await client.request("subscribe", { channel: "thing:m" });
    await client.request("nothing_of_this_name");
    await post(api("requests/make"), { thing_id: "m" });
    await client.event("thing.made", "thing:m");
    const { body } = await get(`${own.http}/metrics`);
    expect(body).toMatch(/^websocket_messages_total\{.*direction="received".*\} [1-9]/m);
    expect(body).toMatch(/^websocket_messages_total\{.*direction="sent".*\} [1-9]/m);
    expect(body).toMatch(/^websocket_errors_total\{.*error_type="unknown_request".*\} [1-9]/mi);
    expect(body).toMatch(/^websocket_rooms(\{.*\})? 1$/m);
    expect(body).not.toContain("thing:m");
    await client.close();
  });
});

describe("the HTTP port with authentication required", () => {
  const SECRET = "only for this test";
  let own: Own;
  const bearer = async (permissions: string[], secret = SECRET) => ({
    authorization: `Bearer ${await createToken({ secret, userId: "ada", permissions, clock: systemClock })}`,
  });
  beforeAll(async () => {
    own = await startOwn({ auth: { required: true, secret: SECRET } });
  });
  afterAll(() => own.server.stop());

  it("wants a token for requests, publish, MCP and metrics, and none for health", async () => {
    for (const path of ["/api/requests/look", "/api/publish", "/mcp"]) {
      const answer = await post(`${own.http}${path}`, {});
      expect(answer, path).toMatchObject({ status: 401, body: { error_code: "AUTH_REQUIRED" } });
      expect(answer.headers["www-authenticate"]).toBe("Bearer");
    }
    expect((await get(`${own.http}/metrics`)).status).toBe(401);
    expect((await get(`${own.http}/health`)).status).toBe(200);
  });

  it.each(["Bearer nonsense", "Bearer", "Bearer a b"])(
    "refuses 'Authorization: %s' with 401",
    async (header) => {
      const answer = await post(`${own.http}/api/requests/look`, {}, { authorization: header });
      expect(answer).toMatchObject({ status: 401, body: { error_code: "AUTH_FAILED" } });
      expect((await get(`${own.http}/health`, { authorization: header })).status).toBe(401);
    },
  );

  it("refuses a token of another secret", async () => {
    const forged = await bearer(["own:read"], "another secret");
    expect((await post(`${own.http}/api/requests/look`, {}, forged)).status).toBe(401);
  });

  it("lets a reader query and not change, a writer change and not query, an admin do all", async () => {
    const cases: [string[], Record<string, number>][] = [
      [["own:read"], { look: 200, make: 403 }],
      [["own:write"], { look: 403, make: 200 }],
      [["own:admin"], { look: 200, make: 200 }],
      [["other:admin"], { look: 403, make: 403 }],
      [[], { look: 403, make: 403 }],
    ];
    for (const [permissions, expected] of cases) {
      const headers = await bearer(permissions);
      for (const [name, status] of Object.entries(expected)) {
        const answer = await post(`${own.http}/api/requests/${name}`, { thing_id: "a" }, headers);
        expect(answer.status, `${permissions} ${name}`).toBe(status);
        if (status === 403) expect(answer.body.error_code).toBe("FORBIDDEN");
      }
    }
  });

  it("lets only a writer publish what writers may publish", async () => {
    const body = { event: "thing.noted", data: { thing_id: "a", note: "n" } };
    const reader = await post(`${own.http}/api/publish`, body, await bearer(["own:read"]));
    expect(reader).toMatchObject({ status: 403, body: { error_code: "FORBIDDEN" } });
    const writer = await post(`${own.http}/api/publish`, body, await bearer(["own:write", "own:read"]));
    expect(writer.status).toBe(200);
  });
});
