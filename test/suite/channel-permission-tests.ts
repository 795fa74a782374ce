/**
 * What channels, events, routes and tools of a service want of their caller, who may be nobody; and what becomes of
 * channels when a new token no longer reaches them.
 *
 * @module
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createToken } from "../../src/auth/token.ts";
import { systemClock } from "../../src/ports/clock.ts";
import type { Access, ChannelKind, EventSpec } from "../../src/protocol/contract.ts";
import type { HttpRoute } from "../../src/service/http-route.ts";
import { connectClient, type ConnectedClient } from "../mcp/mcp-client.ts";
import { FrameClient } from "../support/frame-client.ts";
import { get, post, send } from "../support/http-client.ts";
import { type RunningService, startService } from "./running-service.ts";
import type { ServiceDescription } from "./service-description.ts";

const SECRET = "only for this test";

/** Somebody with a token, and what that allows. */
interface Holder {
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly client: FrameClient;
  readonly agent: ConnectedClient;
  may(access: Access | "any"): boolean;
}

export function channelPermissionTests(service: ServiceDescription): void {
  const { contract, routes = [] } = new service.Server().service;
  const kinds = Object.entries(contract.channels as Readonly<Record<string, ChannelKind>>);
  const publishable = Object.entries(contract.events as Readonly<Record<string, EventSpec>>)
    .filter(([, event]) => event.publishable !== undefined);
  const allChannels = kinds.flatMap(([kind, { id }]) =>
    id === undefined ? [kind] : [`${kind}:x`, `${kind}:*`]
  );
  const wants = (channel: string) => channel === "global" ? "any" : "read";

  describe("permissions for channels, events, routes and tools", () => {
    let running: RunningService;
    const holders: Holder[] = [];
    const tokenOf = (permissions: string[]) =>
      createToken({ secret: SECRET, userId: "ada", permissions, clock: systemClock });

    async function addHolder(name: string, permissions: string[], accesses: readonly Access[]) {
      const headers = { authorization: `Bearer ${await tokenOf(permissions)}` };
      const may = (access: Access | "any") =>
        access === "any" ? accesses.length > 0 : accesses.includes(access) || accesses.includes("admin");
      holders.push({
        name,
        headers,
        client: await FrameClient.open(running.url, { headers }),
        agent: await connectClient(`${running.http}/mcp`, headers),
        may,
      });
    }

    beforeAll(async () => {
      running = await startService(service, { auth: { required: true, secret: SECRET }, development: true });
      for (const access of ["read", "write", "run", "admin"] as const) {
        await addHolder(access, [`${service.name}:${access}`], [access]);
        await addHolder(`plain ${access}`, [access], [access]);
      }
      await addHolder("nothing", [], []);
      await addHolder("of another service", ["another-service:admin"], []);
    }, 60_000);
    afterAll(async () => {
      for (const { client, agent } of holders) {
        await client.close();
        await agent.client.close();
      }
      await running?.stop();
    });

    it.each(allChannels)("%s can be joined and read by those who may, alone", async (channel) => {
      for (const { name, client, headers, may } of holders) {
        const joined = await client.request("subscribe", { channel });
        const expected = may(wants(channel)) ? null : "FORBIDDEN";
        expect(joined.error_code, `subscribe, ${name}`).toBe(expected);
        for (const query of ["get_history", "get_presence"]) {
          const told = await client.request(query, { channel });
          expect(told.error_code, `${query}, ${name}`).toBe(may("read") ? null : "FORBIDDEN");
        }
        const events = await get(`${running.http}/api/channels/${channel}/events`, headers);
        expect(events.status, `events, ${name}`).toBe(may("read") ? 200 : 403);
        await client.request("unsubscribe", { channel });
      }
    });

    it("a subscribe without a channel is the same mistake for everybody", async () => {
      for (const { name, client } of holders) {
        expect((await client.request("subscribe")).error_code, name).toBe("INVALID_CHANNEL");
      }
    });

    it.each(publishable)(
      "%s can be published by those who may, alone",
      async (event, { publishable: access }) => {
        for (const { name, client, headers, agent, may } of holders) {
          const isAllowed = may(access!);
          // Whoever may publish hears of what is missing in it.
          const data = { event, data: {} };
          const codes = [
            (await client.request("publish", data)).error_code,
            (await post(`${running.http}/api/publish`, data, headers)).body.error_code,
            (await agent.call("publish", data)).content[0]!.text.split(":")[0],
          ];
          for (const code of codes) expect(code === "FORBIDDEN", `${name}: ${codes}`).toBe(!isAllowed);
        }
      },
    );

    it("events that clients may not publish are published by nobody, admins included", async () => {
      const [event] = Object.entries(contract.events as Readonly<Record<string, EventSpec>>)
        .find(([, { publishable }]) => publishable === undefined)!;
      for (const { client } of holders) {
        expect((await client.request("publish", { event, data: {} })).error_code).toBe("FORBIDDEN");
      }
    });

    it("the lists, the routes and the tools about the server are for those who may", async () => {
      for (const { name, headers, agent, may } of holders) {
        const ask = async (path: string) => (await get(`${running.http}${path}`, headers)).status;
        expect(await ask("/api/status"), name).toBe(may("read") ? 200 : 403);
        expect(await ask("/api/channels"), name).toBe(may("any") ? 200 : 403);
        expect(await ask("/metrics"), name).toBe(200);
        for (const { method, path, access } of routes as readonly HttpRoute<unknown>[]) {
          const answer = await send(
            method,
            `${running.http}${path.replaceAll(/:\w+/g, "x")}`,
            headers,
            "body",
          );
          expect(answer.status === 403, `${method} ${path}, ${name}`).toBe(!may(access));
        }
        const tool = async (tool: string, data = {}) => (await agent.call(tool, data)).isError === true;
        expect(await tool("websocket_status"), name).toBe(!may("read"));
        const event = { event_type: "made.up", room: "global" };
        expect(await tool("broadcast_test_event", event), name).toBe(!may("admin"));
      }
    });

    it("nobody without a token gets anything", async () => {
      for (
        const frame of [{ type: "subscribe", room: "global" }, {
          type: "request",
          event: "publish",
          data: {},
        }]
      ) {
        const nobody = await FrameClient.open(running.url);
        nobody.send(frame);
        expect(await nobody.closed).toEqual({ code: 1008, reason: "Authentication required" });
        expect(nobody.frames.map(({ error_code }) => error_code)).toEqual(["AUTH_REQUIRED"]);
      }
      const paths = ["/api/status", "/api/channels", `/api/channels/${service.channel}/events`, "/metrics"];
      for (const path of paths) expect((await get(`${running.http}${path}`)).status, path).toBe(401);
      for (
        const name of [...Object.keys(contract.requests), "get_status", "get_history", "no_such_request"]
      ) {
        expect((await post(`${running.http}/api/requests/${name}`, {})).status, name).toBe(401);
      }
      expect((await post(`${running.http}/api/publish`, {})).status).toBe(401);
      expect((await post(`${running.http}/mcp`, {})).status).toBe(401);
      for (const { method, path } of routes) {
        const answer = await send(method, `${running.http}${path.replaceAll(/:\w+/g, "x")}`, {}, "body");
        expect(answer.status, `${method} ${path}`).toBe(401);
      }
      for (const path of ["/health", "/ready"]) {
        expect((await get(`${running.http}${path}`)).status).toBe(200);
      }
    });

    it("a new token that no longer reads leaves every channel and wildcard but global", async () => {
      const client = await FrameClient.open(running.url, {
        headers: { authorization: `Bearer ${await tokenOf(["read"])}` },
      });
      for (const channel of allChannels) {
        expect((await client.request("subscribe", { channel })).error_code, channel).toBeNull();
      }
      const before = new Set(running.server.rooms.keys());
      await client.request("refresh_token", { token: await tokenOf(["write"]) });
      // In order behind what the refresh has set off.
      expect((await client.request("get_status")).error_code).toBe("FORBIDDEN");
      const left = client.frames.filter(({ error_code, room }) =>
        error_code === "FORBIDDEN" && room !== null
      );
      expect(left.map(({ room }) => room).toSorted()).toEqual(
        allChannels.filter((channel) => channel !== "global").toSorted(),
      );
      expect([...before].toSorted()).toEqual(allChannels.toSorted());
      expect([...running.server.rooms.keys()]).toEqual(["global"]);
      await client.close();
    });
  });

  it("anybody may do everything while authentication is off, with a token that allows nothing too", async () => {
    const open = await startService(service, { auth: { required: false, secret: SECRET } });
    try {
      const token = await createToken({ secret: SECRET, userId: "ada", permissions: [], clock: systemClock });
      for (const given of [{}, { headers: { authorization: `Bearer ${token}` } }]) {
        const client = await FrameClient.open(open.url, given);
        for (const channel of allChannels) {
          expect((await client.request("subscribe", { channel })).error_code, channel).toBeNull();
        }
        for (const name of Object.keys(contract.requests)) {
          expect((await client.request(name)).error_code, name).not.toBe("FORBIDDEN");
        }
        const announcement = { event: "system.announcement", data: { message: "hello" } };
        expect((await client.request("publish", announcement)).error_code).toBeNull();
        await client.close();
      }
    } finally {
      await open.stop();
    }
  });
}
