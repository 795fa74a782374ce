/**
 * Trace context through a real service: in by every door, out with everything that it causes.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SessionBuddyWebSocketServer } from "../../services/session-buddy/mod.ts";
import { createClient } from "../../src/client/node.ts";
import { connectClient } from "../mcp/mcp-client.ts";
import { type RunningService, startService } from "../suite/running-service.ts";
import { FrameClient } from "../support/frame-client.ts";
import { get, post } from "../support/http-client.ts";

let count = 0;
/** A trace that nobody had before. */
function newTrace() {
  const id = (++count).toString(16).padStart(32, "a");
  return { id, traceparent: `00-${id}-00f067aa0ba902b7-01` };
}

const MALFORMED = [`00-${"0".repeat(32)}-00f067aa0ba902b7-01`, "nonsense", "\n", "", 7, null, {}, ["00-x"]];

let service: RunningService;
beforeAll(async () => {
  service = await startService({ name: "session-buddy", Server: SessionBuddyWebSocketServer });
}, 60_000);
afterAll(() => service?.stop());

const opened: { close(): unknown }[] = [];
afterAll(async () => {
  for (const one of opened) await one.close();
});

async function listening(channel: string): Promise<FrameClient> {
  const client = await FrameClient.open(service.url);
  opened.push(client);
  await client.request("subscribe", { channel });
  return client;
}

const linesOf = ({ id }: { id: string }) => service.log.filter((line) => line.includes(`trace_id=${id}`));

