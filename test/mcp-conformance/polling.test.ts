/**
 * A server that ends a stream before the answer has come: the client fetches it by coming back with the last event's id.
 * The conformance suite asks for it in the name of a version that knows no such thing; here it is asked for by the first
 * version that does.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectClient } from "../mcp/mcp-client.ts";
import { hasRuntime, type Program, startProgram } from "../support/start-program.ts";

const VERSION = "2025-11-25";
const INITIALIZE = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: VERSION, capabilities: {}, clientInfo: { name: "test", version: "0" } },
};
const CALL = {
  jsonrpc: "2.0",
  id: 2,
  method: "tools/call",
  params: { name: "test_reconnection", arguments: {} },
};
const ANSWER = [{ type: "text", text: "Reconnection test completed successfully" }];

describe.each(["node", "deno", "bun"] as const)("a stream that ends before the answer on %s", (runtime) => {
  describe.runIf(hasRuntime(runtime))("of the fixture server", () => {
    let server: Program<{ url: string }>;
    beforeAll(async () => {
      server = await startProgram(runtime, "test/mcp-conformance/fixture-server.ts");
    }, 60_000);
    afterAll(() => server?.stop());

    const send = (method: string, headers: Record<string, string>, body?: object) =>
      fetch(server.ready.url, {
        method,
        headers: {
          "content-type": "application/json",
          accept: "application/json, text/event-stream",
          "mcp-protocol-version": VERSION,
          ...headers,
        },
        body: body && JSON.stringify(body),
      });

    it("begins with an id to come back with and the time after which to do so", async () => {
      const opened = await send("POST", {}, INITIALIZE);
      await opened.text();
      const session = { "mcp-session-id": opened.headers.get("mcp-session-id")! };
      const stream = await (await send("POST", session, CALL)).text();
      const [, id] = /^id: (\S+)\nretry: \d+\ndata: ?\n\n/m.exec(stream) ?? [];
      expect(id, stream).toBeDefined();
      expect(stream).not.toContain("result");

      const rest = await send("GET", { ...session, "last-event-id": id! });
      const message = await firstMessage(rest);
      expect(message).toMatchObject({ id: 2, result: { content: ANSWER } });
    }, 30_000);

    it("is taken up by the MCP package's client, which knows nothing of it", async () => {
      const { client, call } = await connectClient(server.ready.url);
      expect((await call("test_reconnection")).content).toEqual(ANSWER);
      await client.close();
    }, 30_000);
  });
});

/** The first event that holds something. The stream is left then. */
async function firstMessage(response: Response): Promise<unknown> {
  let text = "";
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  while (true) {
    const { done, value = "" } = await reader.read();
    text += value;
    const [, data] = /^data: (.+)\n\n/m.exec(text) ?? [];
    if (data === undefined && !done) continue;
    await reader.cancel();
    if (data === undefined) throw new Error(`Expected a message, got: ${text}`);
    return JSON.parse(data);
  }
}
