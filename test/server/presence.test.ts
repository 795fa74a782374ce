import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { SettingsPart } from "../../src/settings/schema.ts";
import { FrameClient } from "../support/frame-client.ts";
import { post } from "../support/http-client.ts";
import { LEASE_SECONDS, startOffice, tokenOf } from "./presence-service.ts";

const CHANNEL = "desk:d1";

type Office = Awaited<ReturnType<typeof startOffice>>;

/** One that ends with the test, and its clients with it. */
async function office(settings: SettingsPart = {}): Promise<Office> {
  const server = await startOffice({ settings });
  onTestFinished(() => server.stop());
  return server;
}

function storage(): SettingsPart {
  const folder = mkdtempSync(join(tmpdir(), "office-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return { storage: { path: join(folder, "office.db") } };
}

async function connect({ port }: Office, user: string | null = null): Promise<FrameClient> {
  const url = `ws://127.0.0.1:${port}`;
  if (user === null) return await FrameClient.open(url);
  return await FrameClient.open(url, { headers: { Authorization: `Bearer ${await tokenOf(user)}` } });
}

async function sitDown(server: Office, user: string | null, channel = CHANNEL): Promise<FrameClient> {
  const client = await connect(server, user);
  expect(await client.request("subscribe", { channel })).toMatchObject({ error_code: null });
  return client;
}

async function users(client: FrameClient, channel = CHANNEL) {
  return (await client.request("get_presence", { channel })).data;
}

/** Comings and goings that the client has read when everything before this has come. */
async function told(client: FrameClient): Promise<string[]> {
  await client.request("pass_time", { seconds: 0 });
  return client.events(CHANNEL).map(({ event, data }) => `${event} ${data.user_id}`);
}

describe("a channel that tells who is in it", () => {
  it("tells a user to have come after its own reply, also where that is a replay", async () => {
    const server = await office();
    const ada = await sitDown(server, "ada");
    await ada.event("desk.taken", CHANNEL);
    const [reply, joined] = ada.frames;
    expect(reply).toMatchObject({ type: "response", event: "subscribe", data: { seq: 0 } });
    expect(joined).toMatchObject({ data: { desk_id: "d1", user_id: "ada" }, room: CHANNEL, seq: 1, prev: 0 });

    const bob = await connect(server, "bob");
    const since = { epoch: joined!.epoch, seq: 0 };
    bob.send({ type: "subscribe", data: { channel: CHANNEL, since } });
    await bob.frame(({ data }) => data.user_id === "bob");
    expect(bob.frames.map(({ event, data }) => `${event} ${data.user_id ?? data.seq}`)).toEqual([
      "subscribe 1",
      "desk.taken ada",
      "desk.taken bob",
    ]);
  });

  it("tells it once for all connections of a user, and of none that is anonymous or came by a wildcard", async () => {
    const server = await office();
    const watcher = await sitDown(server, null);
    const all = await connect(server, "wanda");
    await all.request("subscribe", { channel: "desk:*" });
    const [one, two] = [await sitDown(server, "ada"), await sitDown(server, "ada")];
    await one.close();
    expect(await users(watcher)).toEqual({
      channel: CHANNEL,
      count: 1,
      users: [{ user_id: "ada", connections: 1 }],
    });
    two.ws.terminate();
    await watcher.event("desk.left", CHANNEL);
    expect(await told(watcher)).toEqual(["desk.taken ada", "desk.left ada"]);
  });

  it("tells a user to have left that unsubscribes, or that is taken out by the server", async () => {
    const server = await office();
    const ada = await sitDown(server, "ada");
    await ada.event("desk.taken", CHANNEL);
    const watcher = await sitDown(server, null);
    await ada.request("unsubscribe", { channel: CHANNEL });
    await watcher.event("desk.left", CHANNEL);
    const [id] = [...server.connections].find(([, { userId }]) => userId === "ada")!;
    server.joinRoom(CHANNEL, id);
    await watcher.event("desk.taken", CHANNEL);
    server.leaveRoom(CHANNEL, id);
    await watcher.frame(({ event, seq }) => event === "desk.left" && seq === 4);
    expect(await told(watcher)).toEqual(["desk.left ada", "desk.taken ada", "desk.left ada"]);
  });

  it("has who subscribes in the very next answer to get_presence, over WebSocket and HTTP", async () => {
    const server = await office();
    const ada = await connect(server, "ada");
    ada.send({ type: "subscribe", data: { channel: CHANNEL } });
    const answer = { channel: CHANNEL, count: 1, users: [{ user_id: "ada", connections: 1 }] };
    expect(await users(ada)).toEqual(answer);
    const url = `http://127.0.0.1:${server.httpPort}/api/requests/get_presence`;
    expect((await post(url, { channel: CHANNEL })).body).toEqual(answer);
  });

  it("follows a connection that becomes another user", async () => {
    const server = await office();
    const watcher = await sitDown(server, null);
    const client = await sitDown(server, null);
    for (const user of ["ada", "ada", "bob"]) {
      expect(await client.request("auth", { token: await tokenOf(user) })).toMatchObject({
        data: { user_id: user },
      });
    }
    await watcher.frame(({ data }) => data.user_id === "bob");
    expect(await told(watcher)).toEqual(["desk.taken ada", "desk.left ada", "desk.taken bob"]);
  });

  it("is left by who loses the permission for it with a new token", async () => {
    const server = await office({ auth: { required: true } });
    const watcher = await sitDown(server, "wanda");
    const ada = await sitDown(server, "ada");
    await ada.request("refresh_token", { token: await tokenOf("ada", ["office:write"]) });
    expect(await ada.frame(({ type }) => type === "error")).toMatchObject({
      error_code: "FORBIDDEN",
      room: CHANNEL,
    });
    expect((await watcher.event("desk.left", CHANNEL)).data.user_id).toBe("ada");
  });

  it("counts who listens where the kind does not tell who is there", async () => {
    const server = await office();
    const ada = await sitDown(server, "ada", "board:b1");
    await sitDown(server, null, "board:b1");
    expect(await users(ada, "board:b1")).toMatchObject({
      count: 2,
      users: [{ user_id: "ada", connections: 1 }],
    });
    expect(await told(ada)).toEqual([]);
  });

  it("tells nothing of a restart to who comes back, and lets go of who does not", async () => {
    const server = await office(storage());
    const [ada, bob] = [await sitDown(server, "ada"), await sitDown(server, "bob")];
    await bob.event("desk.taken", CHANNEL);
    await server.stop();
    await Promise.all([ada.closed, bob.closed]);
    await server.start();
    const watcher = await sitDown(server, null);
    expect((await users(watcher)).users).toHaveLength(2);
    await sitDown(server, "ada");
    await watcher.request("pass_time", { seconds: LEASE_SECONDS });
    expect((await watcher.event("desk.left", CHANNEL)).data.user_id).toBe("bob");
    expect(await told(watcher)).toEqual(["desk.left bob"]);
  });

  it("has nobody in it after a restart where there is no database to remember them", async () => {
    const server = await office();
    const ada = await sitDown(server, "ada");
    await ada.event("desk.taken", CHANNEL);
    await server.stop();
    await server.start();
    const watcher = await sitDown(server, null);
    expect((await users(watcher)).users).toEqual([]);
    await sitDown(server, "ada");
    await watcher.event("desk.taken", CHANNEL);
  });
});
