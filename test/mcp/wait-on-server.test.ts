/**
 * Waiting and reading over a real server and its HTTP, by the MCP package's own client.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { SessionBuddyWebSocketServer } from "../../services/session-buddy/mod.ts";
import { type RunningService, startService } from "../suite/running-service.ts";
import { connectClient, type ConnectedClient, type ToolAnswer } from "./mcp-client.ts";

const PATIENCE = { timeout: 20_000, interval: 20 };

const controllers = (count: number) => Array.from({ length: count }, () => new AbortController());

describe("an MCP client of a server", { timeout: 60_000 }, () => {
  let running: RunningService;
  const clients: ConnectedClient[] = [];
  beforeAll(async () => {
    running = await startService({ name: "session-buddy", Server: SessionBuddyWebSocketServer });
  });
  afterAll(() => running.stop());
  afterEach(async () => {
    for (const { client } of clients.splice(0)) await client.close();
  });

  async function connect(): Promise<ConnectedClient> {
    const connected = await connectClient(`${running.http}/mcp`);
    clients.push(connected);
    return connected;
  }
  const start = (session_id: string) =>
    running.request({ name: "start_session", data: { session_id, project: "waiting" } });
  const step = (session_id: string, n: number) =>
    running.request({ name: "update_session", data: { session_id, context: { step: n } } });
  /** A call under way, and whether it has been answered. */
  function begin(called: Promise<ToolAnswer>): { readonly answer: Promise<ToolAnswer>; isOver: boolean } {
    const call = { answer: called, isOver: false };
    const over = () => {
      call.isOver = true;
    };
    called.then(over, over);
    return call;
  }

  test("waits for what happens, and finds what happened between two calls, also after a restart", async () => {
    const { client, call } = await connect();
    // The client holds every answer against the output schema of the tool.
    await client.listTools();
    await start("a");
    const channel = "session:a";
    const first = await call("wait_for_event", { channel, since: "start", timeout: 0 });
    expect(first.structuredContent).toMatchObject({
      outcome: "matched",
      event: { event: "session.created", source: "session-buddy session:a" },
    });
    const since = first.structuredContent!["cursor"];
    const waiting = begin(call("wait_for_event", { channel, since, match: { "changes.step": 2 } }));
    await step("a", 1);
    await step("a", 2);
    const second = (await waiting.answer).structuredContent!;
    expect(second).toMatchObject({ outcome: "matched", event: { data: { changes: { step: 2 } } } });
    await step("a", 3);
    await running.restart();
    // The connections to the first server are kept for a moment, and found broken.
    const again = await vi.waitFor(connect, PATIENCE);
    const third = await again.call("wait_for_event", { channel, since: second["cursor"], timeout: 10 });
    expect(third.structuredContent).toMatchObject({
      outcome: "matched",
      event: { data: { changes: { step: 3 } } },
    });
    const { structuredContent } = await again.call("read_events", {
      channel,
      since: first.structuredContent!.cursor,
    });
    const events = structuredContent!["events"] as { data: { changes: { step: number } } }[];
    expect(events.map(({ data }) => data.changes.step)).toEqual([1, 2, 3]);
    expect(structuredContent!["more"]).toBeUndefined();
  });

  test("tells who asks for it how long it has waited", { timeout: 90_000 }, async () => {
    const { client } = await connect();
    const told: unknown[] = [];
    const answer = await client.callTool(
      { name: "wait_for_event", arguments: { channel: "session:b", timeout: 11 } },
      undefined,
      { onprogress: (progress) => void told.push(progress) },
    );
    expect(answer.structuredContent).toMatchObject({ outcome: "timeout" });
    expect(told).toEqual([{ progress: 10, total: 11, message: "Waiting for an event of session:b" }]);
  });

  test("answers a POST without a session too", async () => {
    const call = {
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: { name: "wait_for_event", arguments: { channel: "session:c", since: "start" } },
    };
    const answered = fetch(`${running.http}/mcp`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(call),
    });
    await start("c");
    const { result } = await (await answered).json();
    expect(result.structuredContent).toMatchObject({ outcome: "matched", event: { channel: "session:c" } });
  });

  test("gives its place back when a call is cancelled, its session ends or its connection breaks", async () => {
    const url = `${running.http}/mcp`;
    const arguments_ = { channel: "session:d", timeout: 45 };
    const plain = (signal: AbortSignal) =>
      fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          jsonrpc: "2.0",
          id: 1,
          method: "tools/call",
          params: { name: "wait_for_event", arguments: arguments_ },
        }),
        signal,
      });
    // Without a session all come from one address, and so from one caller.
    const leaving = controllers(50);
    const fifty = leaving.map(({ signal }) => plain(signal).catch(() => null));
    const refusal = async () => {
      const asking = new AbortController();
      const answered = plain(asking.signal).then((response) => response.json()).catch(() => null);
      const waits = new Promise<null>((resolve) => setTimeout(() => resolve(null), 300));
      const first = await Promise.race([answered, waits]);
      asking.abort();
      return first?.result.content[0].text ?? null;
    };
    await vi.waitFor(async () => expect(await refusal()).toMatch(/^RATE_LIMIT_EXCEEDED: /), PATIENCE);
    for (const controller of leaving) controller.abort();
    await Promise.all(fifty);
    await vi.waitFor(async () => expect(await refusal()).toBeNull(), PATIENCE);

    const { client } = await connect();
    const stopping = controllers(50);
    const many = stopping.map(({ signal }) =>
      client.callTool({ name: "wait_for_event", arguments: arguments_ }, undefined, { signal }).catch(() =>
        null
      )
    );
    const one = () => client.callTool({ name: "wait_for_event", arguments: { ...arguments_, timeout: 0 } });
    await vi.waitFor(async () => expect((await one()).isError).toBe(true), PATIENCE);
    for (const controller of stopping) controller.abort();
    await Promise.all(many);
    await vi.waitFor(async () => expect((await one()).isError).toBeUndefined(), PATIENCE);
  });

  test("is told when the service stops, and not left waiting", async () => {
    const { call } = await connect();
    const waiting = begin(call("wait_for_event", { channel: "session:e", timeout: 45 }));
    await call("wait_for_event", { channel: "session:e", timeout: 0 });
    expect(waiting.isOver).toBe(false);
    await running.restart();
    const { isError, content } = await waiting.answer;
    expect([isError, content[0]!.text]).toEqual([
      true,
      expect.stringMatching(/^NOT_AVAILABLE: The service is stopping, .*\nRetryable/),
    ]);
  });
});
