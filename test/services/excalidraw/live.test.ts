import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ExcalidrawWebSocketServer } from "../../../services/excalidraw/mod.ts";
import { connectClient } from "../../mcp/mcp-client.ts";
import { createToken } from "../../../src/auth/token.ts";
import { systemClock } from "../../../src/ports/clock.ts";
import { type RunningService, startService } from "../../suite/running-service.ts";
import { FrameClient } from "../../support/frame-client.ts";
import { post } from "../../support/http-client.ts";
import { box } from "./started-manager.ts";

const SECRET = "a secret of these tests alone";
const service = { name: "excalidraw", Server: ExcalidrawWebSocketServer };
let running: RunningService;
let clients: FrameClient[];
beforeEach(async () => {
  clients = [];
  running = await startService(service);
  await running.request({ name: "create_diagram", data: { diagram_id: "plan" } });
});
afterEach(async () => {
  for (const client of clients) client.ws.terminate();
  await running.stop();
});

async function member(...channels: string[]): Promise<FrameClient> {
  const client = await FrameClient.open(running.url);
  clients.push(client);
  for (const channel of channels) await client.request("subscribe", { channel });
  return client;
}

let sent = 0;
async function sendEvent(client: FrameClient, event: string, data: object) {
  const id = `event-${++sent}`;
  client.send({ type: "event", event, id, data: { diagram_id: "plan", ...data } });
  return await client.frame((frame) => frame.correlation_id === id);
}

const users =
  async () => (await running.request({ name: "get_presence", data: { channel: "presence:plan" } }) as {
    count: number;
    users: { user_id: string; connections: number }[];
  });

