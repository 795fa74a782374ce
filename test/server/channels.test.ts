import * as v from "valibot";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createToken } from "../../src/auth/token.ts";
import { systemClock } from "../../src/ports/clock.ts";
import { silentLog } from "../../src/ports/log.ts";
import { defineContract } from "../../src/protocol/contract.ts";
import { Refusal } from "../../src/protocol/errors.ts";
import type { JsonObject } from "../../src/protocol/json.ts";
import { detectRuntime } from "../../src/runtimes/detect.ts";
import { RealtimeServer } from "../../src/server/realtime-server.ts";
import { defineService, type ManagerContext } from "../../src/service/define-service.ts";
import type { SettingsPart } from "../../src/settings/schema.ts";
import { FrameClient } from "../support/frame-client.ts";
import { get, type HttpAnswer, send } from "../support/http-client.ts";
import { startOwn } from "./own-service.ts";

const boat = v.object({ boat_id: v.string() });

const contract = defineContract({
  name: "harbour",
  ports: { http: 18_676, websocket: 18_686 },
  channels: {
    boat: {
      description: "One boat",
      id: "boat_id",
      history: { events: 3, ageMs: 60_000 },
      snapshot: v.object({ boat_id: v.string() }),
    },
    wake: { description: "Where a boat has just been", id: "boat_id", ephemeral: true },
  },
  events: {
    "boat.moved": { description: "A boat has moved", channels: ["boat"], data: boat },
    "boat.seen": { description: "A boat was seen", channels: ["wake"], data: boat },
  },
  requests: {},
});

class Harbour {
  readonly context: ManagerContext<typeof contract>;

  constructor(context: ManagerContext<typeof contract>) {
    this.context = context;
  }

  getStatus(data: JsonObject): JsonObject {
    if (data.boat_id === "sunk") throw new Refusal("CONFLICT", "It is not on the water");
    return data.boat_id === undefined ? { boats: 2 } : { boat_id: data.boat_id, given: data };
  }
}

const service = defineService({
  contract,
  createManager: (context) => new Harbour(context),
  createHandlers: () => ({}),
});

async function startHarbour(settings: SettingsPart = {}) {
  const server = new RealtimeServer(service, {
    runtime: await detectRuntime({ log: silentLog }),
    log: silentLog,
    settings: {
      ...settings,
      websocket: { port: 0, welcome: "off" },
      http: { port: 0 },
      storage: { path: "none", ...settings.storage },
      shutdown: { drain_ms: 200 },
    },
  });
  await server.start();
  return server;
}

type Harboured = Awaited<ReturnType<typeof startHarbour>>;
type Listed = { channel: string; kind: string; members: number; seq: number };

const ask = (server: Harboured, path: string, headers = {}): Promise<HttpAnswer> =>
  get(`http://127.0.0.1:${server.httpPort}/api/${path}`, headers);
const names = ({ body }: HttpAnswer): string[] => body.channels.map(({ channel }: Listed) => channel);
const clientOf = (server: Harboured) => FrameClient.open(`ws://127.0.0.1:${server.port}`);

