/**
 * Nobody gets in with a token that does not hold, nor with a good one at a place where tokens do not belong.
 *
 * @module
 */
import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import type { Received } from "../support/frame-client.ts";
import { refusedUpgrade } from "../support/frame-client.ts";
import { KeyServer } from "../support/issuer.ts";
import { Attacker, each } from "./attacker.ts";
import { type HostileToken, hostileTokens } from "./hostile-tokens.ts";
import type { Service, Target } from "./target.ts";

const AT_ONCE = 8;
/** A head of this size is taken on every runtime. */
const HEADER_ROOM = 12_000;
const INVALID = "Invalid or expired token";

export function tokenAttacks(target: () => Target): void {
  describe("tokens", () => {
    it("that do not hold open no door: neither first frame nor upgrade, HTTP, MCP or a refresh", async () => {
      const elsewhere = await KeyServer.start('{"keys":[]}');
      const failures: string[] = [];
      let tried = 0;
      for (const service of target().services) {
        const hostile = await hostileTokens(target(), service, elsewhere.url);
        // All of them at one service, some at each of the others.
        const some = service.name === "session-buddy"
          ? hostile
          : hostile.filter((_, index) => index % 12 === 0);
        await each([...some.entries()], AT_ONCE, async ([index, token]) => {
          // An address for each, so that it is judged by the token and not by the rate.
          const attacker = new Attacker(`127.0.10.${index + 1}`);
          tried++;
          try {
            await doorsStayShut(service, attacker, token);
          } catch (error) {
            failures.push(`${service.name}, ${token.what}: ${String(error).slice(0, 500)}`);
          }
        });
        await refreshesFail(target(), service, some, failures);
      }
      const { requests } = elsewhere;
      await elsewhere.stop();
      expect(failures).toEqual([]);
      expect(tried).toBeGreaterThan(150);
      // Nobody has followed where a token pointed.
      expect(requests).toBe(0);
    });

    it("that are good count nowhere but in the header and in the auth request", async () => {
      const service = target().service("mahavishnu");
      const token = await target().token("owner", ["mahavishnu:admin"]);
      const places: Record<string, { query?: string; headers?: Record<string, string> }> = {
        "?token=": { query: `?token=${token}` },
        "?access_token=": { query: `?access_token=${token}` },
        "?authorization=": { query: `?authorization=Bearer%20${token}&jwt=${token}&auth=${token}` },
        "a cookie": { headers: { cookie: `token=${token}; authorization=Bearer ${token}; jwt=${token}` } },
        "Basic": { headers: { authorization: `Basic ${btoa(`bearer:${token}`)}` } },
        "another scheme": { headers: { authorization: `Token ${token}` } },
        "no scheme": { headers: { authorization: token } },
        "other headers": {
          headers: {
            "x-auth-token": token,
            "proxy-authorization": `Bearer ${token}`,
            "x-forwarded-user": "owner",
          },
        },
      };
      const attacker = new Attacker("127.0.11.1");
      for (const [place, { query = "", headers = {} }] of Object.entries(places)) {
        for (const path of ["/api/status", "/api/channels", "/metrics"]) {
          expect((await attacker.http(`${service.http}${path}${query}`, { headers })).body, place)
            .toMatchObject({ error_code: "AUTH_REQUIRED" });
        }
        const body = { jsonrpc: "2.0", id: 1, method: "tools/list", params: { token }, token };
        const byMcp = await attacker.http(`${service.http}/mcp${query}`, { method: "POST", headers, body });
        expect(byMcp.status, place).toBe(401);
        const byHttp = await attacker.http(`${service.http}/api/requests/list_pools${query}`, {
          method: "POST",
          headers,
          body: { token, authorization: `Bearer ${token}` },
        });
        expect(byHttp.status, place).toBe(401);
        for (
          const url of [`${service.websocket}/${query}`, `${service.http.replace("http", "ws")}/ws${query}`]
        ) {
          const client = await attacker.connect(url, { headers });
          client.send({ type: "request", id: "1", event: "list_pools", data: { token } });
          expect(await client.closed, place).toEqual({ code: 1008, reason: "Authentication required" });
          expect(client.frames, place).toMatchObject([{ type: "error", error_code: "AUTH_REQUIRED" }]);
        }
      }
    });

    it("that are good count for nothing as a subprotocol", async () => {
      const service = target().service("mahavishnu");
      const token = await target().token("owner", ["mahavishnu:admin"]);
      for (const protocols of [["bearer", token], [token], ["access_token", token, "mcp-realtime"]]) {
        const client = new WebSocket(service.websocket, protocols, { localAddress: "127.0.11.5" });
        const codes: unknown[] = [];
        client.on("message", (data) => codes.push(JSON.parse(String(data)).error_code));
        client.on("error", () => {});
        client.on("open", () => client.send('{"type":"request","id":"1","event":"list_pools"}'));
        const code = await new Promise((resolve) => client.once("close", resolve));
        expect({ code, codes }).toEqual({ code: 1008, codes: ["AUTH_REQUIRED"] });
      }
    });

    it("are awaited before anything else is done, however much is sent at once", async () => {
      const service = target().service("session-buddy");
      const attacker = new Attacker("127.0.11.2");
      const good = await target().token("owner", ["session-buddy:read"]);
      const start = (id: string) =>
        JSON.stringify({
          type: "request",
          id,
          event: "start_session",
          data: { session_id: `sneaked-${id}`, project: "x" },
        });
      const auth = (token: string) =>
        JSON.stringify({ type: "request", id: "auth", event: "auth", data: { token } });
      const tries: Record<string, { frames: (string | Uint8Array)[]; close: object; codes: string[] }> = {
        "requests first": {
          frames: [start("a"), auth(good), start("b")],
          close: { code: 1008, reason: "Authentication required" },
          codes: ["AUTH_REQUIRED"],
        },
        "requests behind a bad token": {
          frames: [auth("a.b.c"), start("c"), auth(good), start("d")],
          close: { code: 1008, reason: "Authentication failed" },
          codes: ["AUTH_FAILED"],
        },
        "an event called auth": {
          frames: [JSON.stringify({ type: "event", event: "auth", data: { token: good } }), start("e")],
          close: { code: 1008, reason: "Authentication required" },
          codes: ["AUTH_REQUIRED"],
        },
        "a subscription": {
          frames: [JSON.stringify({ type: "subscribe", room: "global", data: { token: good } })],
          close: { code: 1008, reason: "Authentication required" },
          codes: ["AUTH_REQUIRED"],
        },
        "no frame at all": {
          frames: ["\u0000\u0001", auth(good), start("f")],
          close: { code: 1011, reason: "Authentication error" },
          codes: [],
        },
        "bytes": {
          frames: [new Uint8Array([0xff, 0xfe, 0x7b]), auth(good), start("g")],
          close: { code: 1011, reason: "Authentication error" },
          codes: [],
        },
      };
      for (const [name, { frames, close, codes }] of Object.entries(tries)) {
        const client = await attacker.connect(service.websocket);
        for (const frame of frames) client.send(frame);
        expect(await client.closed, name).toEqual(close);
        expect(client.frames.map(({ error_code }) => error_code), name).toEqual(codes);
      }
      const owner = new Attacker("127.0.11.3", good);
      const { body } = await owner.ask(service, "list_sessions", { project: "x" });
      expect(body.sessions).toEqual([]);
    });
  });
}

