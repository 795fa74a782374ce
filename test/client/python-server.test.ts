import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import {
  type Client,
  type ClientOptions,
  createClient,
  type Item,
  RequestError,
  type Subscription,
  type WebSocketClass,
} from "../../src/client/mod.ts";
import { pythonPath, requireOrSkip } from "../support/require.ts";
import { type LegacyFacts, type LegacyServer, startLegacyServer } from "./legacy-server.ts";

const PATIENCE_MS = 60_000;
const GONE = "The server has ended the connection with 1001";
const TOKENS = {
  "ada's": { user_id: "ada", permissions: ["workflow:read"] },
  "admin's": { user_id: "root", permissions: ["admin"] },
};
const hasPython = requireOrSkip(
  "Python with the packages websockets and pydantic",
  pythonPath() !== undefined,
  "python3 -m venv .venv && .venv/bin/pip install websockets pydantic",
);

describe.runIf(hasPython)("the client of a Python server", () => {
  const servers = new Set<LegacyServer>();
  const clients: Client[] = [];
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    for (const server of [...servers]) await end(server, "die");
  }, PATIENCE_MS);

  async function start(facts: LegacyFacts = {}): Promise<LegacyServer> {
    const server = await startLegacyServer({ tokens: TOKENS, ...facts });
    servers.add(server);
    return server;
  }

  async function end(server: LegacyServer, how: "stop" | "die"): Promise<void> {
    servers.delete(server);
    await server.end(how);
  }

  /** A client, and what it says of itself. */
  function connect(server: LegacyServer, options: Partial<ClientOptions> = {}) {
    const states: [string, string | null][] = [];
    const errors: unknown[] = [];
    const client = createClient({
      url: server.url,
      WebSocket: WebSocket as unknown as WebSocketClass,
      minDelayMs: 10,
      maxDelayMs: 50,
      onState: (state, error) => states.push([state, error?.message ?? null]),
      onError(error) {
        // It is told of a server that is away, too.
        if ((error as { reason?: string }).reason === "unreachable") return;
        errors.push(error instanceof RequestError ? `${error.code}: ${error.message}` : error);
      },
      ...options,
    });
    clients.push(client);
    return { client, states, errors };
  }

  /** The next item of a subscription. */
  async function next(subscription: Subscription): Promise<Item> {
    const { value } = await subscription[Symbol.asyncIterator]().next();
    return value;
  }

  const requests = (server: LegacyServer, connection: number) =>
    server.frames().filter((row) => row.connection === connection).map(({ frame }) => frame.event);

  it("subscribes without a position, and hears broadcasts", async () => {
    const server = await start();
    const { client, states, errors } = connect(server);
    const one = client.subscribe("workflow:w1");
    const done = client.subscribe("workflow:w2", { events: ["workflow.completed"] });
    const all = client.subscribe("global");
    for (const { ready } of [one, done, all]) {
      expect(await ready).toEqual({ position: null, recovered: null });
    }
    expect(one.position).toBeNull();
    server.broadcast("workflow:w1", "workflow.started", { workflow_id: "w1" });
    server.broadcast("workflow:w2", "workflow.started", { workflow_id: "w2" });
    server.broadcast("workflow:w2", "workflow.completed", { workflow_id: "w2" });
    server.broadcast("workflow:w1", "workflow.completed", { workflow_id: "w1" });
    const event = (name: string, id: string) => ({
      type: "event",
      channel: `workflow:${id}`,
      event: name,
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      data: { workflow_id: id, timestamp: expect.any(String) },
      timestamp: expect.any(String),
    });
    expect(await next(one)).toEqual(event("workflow.started", "w1"));
    expect(await next(one)).toEqual(event("workflow.completed", "w1"));
    // Filters are the client's own affair here. The welcome was in nobody's channel.
    expect(await next(done)).toEqual(event("workflow.completed", "w2"));
    expect(states).toEqual([["open", null]]);
    expect(errors).toEqual([]);
  }, PATIENCE_MS);

  it("leaves a channel", async () => {
    const server = await start();
    const { client } = connect(server);
    const one = client.subscribe("workflow:w1");
    await one.ready;
    one.close();
    const again = client.subscribe("workflow:w1");
    await again.ready;
    server.broadcast("workflow:w1", "workflow.started", { workflow_id: "w1" });
    expect(await next(again)).toMatchObject({ event: "workflow.started" });
    expect(requests(server, 1)).toEqual(["subscribe", "unsubscribe", "subscribe"]);
  }, PATIENCE_MS);

  it("gets answers and refusals, and says where it got neither", async () => {
    const server = await start();
    const { client } = connect(server);
    expect(await client.request("get_workflow_status", { workflow_id: "w1" }))
      .toEqual({ workflow_id: "w1", status: "running", stages_completed: 0, total_stages: 10 });
    const unknown = { name: "RequestError", code: "UNKNOWN_REQUEST" };
    await expect(client.request("get_status", {}))
      .rejects.toMatchObject({ ...unknown, message: "Unknown request event: get_status" });
    await expect(client.publish("workflow.started", { workflow_id: "w1" })).rejects.toMatchObject(unknown);
    // Such servers do not answer where a field is missing.
    await expect(client.request("get_workflow_status", {}, { timeoutMs: 50 }))
      .rejects.toMatchObject({ name: "ClientError", reason: "timeout" });
    expect(await client.request("get_workflow_status", { workflow_id: "w2" }))
      .toMatchObject({ workflow_id: "w2" });
  }, PATIENCE_MS);

  it("goes slower where the server says so, and loses nothing by it", async () => {
    // Three at once.
    const server = await start({ rate: 2 });
    const { client, errors } = connect(server);
    const ids = ["w1", "w2", "w3", "w4", "w5"];
    const asked = ids.map((id) => client.request("get_workflow_status", { workflow_id: id }));
    const { ready } = client.subscribe("workflow:w1");
    expect((await Promise.all(asked)).map((answer) => answer["workflow_id"])).toEqual(ids);
    expect(await ready).toEqual({ position: null, recovered: null });
    expect(server.frames().length).toBeGreaterThan(6);
    expect(errors).toEqual([]);
  }, PATIENCE_MS);

  it.each(["stop", "die"] as const)(
    "comes back after a restart (%s), and says that events may be missing",
    async (how) => {
      const server = await start();
      const { client, states } = connect(server);
      const one = client.subscribe("workflow:w1");
      await one.ready;
      await end(server, how);
      const again = await start({ port: server.port });
      expect(await next(one)).toEqual({
        type: "gap",
        channel: "workflow:w1",
        from: null,
        to: null,
        cause: "unknown",
      });
      again.broadcast("workflow:w1", "workflow.completed", { workflow_id: "w1" });
      expect(await next(one)).toMatchObject({ type: "event", event: "workflow.completed" });
      expect(states.map(([state]) => state)).toEqual(["open", "connecting", "open"]);
      // What a broken line is told with is the runtime's matter.
      if (how === "stop") expect(states[1]![1]).toBe(GONE);
    },
    PATIENCE_MS,
  );

  it("says who it is before anything else, again after a restart, with a fresh token", async () => {
    const server = await start({ authRequired: true });
    let token = "ada's";
    const { client, states, errors } = connect(server, { token: () => token });
    const one = client.subscribe("workflow:w1");
    expect(await one.ready).toEqual({ position: null, recovered: null });
    server.broadcast("workflow:w1", "workflow.started", { workflow_id: "w1" });
    expect(await next(one)).toMatchObject({ event: "workflow.started" });
    // What this token does not allow ends that subscription, and nothing else.
    const pool = client.subscribe("pool:p1");
    const refused = { name: "RequestError", code: "FORBIDDEN" };
    await expect(pool.ready).rejects.toMatchObject(refused);
    await expect(next(pool)).rejects.toMatchObject(refused);
    expect(requests(server, 1)).toEqual(["auth", "subscribe", "subscribe"]);
    token = "admin's";
    await end(server, "stop");

    const again = await start({ authRequired: true, port: server.port });
    expect(await next(one)).toMatchObject({ type: "gap", cause: "unknown" });
    expect(await client.subscribe("pool:p1").ready).toEqual({ position: null, recovered: null });
    const tokens = again.frames().map(({ frame }) => frame.data.token).filter((token) => token !== undefined);
    expect(tokens).toEqual(["admin's"]);
    expect(states).toEqual([["open", null], ["connecting", GONE], ["open", null]]);
    expect(errors).toEqual([]);
  }, PATIENCE_MS);

  it.each([
    ["a token that is refused", "forged", "Authentication failed", "AUTH_FAILED: Invalid or expired token"],
    ["an empty token", "", "Authentication failed", "AUTH_FAILED: Missing or malformed auth token"],
    ["no token", undefined, "Authentication required", "AUTH_REQUIRED: Authentication required"],
  ])("does not come back with %s", async (_, token, reason, told) => {
    const server = await start({ authRequired: true });
    const { client, states, errors } = connect(server, { token, minDelayMs: 1, maxDelayMs: 1 });
    const one = client.subscribe("workflow:w1");
    const asked = client.request("get_workflow_status", { workflow_id: "w1" });
    const message = `The server has ended the connection with 1008: ${reason}`;
    const closed = { name: "ClientError", reason: "closed", message };
    await expect(asked).rejects.toMatchObject(closed);
    await expect(one.ready).rejects.toMatchObject(closed);
    await expect(next(one)).rejects.toMatchObject(closed);
    expect(client.state).toBe("closed");
    expect(states).toEqual([["open", null], ["closed", message]]);
    expect(errors).toEqual([told]);
    // Another try would have been made long before all this was said.
    const { client: other } = connect(server, { token: "ada's" });
    for (let n = 0; n < 20; n++) await other.request("get_workflow_status", { workflow_id: "w1" });
    expect(server.connections()).toBe(2);
  }, PATIENCE_MS);

  it("goes on where it gives a token that nobody asks for", async () => {
    const server = await start();
    const { client, errors } = connect(server, { token: "ada's" });
    expect(await client.subscribe("workflow:w1").ready).toEqual({ position: null, recovered: null });
    expect(errors).toEqual(["UNKNOWN_REQUEST: Unknown request event: auth"]);
  }, PATIENCE_MS);

  it.each([false, true])(
    "takes the answer to its ping for a sign of life (token: %s)",
    async (authRequired) => {
      const server = await start({ authRequired });
      const token = authRequired ? "ada's" : undefined;
      const { client, states, errors } = connect(server, { token, silenceMs: 20, answerMs: PATIENCE_MS });
      await client.subscribe("workflow:w1").ready;
      const pings = () => requests(server, 1).filter((event) => event === "ping").length;
      // The next one is only sent when the one before it was answered.
      await expect.poll(pings, { timeout: PATIENCE_MS }).toBeGreaterThanOrEqual(5);
      expect(states).toEqual([["open", null]]);
      // That it does not know the request is no news.
      expect(errors).toEqual([]);
      expect(server.connections()).toBe(1);
    },
    PATIENCE_MS,
  );
});