describe("an event that a client sends", () => {
  test("diagram.updated is kept and told to all but its sender, who is told what came of it", async () => {
    const sender = await member("diagram:plan");
    const other = await member("diagram:plan");
    const data = { user_id: "ada", elements: [box("a")], version: 99, extra: true };
    expect(await sendEvent(sender, "diagram.updated", data)).toMatchObject({
      type: "ack",
      event: "diagram.updated",
      data: {
        status: "published",
        channels: ["diagram:plan"],
        result: { status: "updated", version: 2, applied: 1, discarded: [] },
      },
    });
    const { timestamp: _, ...told } = (await other.event("diagram.updated", "diagram:plan")).data;
    expect(told).toEqual({ diagram_id: "plan", user_id: "ada", elements: [box("a")], version: 2 });
    expect(sender.events("diagram:plan")).toEqual([]);
    const { elements } = await running.request({ name: "get_diagram", data: { diagram_id: "plan" } }) as {
      elements: object[];
    };
    expect(elements).toEqual([box("a")]);
  });

  test("cursor.moved is told to the others, also where it had to wait, and never to its sender", async () => {
    // Long enough for three frames on a busy machine.
    await running.stop();
    running = await startService({ ...service, own: () => ({ cursor_interval_ms: 2_000 }) });
    await running.request({ name: "create_diagram", data: { diagram_id: "plan" } });
    const sender = await member("cursor:plan");
    const other = await member("cursor:plan");
    const answers = await Promise.all(
      [1, 2, 3].map((x) => sendEvent(sender, "cursor.moved", { user_id: "ada", position: { x, y: 0 } })),
    );
    expect(answers.map(({ data }) => data.result.status)).toEqual(["moved", "held", "held"]);
    await other.frame(({ event, data }) => event === "cursor.moved" && data.position.x === 3);
    expect(other.events("cursor:plan").map(({ data }) => data.position.x)).toEqual([1, 3]);
    await sendEvent(await member(), "cursor.moved", { user_id: "bob", position: { x: 9, y: 0 } });
    await sender.event("cursor.moved", "cursor:plan");
    expect(sender.events("cursor:plan").map(({ data }) => data.user_id)).toEqual(["bob"]);
    const history = await running.request({ name: "get_history", data: { channel: "cursor:plan" } });
    expect(history).toMatchObject({ events: [] });
  });

  test("user.joined and user.left count as joining and leaving", async () => {
    const sender = await member("presence:plan");
    const other = await member("presence:plan");
    const user_info = { name: "Ada", color: "#ff0000" };
    await sendEvent(sender, "user.joined", { user_id: "ada", user_info });
    expect((await other.event("user.joined", "presence:plan")).data).toMatchObject({
      user_id: "ada",
      user_info,
    });
    expect(await users()).toMatchObject({ count: 1, users: [{ user_id: "ada", user_info }] });
    const again = await sendEvent(sender, "user.joined", { user_id: "ada" });
    expect(again.data.result.status).toBe("unchanged");
    await sendEvent(sender, "user.left", { user_id: "ada" });
    expect((await other.event("user.left", "presence:plan")).data).toMatchObject({
      user_id: "ada",
      user_info,
    });
    expect(await users()).toMatchObject({ count: 0, users: [] });
    expect(sender.events("presence:plan")).toEqual([]);
    expect(other.events("presence:plan")).toHaveLength(2);
  });

  test("with a key is done once, whoever repeats it", async () => {
    const other = await member("diagram:plan");
    const client = await member();
    const data = { elements: [{ id: "a", type: "text" }], idempotency_key: crypto.randomUUID() };
    const answers = [
      await sendEvent(client, "diagram.updated", data),
      await sendEvent(await member(), "diagram.updated", data),
    ];
    expect(answers[0]!.data.result.version).toBe(2);
    expect(answers[1]!.data).toEqual(answers[0]!.data);
    await sendEvent(client, "diagram.updated", { elements: [box("last")] });
    await other.frame(({ data }) => data.elements?.[0].id === "last");
    expect(other.events("diagram:plan")).toHaveLength(2);
  });

  test.each([
    ["diagram.created", { title: "x", version: 1 }, "FORBIDDEN"],
    ["diagram.updated", { elements: [{ type: "text" }] }, "INVALID_DATA"],
    ["diagram.updated", { elements: "all" }, "INVALID_DATA"],
    ["diagram.updated", { elements: [], diagram_id: "nowhere" }, "NOT_FOUND"],
    ["diagram.updated", { elements: [], diagram_id: "*" }, "INVALID_DATA"],
    ["cursor.moved", { position: { x: 1 } }, "INVALID_DATA"],
    ["user.joined", { diagram_id: "nowhere" }, "NOT_FOUND"],
    ["user.removed", {}, "UNKNOWN_REQUEST"],
  ])("%s with %j is refused with %s and told to nobody", async (event, data, code) => {
    const other = await member("diagram:plan", "cursor:plan", "presence:plan", "global");
    expect(await sendEvent(await member(), event, data)).toMatchObject({ type: "error", error_code: code });
    await running.request({ name: "update_diagram", data: { diagram_id: "plan", elements: [box("end")] } });
    await other.event("diagram.updated", "diagram:plan");
    expect(other.frames.filter(({ type, room }) => type === "event" && room !== null)).toHaveLength(1);
  });
});

describe("a connection", () => {
  test("that ends, however it ends, leaves", async () => {
    const watcher = await member("presence:plan");
    for (const end of ["close", "terminate"] as const) {
      const client = await member();
      const { data } = await client.request("join_diagram", { diagram_id: "plan", user_id: end });
      expect(data.users).toHaveLength(1);
      client.ws[end]();
      await watcher.frame((frame) => frame.event === "user.left" && frame.data.user_id === end);
    }
    expect(await users()).toMatchObject({ count: 0 });
  });

  test("that listens to the presence channel is not in the diagram for that", async () => {
    await member("presence:plan");
    expect(await users()).toEqual({ channel: "presence:plan", count: 0, users: [] });
  });

  test("hears the answer to its own request before what it has caused", async () => {
    const client = await member("presence:plan");
    await client.request("join_diagram", { diagram_id: "plan" });
    await client.event("user.joined", "presence:plan");
    const [answer, event] = client.frames.slice(-2);
    expect(answer).toMatchObject({ type: "response", event: "join_diagram", data: { status: "joined" } });
    expect(event!.data.user_id).toBe(answer!.data.user_id);
  });
});