async function doorsStayShut(service: Service, attacker: Attacker, hostile: HostileToken): Promise<void> {
  const { token, malformed = false } = hostile;
  const client = await attacker.connect(service.websocket);
  client.send({ type: "request", id: "knock", correlation_id: "knock", event: "auth", data: { token } });
  client.send({ type: "request", id: "2", event: "get_status", data: {} });
  expect(await client.closed).toEqual({ code: 1008, reason: "Authentication failed" });
  const text = malformed ? "Missing or malformed auth token" : INVALID;
  expect(client.frames).toMatchObject([
    { type: "error", correlation_id: "knock", error_code: "AUTH_FAILED", error_message: text },
  ]);
  if (typeof token !== "string" || !/^[\x21-\x7e]*$/.test(token) || token.length > HEADER_ROOM) return;
  const headers = { authorization: `Bearer ${token}` };
  const upgrades = [service.websocket, `${service.http.replace("http", "ws")}/ws`];
  const refusals = upgrades.map((url) => refusedUpgrade(url, { headers, localAddress: attacker.address }));
  for (const { status } of await Promise.all(refusals)) expect(status, "upgrade").toBe(401);
  const bearer = (path: string, method = "GET", body?: unknown) =>
    attacker.http(`${service.http}${path}`, { method, headers, body });
  const answers = await Promise.all([
    bearer("/api/status"),
    bearer("/metrics"),
    bearer("/api/requests/get_status", "POST", {}),
    bearer("/api/publish", "POST", { event: "system.announcement", data: { message: "x" } }),
    bearer("/mcp", "POST", { jsonrpc: "2.0", id: 1, method: "tools/list" }),
  ]);
  for (const answer of answers) {
    expect(answer.status).toBe(401);
    expect(answer.body).toMatchObject({ error_code: "AUTH_FAILED" });
    expect(answer.headers["www-authenticate"]).toBe("Bearer");
  }
}

/** Whoever is in already stays who it was. */
async function refreshesFail(
  target: Target,
  service: Service,
  hostile: readonly HostileToken[],
  failures: string[],
): Promise<void> {
  const reader = new Attacker("127.0.11.4", await target.token("reader", [`${service.name}:read`]));
  // Not more than the rate of one connection allows at once.
  for (let from = 0; from < hostile.length; from += 60) {
    const client = await reader.connect(service.websocket);
    for (const { what, token } of hostile.slice(from, from + 60)) {
      for (const event of ["refresh_token", "auth"]) {
        const answer: Received = await client.request(event, { token });
        if (answer.error_code !== "AUTH_FAILED") {
          failures.push(`${service.name}, ${event} by ${what}: ${JSON.stringify(answer)}`);
        }
      }
    }
    const { data } = await client.request("get_status");
    if (data.connection.user_id !== "reader") failures.push(`${service.name}: the user became another`);
    const refused = await client.request("publish", { event: "system.announcement", data: { message: "x" } });
    if (refused.error_code !== "FORBIDDEN") failures.push(`${service.name}: the permissions became others`);
    await client.close();
  }
}