describe("trace context", { timeout: 60_000 }, () => {
  it("of a frame reaches its reply, its events in every channel, and the log", async () => {
    const [watching, asking] = [await listening("global"), await listening("session:frame")];
    const trace = newTrace();
    const asked = { session_id: "frame", project: "shop" };
    const reply = await asking.request("start_session", asked, { traceparent: trace.traceparent });
    expect(reply).toMatchObject({ type: "response", traceparent: trace.traceparent });
    for (const client of [watching, asking]) {
      expect(await client.event("session.created")).toMatchObject({ traceparent: trace.traceparent });
    }
    const [line] = linesOf(trace);
    expect(line).toMatch(
      / DEBUG Request answered request=start_session door=websocket connection=.* outcome=ok/,
    );
    expect(line).toContain("span_id=00f067aa0ba902b7");
  });

  it("of a refused request reaches the error", async () => {
    const client = await listening("global");
    const trace = newTrace();
    const more = { traceparent: trace.traceparent };
    expect(await client.request("get_session", { session_id: "none" }, more)).toMatchObject({
      type: "error",
      error_code: "NOT_FOUND",
      traceparent: trace.traceparent,
    });
    expect(linesOf(trace)).toEqual([expect.stringContaining("outcome=NOT_FOUND")]);
  });

  it("of the HTTP header reaches the events and the log", async () => {
    const watching = await listening("global");
    const trace = newTrace();
    await service.request({ name: "start_session", data: { session_id: "http", project: "shop" } }, {
      traceparent: trace.traceparent,
    });
    const created = await watching.frame(({ data }) => data?.session_id === "http");
    expect(created.traceparent).toBe(trace.traceparent);
    expect(linesOf(trace)).toEqual([expect.stringContaining("door=http")]);
  });

  it("that is malformed is dropped, by every door, and never an error", async () => {
    const watching = await listening("global");
    for (const [number, traceparent] of MALFORMED.entries()) {
      const data = { session_id: `bad-${number}`, project: "shop" };
      expect(await watching.request("start_session", data, { traceparent })).toMatchObject({
        type: "response",
      });
      const created = await watching.frame((frame) => frame.data?.session_id === data.session_id);
      expect(created).not.toHaveProperty("traceparent");
    }
    const answer = await post(`${service.http}/api/requests/list_sessions`, {}, { traceparent: "nonsense" });
    expect(answer.status).toBe(200);
    const { client } = await connectClient(`${service.http}/mcp`);
    const called = await client.callTool({
      name: "list_sessions",
      arguments: {},
      _meta: { traceparent: "nonsense" },
    });
    expect(called.isError).toBeFalsy();
    expect(called._meta).toBeUndefined();
    await client.close();
  });

  it("of an MCP call's _meta reaches its answer, its events and the log, before that of the HTTP header", async () => {
    const watching = await listening("global");
    const [own, header] = [newTrace(), newTrace()];
    const { client } = await connectClient(`${service.http}/mcp`, { traceparent: header.traceparent });
    const called = await client.callTool({
      name: "start_session",
      arguments: { session_id: "mcp", project: "shop" },
      _meta: { traceparent: own.traceparent },
    });
    expect(called._meta).toEqual({ traceparent: own.traceparent });
    const created = await watching.frame(({ data }) => data?.session_id === "mcp");
    expect(created.traceparent).toBe(own.traceparent);
    expect(linesOf(own)).toEqual([expect.stringContaining("door=mcp")]);

    const refused = await client.callTool({ name: "get_session", arguments: { session_id: "none" } });
    expect(refused._meta).toMatchObject({ error_code: "NOT_FOUND", traceparent: header.traceparent });
    await client.close();
  });

  it("of an event is told by the tools that wait and read, by history, and by the channel's resource", async () => {
    const trace = newTrace();
    const { client, call } = await connectClient(`${service.http}/mcp`);
    const channel = "session:told";
    const waiting = call("wait_for_event", {
      channel,
      events: ["session.created"],
      since: "start",
      timeout: 30,
    });
    await service.request({ name: "start_session", data: { session_id: "told", project: "shop" } }, {
      traceparent: trace.traceparent,
    });
    await service.request({ name: "update_session", data: { session_id: "told", context: { a: 1 } } });
    const matched = (await waiting).structuredContent as { event: Record<string, unknown> };
    expect(matched.event).toMatchObject({ event: "session.created", traceparent: trace.traceparent });

    // The tools' answers are held against their output schemas by the client.
    const [read, past] = [await call("read_events", { channel }), await call("get_history", { channel })];
    const over = await get(`${service.http}/api/channels/${channel}/events`);
    const resource = await client.readResource({ uri: `session-buddy://${channel.replace(":", "/")}` });
    const [content] = resource.contents as { text: string }[];
    for (
      const events of [
        read.structuredContent!.events,
        past.structuredContent!.events,
        over.body.events,
        JSON.parse(content!.text).recent,
      ]
    ) {
      expect(events).toMatchObject([{ event: "session.created", traceparent: trace.traceparent }, {
        event: "session.updated",
      }]);
      expect((events as object[])[1]).not.toHaveProperty("traceparent");
    }
    await client.close();
  });

  it("of an event goes with the notification that its resource has changed", async () => {
    const { client } = await connectClient(`${service.http}/mcp`);
    const told: { method: string; params?: Record<string, unknown> }[] = [];
    client.fallbackNotificationHandler = (notification) => {
      told.push(notification as typeof told[number]);
      return Promise.resolve();
    };
    const uri = "session-buddy://session/noted";
    await client.subscribeResource({ uri });
    const trace = newTrace();
    await service.request({ name: "start_session", data: { session_id: "noted", project: "shop" } }, {
      traceparent: trace.traceparent,
    });
    await expect.poll(() => told, { timeout: 30_000 }).toMatchObject([{
      method: "notifications/resources/updated",
      params: { uri, _meta: { traceparent: trace.traceparent } },
    }]);
    await client.close();
  });

  it("is sent by the client with a request and handed out with an event", async () => {
    const client = createClient({ url: service.url });
    opened.push(client);
    const subscription = client.subscribe("session:client");
    await subscription.ready;
    const trace = newTrace();
    const { traceparent } = trace;
    await client.request("start_session", { session_id: "client", project: "shop" }, { traceparent });
    await client.request("update_session", { session_id: "client", context: { a: 1 } });
    const items = [];
    for await (const item of subscription) {
      items.push(item);
      if (items.length === 2) break;
    }
    expect(items).toMatchObject([{ event: "session.created", traceparent }, { event: "session.updated" }]);
    expect(items[1]).not.toHaveProperty("traceparent");
    expect(linesOf(trace)).toHaveLength(1);
  });

  it("is kept with the event over a restart", async () => {
    const before = await listening("global");
    const trace = newTrace();
    const more = { traceparent: trace.traceparent };
    await before.request("start_session", { session_id: "kept", project: "shop" }, more);
    await service.restart();
    const after = await FrameClient.open(service.url);
    opened.push(after);
    await after.request("subscribe", { channel: "session:kept", last: 5 });
    expect(await after.event("session.created", "session:kept")).toMatchObject(more);
  });
});