describe.each(["none", ":memory:"])("GET /api/channels with storage %s", (path) => {
  let server: Harboured;
  beforeAll(async () => {
    server = await startHarbour({ storage: { path } });
    for (const boat_id of ["a", "b", "c", "a"]) server.publish("boat.moved", { boat_id });
    server.publish("boat.seen", { boat_id: "a" });
  });
  afterAll(() => server.stop());

  it("lists the channels that have a past, the newest first, each with its newest seq", async () => {
    const answer = await ask(server, "channels");
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ epoch: expect.any(String), seq: 5, has_more: false });
    expect(answer.body.channels).toEqual([
      { channel: "boat:a", kind: "boat", members: 0, seq: 4 },
      { channel: "boat:c", kind: "boat", members: 0, seq: 3 },
      { channel: "boat:b", kind: "boat", members: 0, seq: 2 },
    ]);
  });

  it("lists those that somebody is in as well, by name, and counts each member once", async () => {
    const [one, other] = [await clientOf(server), await clientOf(server)];
    for (const channel of ["boat:a", "boat:*", "boat:new", "wake:a"]) {
      await one.request("subscribe", { channel });
    }
    await other.request("subscribe", { channel: "boat:a" });
    const { body } = await ask(server, "channels");
    expect(body.channels.map(({ channel, members, seq }: Listed) => [channel, members, seq])).toEqual([
      ["boat:a", 2, 4],
      ["boat:c", 1, 3],
      ["boat:b", 1, 2],
      ["boat:new", 1, 0],
      ["wake:a", 1, 0],
    ]);
    expect(body.kinds.map(({ kind, wildcard_members }: { kind: string; wildcard_members: number }) => [
      kind,
      wildcard_members,
    ])).toEqual([["global", 0], ["boat", 1], ["wake", 0]]);
    await Promise.all([one.close(), other.close()]);
    await expect.poll(async () => names(await ask(server, "channels"))).toEqual([
      "boat:a",
      "boat:c",
      "boat:b",
    ]);
  });

  it("tells the kinds of the contract: what they are and how much they keep", async () => {
    const { body } = await ask(server, "channels");
    expect(body.kinds).toEqual([
      {
        kind: "global",
        description: "What everybody should hear of",
        id: null,
        ephemeral: false,
        snapshot: false,
        history: { events: 256, age_seconds: 600, bytes: 4_194_304 },
        wildcard_members: 0,
      },
      {
        kind: "boat",
        description: "One boat",
        id: "boat_id",
        ephemeral: false,
        snapshot: true,
        history: { events: 3, age_seconds: 60, bytes: 4_194_304 },
        wildcard_members: 0,
      },
      {
        kind: "wake",
        description: "Where a boat has just been",
        id: "boat_id",
        ephemeral: true,
        snapshot: false,
        history: null,
        wildcard_members: 0,
      },
    ]);
  });

  it("lists one kind, and no more than asked for", async () => {
    const client = await clientOf(server);
    await client.request("subscribe", { channel: "wake:z" });
    await client.request("subscribe", { channel: "wake:y" });
    const wakes = await ask(server, "channels?kind=wake");
    expect(names(wakes)).toEqual(["wake:y", "wake:z"]);
    expect(wakes.body.kinds).toHaveLength(1);
    expect(names(await ask(server, "channels?kind=boat"))).toEqual(["boat:a", "boat:c", "boat:b"]);
    const cases: [string, string[], boolean][] = [
      ["limit=2", ["boat:a", "boat:c"], true],
      ["limit=3", ["boat:a", "boat:c", "boat:b"], true],
      ["limit=4", ["boat:a", "boat:c", "boat:b", "wake:y"], true],
      ["limit=5", ["boat:a", "boat:c", "boat:b", "wake:y", "wake:z"], false],
      ["limit=1&kind=wake", ["wake:y"], true],
      ["limit=1000&kind=global", [], false],
    ];
    for (const [query, expected, more] of cases) {
      const answer = await ask(server, `channels?${query}`);
      expect(names(answer), query).toEqual(expected);
      expect(answer.body.has_more, query).toBe(more);
    }
    await client.close();
  });

  it.each([
    ["kind=nothing", "kind: expected one of global, boat, wake, got 'nothing'"],
    ["kind=__proto__", "kind: expected one of global, boat, wake, got '__proto__'"],
    ["limit=0", "limit: expected a whole number from 1 to 1000, got '0'"],
    ["limit=1001", "limit: expected a whole number from 1 to 1000, got '1001'"],
    ["limit=-1", "limit: expected a whole number from 1 to 1000, got '-1'"],
    ["limit=ten", "limit: expected a whole number from 1 to 1000, got 'ten'"],
    ["limit=", "limit: expected a whole number from 1 to 1000, got ''"],
    ["limit=1&limit=2", "limit: expected once, got twice"],
  ])("refuses ?%s", async (query, sentence) => {
    expect(await ask(server, `channels?${query}`)).toMatchObject({
      status: 400,
      body: { error_code: "INVALID_DATA", error_message: `Invalid data for channels: ${sentence}` },
    });
  });
});

