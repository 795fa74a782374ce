/**
 * The endpoint on a real port of each runtime, spoken to by the MCP package's own client and by plain requests.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { fileURLToPath } from "node:url";
import { hasRuntime, type Program, type RuntimeName, startProgram } from "../support/start-program.ts";
import { connectClient, type ConnectedClient } from "./mcp-client.ts";

const RUNTIMES: readonly RuntimeName[] = ["node", "deno", "bun"];
const path = fileURLToPath(new URL("./notes-server.ts", import.meta.url));

for (const runtime of RUNTIMES) {
  describe.runIf(hasRuntime(runtime))(`/mcp on ${runtime}`, () => {
    let program: Program<{ url: string }>;
    let url: string;
    const clients: ConnectedClient[] = [];

    beforeAll(async () => {
      program = await startProgram(runtime, path, { args: ["small-body"] });
      url = program.ready.url;
    });
    afterAll(async () => {
      await program.stop();
      expect(program.stderr()).not.toMatch(/error|unhandled|uncaught/i);
    });
    afterEach(async () => {
      for (const { client } of clients.splice(0)) await client.close();
    });

    async function connect(user?: string): Promise<ConnectedClient> {
      const connected = await connectClient(url, user === undefined ? {} : { "x-user": user });
      clients.push(connected);
      return connected;
    }

    const post = (body: unknown, headers: Record<string, string> = {}) =>
      fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
      });
    const callOf = (name: string, data: unknown = {}) => ({
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: { name, arguments: data },
    });

    test("lists a tool for each request, those of every service, and none for trying out", async () => {
      const { client } = await connect();
      expect(client.getServerVersion()).toMatchObject({ name: "notes", version: "1.2.3" });
      const { tools } = await client.listTools();
      expect(tools.map(({ name }) => name).sort()).toEqual([
        ...[
          "add_note",
          "break_note",
          "echo",
          "get_history",
          "get_note",
          "get_presence",
          "get_status",
          "list_notes",
        ],
        ...["publish", "read_events", "wait_for_event"],
        ...["websocket_get_metrics", "websocket_get_status", "websocket_health_check"],
        ...["websocket_list_rooms", "websocket_status"],
      ]);
    });

    test("answers a call with text and with the same data", async () => {
      const { client, call } = await connect("ada");
      await client.listTools();
      const answer = await call("add_note", { text: "hello" });
      expect(answer.structuredContent).toMatchObject({ text: "hello", by: "ada" });
      expect(JSON.parse(answer.content[0]!.text)).toEqual(answer.structuredContent);
      expect((await call("list_notes")).structuredContent).toMatchObject({
        notes: expect.arrayContaining([answer.structuredContent]),
      });
      expect((await call("websocket_status")).structuredContent).toMatchObject({
        running: true,
        connections: 2,
      });
    });

    test("does a call with an idempotency key once, and not for another session", async () => {
      const [one, two] = [await connect(), await connect()];
      const first = await one.call("add_note", { text: "once", idempotency_key: "k" });
      expect(await one.call("add_note", { text: "once", idempotency_key: "k" })).toEqual(first);
      expect((await one.call("add_note", { text: "twice", idempotency_key: "k" })).content[0]!.text).toMatch(
        /^CONFLICT: /,
      );
      expect(await two.call("add_note", { text: "once", idempotency_key: "k" })).not.toEqual(first);
    });

    test("answers a refusal as an error of the tool that says what to do", async () => {
      const { call } = await connect();
      expect(await call("get_note", { note_id: 4000 })).toEqual({
        content: [{
          type: "text",
          text: "NOT_FOUND: Unknown note: 4000\nNot retryable as it is: check the ids that it names",
        }],
        isError: true,
        _meta: { error_code: "NOT_FOUND", retryable: false },
      });
      const bad = await call("add_note", { text: 7 });
      expect(bad).toMatchObject({ isError: true, _meta: { error_code: "INVALID_DATA" } });
      expect(bad.content[0]!.text).toContain("Invalid data for add_note: text: expected text, got 7");
    });

    test("hides what a handler throws", async () => {
      const { call } = await connect();
      const answer = await call("break_note");
      expect(answer).toMatchObject({ isError: true, _meta: { error_code: "SERVER_ERROR", retryable: true } });
      expect(JSON.stringify(answer)).not.toContain("secret");
    });

    test("answers an unknown tool with an error of the protocol", async () => {
      const { call } = await connect();
      await expect(call("broadcast_test_event", { event_type: "x" })).rejects.toThrow(
        "Unknown tool 'broadcast_test_event': tools/list names those there are",
      );
    });

    test("hands integers beyond 2^53 on without losing a digit", async () => {
      const body = JSON.stringify(callOf("echo")).replace(
        '"arguments":{}',
        '"arguments":{"n":9007199254740993}',
      );
      const { result } = await (await post(body)).json();
      expect(result.content[0].text).toBe('{"n":9007199254740993}');
    });

    test("ends a session by DELETE, after which it is not found", async () => {
      const { transport } = await connect();
      const session = transport.sessionId!;
      await transport.terminateSession();
      const response = await post(callOf("list_notes"), { "mcp-session-id": session });
      expect(response.status).toBe(404);
      expect((await response.json()).error).toMatchObject({ code: -32001 });
    });

    test("keeps a session for the one who opened it", async () => {
      const { transport, call } = await connect("ada");
      const headers = { "mcp-session-id": transport.sessionId! };
      expect((await post(callOf("list_notes"), headers)).status).toBe(404);
      expect((await post(callOf("list_notes"), { ...headers, "x-user": "bob" })).status).toBe(404);
      expect((await call("list_notes")).isError).toBeUndefined();
    });

    test("answers a POST without a session by itself, as plain JSON, whatever it accepts", async () => {
      const response = await post(callOf("websocket_health_check"), { accept: "*/*" });
      expect(response.headers.get("content-type")).toBe("application/json");
      expect(response.headers.get("mcp-session-id")).toBeNull();
      const { result } = await response.json();
      expect(result.structuredContent).toMatchObject({
        status: "healthy",
        connections: 2,
        rooms: 2,
        uptime: 4,
      });
    });

    test("refuses bodies that are too large, with and without their length, and goes on", async () => {
      const large = "x".repeat(200_000);
      const declared = await post(callOf("echo", { large }));
      expect(declared.status).toBe(413);
      expect((await declared.json()).error).toEqual({
        code: -32000,
        message: "The body is larger than 2000 bytes: send less at once",
      });
      const chunks = new ReadableStream({
        start(controller) {
          for (let i = 0; i < 10; i++) controller.enqueue(new TextEncoder().encode(large));
          controller.close();
        },
      });
      const init = {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: chunks,
        duplex: "half",
      };
      // A runtime may cut the connection instead of reading on.
      const streamed = await fetch(url, init as RequestInit).then((response) => response.status, () => 413);
      expect(streamed).toBe(413);
      expect((await post(callOf("list_notes"))).status).toBe(200);
    });

    test("refuses what is not JSON-RPC with a JSON error that shows nothing", async () => {
      for (const body of ["{", "", "7", '{"jsonrpc":"1.0"}', "[".repeat(1_000)]) {
        const response = await post(body);
        expect(response.status, body).toBe(400);
        const { error, ...rest } = await response.json();
        expect(rest).toEqual({ jsonrpc: "2.0", id: null });
        expect(error).toEqual({ code: -32700, message: expect.stringMatching(/^Parse error/) });
      }
      const binary = await fetch(url, { method: "POST", body: new Uint8Array([0xff, 0xfe]) });
      expect(binary.status).toBe(400);
      expect((await post(callOf("echo"), { "content-type": "text/plain" })).status).toBe(415);
    });

    test("refuses a call that names no tool, or whose arguments are no object", async () => {
      for (
        const params of [{}, { name: 5 }, { name: "echo", arguments: [] }, { name: "echo", arguments: null }]
      ) {
        const response = await post({ jsonrpc: "2.0", id: 9, method: "tools/call", params });
        expect([response.status, await response.json()]).toEqual([400, {
          jsonrpc: "2.0",
          id: 9,
          error: {
            code: -32602,
            message: expect.stringMatching(/^Invalid data for tools\/call: (name|arguments): expected/),
          },
        }]);
      }
    });

    test("refuses other methods, and streams without a session", async () => {
      const put = await fetch(url, { method: "PUT", body: "{}" });
      expect([put.status, put.headers.get("allow")]).toEqual([405, "GET, POST, DELETE"]);
      await put.body?.cancel();
      const get = await fetch(url, { headers: { accept: "text/event-stream" } });
      expect([get.status, (await get.json()).error.message]).toEqual([
        400,
        "Expected header Mcp-Session-Id with GET: initialize a session first",
      ]);
    });

    test("begins a quiet stream at once, and lets go of it when its reader is gone", async () => {
      const opened = await post({
        jsonrpc: "2.0",
        id: 1,
        method: "initialize",
        params: {
          protocolVersion: "2025-06-18",
          capabilities: {},
          clientInfo: { name: "plain", version: "0" },
        },
      });
      await opened.text();
      const headers = {
        "mcp-session-id": opened.headers.get("mcp-session-id")!,
        accept: "text/event-stream",
      };
      for (let round = 0; round < 3; round++) {
        const abort = new AbortController();
        // The server learns of the last reader's end a little later than the reader.
        let stream = await fetch(url, { headers, signal: abort.signal });
        while (stream.status === 409) {
          await stream.text();
          stream = await fetch(url, { headers, signal: abort.signal });
        }
        expect(stream.status).toBe(200);
        const reader = stream.body!.getReader();
        expect(new TextDecoder().decode((await reader.read()).value)).toBe(": ok\n\n");
        abort.abort();
      }
    });
  });
}
