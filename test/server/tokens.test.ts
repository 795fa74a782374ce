/**
 * Tokens of both families at a real server, through each of its doors, with keys from a real HTTP server. The clocks of
 * server and issuer run as ever; where time has to pass, the server's is put forward.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createToken } from "../../src/auth/token.ts";
import type { SettingsPart } from "../../src/settings/schema.ts";
import { connectClient } from "../mcp/mcp-client.ts";
import { FrameClient, refusedUpgrade } from "../support/frame-client.ts";
import { get, post } from "../support/http-client.ts";
import { ALGORITHMS, type IssuerKey, KeyServer, keySetOf, makeKey, signWith } from "../support/issuer.ts";
import { ShiftedClock } from "../support/shifted-clock.ts";
import { type Own, startOwn } from "./own-service.ts";

const SECRET = "a secret that only this file knows";
const PATIENCE_MS = 60_000;

let keys: IssuerKey[];
let next: IssuerKey;
const ends: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  keys = await Promise.all(ALGORITHMS.map((algorithm) => makeKey(algorithm, `first ${algorithm}`)));
  next = await makeKey("ES256", "next");
}, PATIENCE_MS);

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function startWith(auth: SettingsPart["auth"], clock = new ShiftedClock()): Promise<Own> {
  const own = await startOwn({ auth: { required: true, ...auth } }, {}, { clock });
  ends.push(() => own.server.stop());
  return own;
}

/** A server that knows the keys of an issuer, whose key server a test can change. */
async function setUp(auth: SettingsPart["auth"] = {}) {
  const issuer = await KeyServer.start(keySetOf(...keys));
  ends.push(() => issuer.stop());
  const clock = new ShiftedClock();
  const own = await startWith({ jwks_url: issuer.url, ...auth }, clock);
  // The keys are read when it starts.
  await expect.poll(() => issuer.requests, { timeout: PATIENCE_MS }).toBe(1);
  return { own, issuer, clock };
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const soon = (seconds = 600) => Math.floor(Date.now() / 1_000) + seconds;

async function authenticated(own: Own, token: string): Promise<FrameClient> {
  const client = await FrameClient.open(own.url);
  const answer = await client.request("auth", { token });
  expect(answer.data).toMatchObject({ status: "authenticated" });
  return client;
}

describe.each(ALGORITHMS)("a server with an issuer's keys, %s", (algorithm) => {
  test(
    "takes its tokens in the header and in the first frame of a WebSocket, over HTTP and over MCP",
    async () => {
      const { own } = await setUp();
      const key = keys.find((key) => key.algorithm === algorithm)!;
      const token = await signWith(key, { sub: "ada", scope: "own:read own:write", exp: soon() });

      const byHeader = await FrameClient.open(own.url, { headers: bearer(token) });
      expect((await byHeader.request("look")).data).toEqual({ count: 0 });
      await byHeader.close();

      const byFrame = await FrameClient.open(own.url);
      expect(await byFrame.request("auth", { token })).toMatchObject({
        type: "response",
        event: "auth",
        data: { status: "authenticated", user_id: "ada" },
      });
      expect((await byFrame.request("make", { thing_id: "a" })).data).toEqual({ count: 1 });
      await byFrame.close();

      expect(await post(`${own.http}/api/requests/look`, {}, bearer(token))).toMatchObject({
        status: 200,
        body: { count: 1 },
      });

      const mcp = await connectClient(`${own.http}/mcp`, bearer(token));
      expect((await mcp.call("look")).structuredContent).toEqual({ count: 1 });
      await mcp.client.close();
    },
    PATIENCE_MS,
  );

  test(
    "refuses a token of somebody else at each door, with the texts that existing clients know",
    async () => {
      const { own } = await setUp();
      const stranger = await makeKey(algorithm, `first ${algorithm}`);
      const token = await signWith(stranger, { sub: "eve", scope: "admin", exp: soon() });
      const text = "Invalid or expired token";

      expect(await refusedUpgrade(own.url, { headers: bearer(token) })).toMatchObject({ status: 401 });
      const client = await FrameClient.open(own.url);
      expect(await client.request("auth", { token })).toMatchObject({
        error_code: "AUTH_FAILED",
        error_message: text,
      });
      expect(await client.closed).toEqual({ code: 1008, reason: "Authentication failed" });
      for (const path of ["/api/requests/look", "/mcp"]) {
        expect(await post(`${own.http}${path}`, {}, bearer(token))).toMatchObject({
          status: 401,
          body: { error_code: "AUTH_FAILED", error_message: text },
        });
      }
      expect((await get(`${own.http}/metrics`, bearer(token))).status).toBe(401);
      expect(own.log.join()).not.toContain(token);
    },
    PATIENCE_MS,
  );
});

describe("a server with an issuer's keys", () => {
  const issued = (key: IssuerKey, claims: object = {}) =>
    signWith(key, { sub: "ada", scope: "own:read", ...claims });

  test("takes tokens by its secret beside them, and on one connection one after the other", async () => {
    const { own, clock } = await setUp({ secret: SECRET });
    const token = await createToken({ secret: SECRET, userId: "bob", permissions: ["own:write"], clock });
    const client = await authenticated(own, token);
    expect((await client.request("look")).error_code).toBe("FORBIDDEN");
    expect(await client.request("refresh_token", { token: await issued(keys[2]!) })).toMatchObject({
      data: { status: "refreshed", user_id: "ada" },
    });
    expect((await client.request("look")).data).toEqual({ count: 0 });
    expect((await client.request("make", { thing_id: "a" })).error_code).toBe("FORBIDDEN");
    await client.close();
  }, PATIENCE_MS);

  test("holds the issuer and the audience that the settings name", async () => {
    const { own } = await setUp({ issuer: "https://login.example.org", audience: ["own", "others"] });
    const status = async (claims: object) =>
      (await post(`${own.http}/api/requests/look`, {}, bearer(await issued(keys[1]!, claims)))).status;
    expect(await status({ iss: "https://login.example.org", aud: "own" })).toBe(200);
    expect(await status({ iss: "https://login.example.org", aud: "stranger" })).toBe(401);
    expect(await status({ iss: "https://evil.example", aud: "own" })).toBe(401);
    expect(await status({})).toBe(401);
  }, PATIENCE_MS);

  test(
    "takes a key that the issuer has begun to use, and after a while no longer one that it has withdrawn",
    async () => {
      const { own, issuer, clock } = await setUp();
      const look = async (key: IssuerKey) =>
        (await post(`${own.http}/api/requests/look`, {}, bearer(await issued(key)))).status;
      expect([await look(keys[1]!), await look(next)]).toEqual([200, 401]);
      issuer.text = keySetOf(keys[1]!, next);
      clock.forward(30_000);
      expect([await look(next), await look(keys[1]!)]).toEqual([200, 200]);
      issuer.text = keySetOf(next);
      expect(await look(keys[1]!)).toBe(200);
      clock.forward(600_000);
      expect([await look(keys[1]!), await look(next)]).toEqual([401, 200]);
      expect(issuer.requests).toBe(3);
    },
    PATIENCE_MS,
  );

  test(
    "asks the issuer once for a flood of tokens with made-up keys, and answers others meanwhile",
    async () => {
      const { own, issuer, clock } = await setUp({ secret: SECRET });
      const friend = await authenticated(
        own,
        await createToken({ secret: SECRET, userId: "bob", permissions: ["own:read"], clock }),
      );
      clock.forward(30_000);
      let release = () => {};
      const held = new Promise<void>((resolve) => release = resolve);
      issuer.answer = (response) => void held.then(() => response.end(issuer.text));
      const made = await Promise.all(
        Array.from(
          { length: 60 },
          (_, n) => signWith(next, { sub: "eve", scope: "admin" }, { kid: `made up ${n}` }),
        ),
      );
      const flood = made.map((token) => post(`${own.http}/api/requests/look`, {}, bearer(token)));
      const clients = await Promise.all(
        made.slice(0, 20).map(async (token) => {
          const client = await FrameClient.open(own.url);
          client.send({ type: "request", id: "a", event: "auth", data: { token } });
          return client;
        }),
      );
      await expect.poll(() => issuer.requests, { timeout: PATIENCE_MS }).toBe(2);

      // The key server has not answered yet: who needs nothing of it is answered.
      expect((await friend.request("look")).data).toEqual({ count: 0 });
      expect((await post(`${own.http}/api/requests/look`, {}, bearer(await issued(keys[1]!)))).status).toBe(
        200,
      );
      const another = await authenticated(own, await issued(keys[2]!));
      expect(clients.flatMap(({ frames }) => frames)).toEqual([]);

      release();
      expect(new Set((await Promise.all(flood)).map(({ status }) => status))).toEqual(new Set([401]));
      for (const client of clients) {
        expect(await client.closed).toEqual({ code: 1008, reason: "Authentication failed" });
      }
      expect(issuer.requests).toBe(2);
      await another.close();
      await friend.close();
    },
    PATIENCE_MS,
  );

  test(
    "goes on with the keys that it knows while the issuer is down, and tells others to come back",
    async () => {
      const { own, issuer, clock } = await setUp();
      issuer.answer = (response) => void response.socket!.destroy();
      clock.forward(3_600_000);
      const later = { exp: soon(7_200) };
      const known = await authenticated(own, await issued(keys[0]!, later));
      expect((await known.request("look")).data).toEqual({ count: 0 });

      const token = await issued(next, later);
      const text = "The token cannot be checked at the moment: try again later";
      expect(await post(`${own.http}/api/requests/look`, {}, bearer(token))).toMatchObject({
        status: 503,
        body: { error_code: "NOT_AVAILABLE", error_message: text },
      });
      expect(await refusedUpgrade(own.url, { headers: bearer(token) })).toMatchObject({ status: 503 });
      const client = await FrameClient.open(own.url);
      expect(await client.request("auth", { token })).toMatchObject({
        error_code: "NOT_AVAILABLE",
        error_message: text,
      });
      expect(await client.closed).toEqual({ code: 1011, reason: "Authentication error" });
      // On a connection that has a token, a new one that cannot be checked changes nothing.
      expect(await known.request("refresh_token", { token })).toMatchObject({ error_code: "NOT_AVAILABLE" });
      expect((await known.request("look")).data).toEqual({ count: 0 });

      issuer.answer = null;
      issuer.text = keySetOf(...keys, next);
      clock.forward(30_000);
      expect((await post(`${own.http}/api/requests/look`, {}, bearer(token))).status).toBe(200);
      await known.close();
    },
    PATIENCE_MS,
  );

  test("starts while the issuer is down, and says so in the log", async () => {
    const gone = await KeyServer.start("");
    const { url } = gone;
    await gone.stop();
    const own = await startWith({ jwks_url: url });
    await expect.poll(() => own.log.join("\n"), { timeout: PATIENCE_MS }).toContain(
      "Keys for tokens could not be read",
    );
    expect((await get(`${own.http}/health`)).status).toBe(200);
  }, PATIENCE_MS);
});

describe("a server with a file of keys", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "realtime-key-file-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test("takes tokens by them, and reads the file again for a key that it does not know", async () => {
    const path = join(folder, "keys.json");
    await writeFile(path, keySetOf(keys[1]!));
    const clock = new ShiftedClock();
    const own = await startWith({ jwks_file: path }, clock);
    const look = async (key: IssuerKey) =>
      (await post(`${own.http}/api/requests/look`, {}, bearer(await signWith(key, { scope: "own:read" }))))
        .status;
    expect([await look(keys[1]!), await look(next)]).toEqual([200, 401]);
    await writeFile(path, keySetOf(next));
    clock.forward(30_000);
    expect([await look(next), await look(keys[1]!)]).toEqual([200, 401]);
  }, PATIENCE_MS);

  test("does not start with a file that is not there, or that holds no key", async () => {
    const missing = join(folder, "missing.json");
    await expect(startWith({ jwks_file: missing })).rejects.toThrow(
      `Settings: auth.jwks_file: expected a file, got "${missing}", which does not exist`,
    );
    const empty = join(folder, "empty.json");
    await writeFile(empty, keySetOf());
    await expect(startWith({ jwks_file: empty })).rejects.toThrow(
      "Settings: auth.jwks_file: expected a JSON Web Key Set with a key for RS256, ES256 or EdDSA, got none",
    );
  }, PATIENCE_MS);
});