describe("GET /api/channels/{channel}/events", () => {
  let server: Harboured;
  const seqs = ({ body }: HttpAnswer) => body.events.map(({ seq }: { seq: number }) => seq);
  beforeAll(async () => {
    server = await startHarbour({ storage: { path: ":memory:" } });
    for (const boat_id of ["a", "b", "x/y z?", "ship:of:line", "a", "100%"]) {
      server.publish("boat.moved", { boat_id });
    }
  });
  afterAll(() => server.stop());

  it("answers as get_history does", async () => {
    const client = await clientOf(server);
    for (const data of [{ channel: "boat:a" }, { channel: "boat:*", limit: 2 }, { channel: "global" }]) {
      const reply = await client.request("get_history", data);
      const limit = data.limit === undefined ? "" : `?limit=${data.limit}`;
      const answer = await ask(server, `channels/${data.channel}/events${limit}`);
      expect(answer.status).toBe(200);
      expect(reply.data).toMatchObject(answer.body);
    }
    await client.close();
  });

  it.each([
    ["boat:a", [1, 5]],
    ["boat%3Aa", [1, 5]],
    ["boat:*", [1, 2, 3, 4, 5, 6]],
    ["boat%3A%2A", [1, 2, 3, 4, 5, 6]],
    ["boat:ship:of:line", [4]],
    ["boat%3Aship%3Aof%3Aline", [4]],
    ["boat:x%2Fy%20z%3F", [3]],
    ["boat:x/y%20z%3F", [3]],
    ["boat:100%25", [6]],
    ["global", []],
  ])("takes the channel as %s", async (channel, expected) => {
    const answer = await ask(server, `channels/${channel}/events`);
    expect(answer.status).toBe(200);
    expect(seqs(answer)).toEqual(expected);
  });

  it("begins after a position, with the epoch or without it", async () => {
    const { epoch } = (await ask(server, "channels/boat:*/events")).body;
    for (const since of [`${epoch}:4`, "4", encodeURIComponent(`${epoch}:4`)]) {
      const answer = await ask(server, `channels/boat:*/events?since=${since}`);
      expect(answer.body).toMatchObject({ epoch, seq: 6, recovered: true, has_more: false });
      expect(seqs(answer)).toEqual([5, 6]);
    }
    const page = await ask(server, "channels/boat:*/events?since=0&limit=2");
    expect(page.body).toMatchObject({ seq: 2, has_more: true });
    const next = await ask(server, `channels/boat:*/events?since=${epoch}:${page.body.seq}&limit=2`);
    expect(seqs(next)).toEqual([3, 4]);
    const lost = await ask(server, "channels/boat:*/events?since=another:4");
    expect(lost.body).toMatchObject({ epoch, recovered: false });
    expect(seqs(lost)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it.each([
    "",
    "x",
    ":4",
    "4:",
    "-1",
    "1.5",
    "e:",
    "e:x",
    "e:1:",
    " 4",
    "99999999999999999",
    "9007199254740993",
  ])(
    "refuses since=%j and says what was expected",
    async (since) => {
      const answer = await ask(server, `channels/boat:a/events?since=${encodeURIComponent(since)}`);
      expect(answer).toMatchObject({ status: 400, body: { error_code: "INVALID_DATA" } });
      expect(answer.body.error_message).toMatch(
        /^Invalid data for get_history: since: expected EPOCH:SEQ, like \w+:42, or SEQ of the current epoch, got '/,
      );
      expect(answer.body.error_message).toContain(`'${since}'`);
    },
  );

  it.each([
    ["nothing:a", "", 400, "INVALID_CHANNEL", "unknown kind 'nothing'"],
    ["boat", "", 400, "INVALID_CHANNEL", "boat:{boat_id}"],
    ["boat:%0a", "", 400, "INVALID_CHANNEL", "control character"],
    ["boat:a", "limit=0", 400, "INVALID_DATA", "from 1 to 1000"],
    ["boat:a", "limit=1001", 400, "INVALID_DATA", "from 1 to 1000"],
    ["boat:a", "since=1&since=2", 400, "INVALID_DATA", "expected once"],
  ])("refuses %s with %j", async (channel, query, status, code, words) => {
    const answer = await ask(server, `channels/${channel}/events?${query}`);
    expect(answer).toMatchObject({ status, body: { error_code: code } });
    expect(answer.body.error_message).toContain(words);
  });
});

describe("GET /api/status", () => {
  it("answers as get_status does, of the service and of one object", async () => {
    const server = await startHarbour();
    expect(await ask(server, "status")).toMatchObject({
      status: 200,
      body: { service: "harbour", running: true, port: server.port, connections: 0, manager: { boats: 2 } },
    });
    expect((await ask(server, "status?boat_id=caf%C3%A9+1&colour=red")).body).toEqual({
      boat_id: "café 1",
      given: { boat_id: "café 1", colour: "red" },
    });
    expect(await ask(server, "status?boat_id=sunk")).toMatchObject({
      status: 409,
      body: { error_code: "CONFLICT" },
    });
    expect(await ask(server, "status?boat_id=a&boat_id=b")).toMatchObject({
      status: 400,
      body: { error_message: "Invalid data for get_status: boat_id: expected once, got twice" },
    });
    await server.stop();
  });
});

describe("the routes that tell what can be watched", () => {
  const PATHS = ["status", "channels", "channels/boat:a/events"];
  const SECRET = "only for this test";
  const bearer = async (...permissions: string[]) => ({
    authorization: `Bearer ${await createToken({
      secret: SECRET,
      userId: "ada",
      permissions,
      clock: systemClock,
    })}`,
  });

  it("want a token where authentication is required, and the permission to read", async () => {
    const server = await startHarbour({ auth: { required: true, secret: SECRET } });
    server.publish("boat.moved", { boat_id: "a" });
    server.broadcastUpdate("system.announcement", { message: "hear, hear" }, "global");
    for (const path of PATHS) {
      expect(await ask(server, path), path).toMatchObject({
        status: 401,
        body: { error_code: "AUTH_REQUIRED" },
      });
      expect((await ask(server, path, await bearer("harbour:read"))).status, path).toBe(200);
      expect((await ask(server, path, await bearer("other:read"))).status, path).toBe(403);
      expect((await ask(server, path, await bearer())).status, path).toBe(403);
    }
    expect(names(await ask(server, "channels", await bearer("harbour:read")))).toEqual(["global", "boat:a"]);
    // Any permission opens `global`, and no other channel.
    const writer = await bearer("harbour:write");
    const limited = await ask(server, "channels", writer);
    expect(names(limited)).toEqual(["global"]);
    expect(limited.body.kinds.map(({ kind }: { kind: string }) => kind)).toEqual(["global"]);
    expect(await ask(server, "channels?kind=boat", writer)).toMatchObject({
      status: 403,
      body: { error_code: "FORBIDDEN", error_message: "Not authorized to list boat: needs harbour:read" },
    });
    await server.stop();
  });

  it("refuse a page from elsewhere, and are named where nothing is", async () => {
    const own = await startOwn();
    for (const path of PATHS) {
      const answer = await get(`${own.http}/api/${path}`, { origin: "https://elsewhere.example" });
      expect(answer, path).toMatchObject({ status: 403, body: { error_code: "FORBIDDEN" } });
    }
    for (
      const [method, path] of [["GET", "/api"], ["GET", "/api/channels/boat:a"], ["POST", "/api/channels"]]
    ) {
      const { status, body } = await send(method!, `${own.http}${path}`, {});
      expect(status).toBe(404);
      for (
        const route of [
          "/ready",
          "GET /api/status",
          "GET /api/channels",
          "GET /api/channels/{channel}/events",
        ]
      ) {
        expect(body.error_message).toContain(route);
      }
    }
    await own.server.stop();
  });

  it("are not there yet before the service is up", async () => {
    const server = new RealtimeServer(service, {
      runtime: await detectRuntime({ log: silentLog }),
      settings: { storage: { path: "none" } },
      log: silentLog,
    });
    for (const path of PATHS) {
      const answer = await server.app.request(`http://127.0.0.1/api/${path}`);
      expect(answer.status, path).toBe(503);
      expect((await answer.json()).error_code).toBe("NOT_AVAILABLE");
    }
  });
});