describe("subscribe", () => {
  test("brings the diagram, deleted elements included, and what comes after it and nothing between", async () => {
    const elements = [box("a"), box("b", 2, { isDeleted: true })];
    await running.request({ name: "update_diagram", data: { diagram_id: "plan", elements } });
    const client = await member();
    const { data } = await client.request("subscribe", { channel: "diagram:plan" });
    expect(data.snapshot).toMatchObject({ diagram_id: "plan", version: 2, elements });
    await running.request({ name: "update_diagram", data: { diagram_id: "plan", elements: [box("c")] } });
    expect((await client.event("diagram.updated", "diagram:plan")).data).toMatchObject({ version: 3 });
    const presence = await client.request("subscribe", { channel: "presence:plan" });
    expect(presence.data.snapshot).toEqual({ diagram_id: "plan", users: [] });
    expect((await client.request("subscribe", { channel: "cursor:plan" })).data).not.toHaveProperty(
      "snapshot",
    );
    const early = await client.request("subscribe", { channel: "diagram:to come" });
    expect(early.data).not.toHaveProperty("snapshot");
    await running.request({ name: "create_diagram", data: { diagram_id: "to come" } });
    await client.event("diagram.created", "diagram:to come");
  });

  test("brings the largest diagram there may be in one frame of less than 1 MiB", async () => {
    await running.stop();
    running = await startService({
      ...service,
      own: () => ({ diagram_bytes: 1_000_000, element_bytes: 1_000_000 }),
    });
    const title = "\u0001".repeat(200);
    const diagram_id = "ü".repeat(200);
    await running.request({ name: "create_diagram", data: { diagram_id, title } });
    const client = await member(`diagram:${diagram_id}`);
    const fill = (bytes: number) =>
      Object.entries({ big: bytes, other: 100_000 }).map(([id, length]) => {
        return { ...box(id), version: null, text: "x".repeat(length) };
      });
    let [fits, tooMuch] = [800_000, 1_000_000];
    while (tooMuch - fits > 1) {
      const bytes = Math.floor((fits + tooMuch) / 2);
      const answer = await post(`${running.http}/api/requests/update_diagram`, {
        diagram_id,
        elements: fill(bytes),
      });
      if (answer.status === 200) fits = bytes;
      else {
        expect(answer.body).toMatchObject({ error_code: "MESSAGE_TOO_LARGE" });
        tooMuch = bytes;
      }
    }
    expect(fits).toBeGreaterThan(899_000);
    await running.request({ name: "update_diagram", data: { diagram_id, elements: fill(fits) } });
    const reader = await member();
    const { data, error_code } = await reader.request("subscribe", { channel: `diagram:${diagram_id}` });
    expect(error_code).toBe(null);
    expect(data.snapshot.elements[0].text).toHaveLength(fits);
    expect((await reader.request("get_diagram", { diagram_id })).data.elements[0].text).toHaveLength(fits);
    expect((await reader.request("export_diagram", { diagram_id })).data.document.elements).toHaveLength(2);
    await client.frame(({ event, data }) =>
      event === "diagram.updated" && data.elements[0].text.length === fits
    );
    expect(client.frames.filter(({ error_code }) => error_code !== null)).toEqual([]);
  }, 60_000);
});

test("an agent draws, joins, publishes and looks who is there, over MCP", async () => {
  const watcher = await member("diagram:plan", "presence:plan");
  const { client, call } = await connectClient(`${running.http}/mcp`);
  try {
    // The client holds every answer against the schema that the tool announces.
    await client.listTools();
    const structured = async (name: string, data: object) => {
      const { isError, content, structuredContent } = await call(name, data as never);
      expect(isError, JSON.stringify(content)).toBeFalsy();
      return structuredContent;
    };
    await structured("update_diagram", { diagram_id: "plan", elements: [{ id: "a", type: "ellipse" }] });
    await structured("join_diagram", { diagram_id: "plan", user_id: "agent" });
    const elements = [{ id: "b", type: "diamond" }];
    expect(await structured("publish", { event: "diagram.updated", data: { diagram_id: "plan", elements } }))
      .toMatchObject({ status: "published", result: { applied: 1 } });
    expect(await structured("get_presence", { channel: "presence:plan" })).toMatchObject({
      users: [{ user_id: "agent", connections: 1, user_info: { name: "agent" } }],
    });
    for (const name of ["get_diagram", "get_diagram_status", "export_diagram"]) {
      await structured(name, { diagram_id: "plan" });
    }
    await structured("list_diagrams", {});
    await watcher.frame(({ data }) => data.elements?.[0].id === "b");
    await watcher.event("user.joined", "presence:plan");
  } finally {
    await client.close();
  }
});