describe("a token that expires", () => {
  const made = (seconds: number, clock: ShiftedClock) =>
    createToken({
      secret: SECRET,
      userId: "ada",
      permissions: ["own:read"],
      expiresInSeconds: seconds,
      clock,
    });

  test("ends the connection with 4001, whichever way it came, unless a new one has come", async () => {
    const clock = new ShiftedClock();
    const own = await startWith({ secret: SECRET, skew_seconds: 300 }, clock);
    const token = await made(60, clock);
    const byFrame = await authenticated(own, token);
    const byHeader = await FrameClient.open(own.url, { headers: bearer(token) });
    const refreshed = await authenticated(own, token);
    expect((await refreshed.request("refresh_token", { token: await made(3_600, clock) })).data).toEqual({
      status: "refreshed",
      user_id: "ada",
    });
    // Past its time, and within the skew.
    clock.forward(120_000);
    expect((await byFrame.request("look")).data).toEqual({ count: 0 });
    clock.forward(240_000);
    for (const client of [byFrame, byHeader]) {
      expect(await client.closed).toEqual({ code: 4001, reason: "Token expired" });
    }
    expect((await refreshed.request("look")).data).toEqual({ count: 0 });
    await refreshed.close();
  }, PATIENCE_MS);

  test("is refused over HTTP and MCP from then on", async () => {
    const clock = new ShiftedClock();
    const own = await startWith({ secret: SECRET, skew_seconds: 0 }, clock);
    const token = await made(600, clock);
    const mcp = await connectClient(`${own.http}/mcp`, bearer(token));
    expect((await mcp.call("look")).structuredContent).toEqual({ count: 0 });
    clock.forward(600_000);
    await expect(mcp.call("look")).rejects.toThrow("Invalid or expired token");
    expect(await post(`${own.http}/api/requests/look`, {}, bearer(token))).toMatchObject({
      status: 401,
      headers: { "www-authenticate": "Bearer" },
      body: { error_code: "AUTH_FAILED", error_message: "Invalid or expired token" },
    });
    await mcp.client.close();
  }, PATIENCE_MS);

  test(
    "ends the MCP stream that it has opened, and not the session, which a new token of the user goes on with",
    async () => {
      const clock = new ShiftedClock();
      const own = await startWith({ secret: SECRET, skew_seconds: 0 }, clock);
      const headers = async (seconds: number) => ({
        ...bearer(await made(seconds, clock)),
        accept: "application/json, text/event-stream",
      });
      const initialize = {
        jsonrpc: "2.0",
        id: 1,
        method: "initialize",
        params: {
          protocolVersion: "2025-06-18",
          capabilities: {},
          clientInfo: { name: "test", version: "0" },
        },
      };
      const opened = await post(`${own.http}/mcp`, initialize, await headers(600));
      const session = { "mcp-session-id": String(opened.headers["mcp-session-id"]) };
      // `get` returns when the stream has ended, and nothing else ends it. A token may expire before it gets there.
      const stream = async (seconds: number) =>
        await get(`${own.http}/mcp`, { ...await headers(seconds), accept: "text/event-stream", ...session });
      let answer = await stream(2);
      for (const seconds of [4, 16]) if (answer.status === 401) answer = await stream(seconds);
      expect([answer.status, answer.headers["content-type"]]).toEqual([200, "text/event-stream"]);
      const ping = { jsonrpc: "2.0", id: 2, method: "ping" };
      expect((await post(`${own.http}/mcp`, ping, { ...await headers(600), ...session })).status).toBe(200);
    },
    PATIENCE_MS,
  );
});