describe("permissions", () => {
  test("who may write publishes and need not read; who may read does not publish", async () => {
    await running.stop();
    running = await startService(service, { auth: { required: true, secret: SECRET } });
    const as = async (...permissions: string[]) => {
      const token = await createToken({
        secret: SECRET,
        userId: permissions.join(),
        permissions,
        clock: systemClock,
      });
      const client = await FrameClient.open(running.url, { headers: { authorization: `Bearer ${token}` } });
      clients.push(client);
      return client;
    };
    const writer = await as("excalidraw:write");
    const reader = await as("excalidraw:read");
    const stranger = await as("session-buddy:write");
    expect((await writer.request("create_diagram", { diagram_id: "plan" })).error_code).toBe(null);
    await reader.request("subscribe", { channel: "diagram:plan" });
    expect((await sendEvent(writer, "diagram.updated", { elements: [box("a")] })).type).toBe("ack");
    expect((await reader.event("diagram.updated", "diagram:plan")).data.user_id).toBe("excalidraw:write");
    for (const client of [reader, stranger]) {
      const answer = await sendEvent(client, "diagram.updated", { elements: [box("b")] });
      expect(answer.error_code).toBe("FORBIDDEN");
    }
    const asAnother = { elements: [box("b")], user_id: "somebody else" };
    expect((await sendEvent(writer, "diagram.updated", asAnother)).error_code).toBe("FORBIDDEN");
    expect((await writer.request("subscribe", { channel: "diagram:plan" })).error_code).toBe("FORBIDDEN");
  });

  test("a token without a user acts as nobody else at any door, and as a guest on a WebSocket alone", async () => {
    await running.stop();
    running = await startService(service, { auth: { required: true, secret: SECRET } });
    const headersOf = async (...permissions: string[]) => {
      const token = await createToken({ secret: SECRET, userId: null, permissions, clock: systemClock });
      return { authorization: `Bearer ${token}` };
    };
    const headers = await headersOf("excalidraw:write", "excalidraw:read");
    await running.request({ name: "create_diagram", data: { diagram_id: "plan" } }, headers);
    const asAda = { diagram_id: "plan", user_id: "ada" };
    const client = await FrameClient.open(running.url, { headers });
    clients.push(client);
    expect((await client.request("join_diagram", asAda)).error_code).toBe("FORBIDDEN");
    expect((await sendEvent(client, "user.joined", asAda)).error_code).toBe("FORBIDDEN");
    const byHttp = (data: object) => post(`${running.http}/api/requests/join_diagram`, data, headers);
    for (const data of [asAda, { diagram_id: "plan" }]) {
      expect(await byHttp(data)).toMatchObject({ status: 403, body: { error_code: "FORBIDDEN" } });
    }
    const agent = await connectClient(`${running.http}/mcp`, headers);
    try {
      const answer = await agent.client.callTool({ name: "join_diagram", arguments: asAda });
      expect(JSON.stringify(answer)).toContain("the token names none");
    } finally {
      await agent.client.close();
    }
    expect((await client.request("join_diagram", { diagram_id: "plan" })).data.user_id).toMatch(/^guest-/);
    const admin = await headersOf("excalidraw:admin");
    expect(await running.request({ name: "join_diagram", data: asAda }, admin)).toMatchObject({
      user_id: "ada",
    });
  });
});
