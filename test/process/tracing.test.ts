import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectClient } from "../mcp/mcp-client.ts";
import { buildOnce } from "../support/build-once.ts";
import { FrameClient } from "../support/frame-client.ts";
import { post } from "../support/http-client.ts";
import { startAgent } from "../support/mcp-agent.ts";
import { makeScratch, type Scratch, serve } from "../support/serve-process.ts";
import { hasRuntime } from "../support/start-program.ts";

const traceparent = (digit: string) => `00-${digit.repeat(32)}-00f067aa0ba902b7-01`;

let scratch: Scratch;
beforeAll(async () => {
  await buildOnce();
  scratch = await makeScratch();
}, 300_000);
afterAll(() => scratch.remove());

describe.each(["node", "deno", "bun"] as const)("trace context on %s", { timeout: 120_000 }, (runtime) => {
  it.runIf(hasRuntime(runtime))(
    "goes from frame, header, MCP call and bridge into the events, and is there after kill -9",
    async () => {
      const options = { entry: "session-buddy", args: scratch.flags(runtime) } as const;
      const first = await serve(runtime, options);
      const [frame, header, meta, bridged] = ["1", "2", "3", "4"].map(traceparent);
      const client = await FrameClient.open(first.websocket);
      await client.request("subscribe", { channel: "session:*" });
      const project = "shop";
      await client.request("start_session", { session_id: "frame", project }, { traceparent: frame });
      await post(`${first.http}/api/requests/start_session`, { session_id: "header", project }, {
        traceparent: header!,
      });
      const mcp = await connectClient(first.mcp);
      const call = (session_id: string, trace: string) => ({
        name: "start_session",
        arguments: { session_id, project },
        _meta: { traceparent: trace },
      });
      expect((await mcp.client.callTool(call("meta", meta!)))._meta).toEqual({ traceparent: meta });
      await mcp.client.close();
      const agent = await startAgent(runtime, {
        args: ["session-buddy", "--http-port", new URL(first.http).port],
        folder: scratch.folder,
      });
      expect(agent.isServing()).toBe(false);
      const answer = await agent.client.callTool(call("bridged", bridged!), undefined, { timeout: 60_000 });
      expect(answer._meta).toEqual({ traceparent: bridged });
      agent.close();
      await agent.ended;

      const expected = { frame, header, meta, bridged };
      const created = async (of: FrameClient) => {
        for (const id of Object.keys(expected)) await of.event("session.created", `session:${id}`);
        const events = of.frames.filter(({ event }) => event === "session.created");
        return Object.fromEntries(events.map((event) => [event.data.session_id, event.traceparent]));
      };
      expect(await created(client)).toEqual(expected);
      client.ws.terminate();
      first.kill("SIGKILL");
      await first.ended;

      const second = await serve(runtime, options);
      const again = await FrameClient.open(second.websocket);
      await again.request("subscribe", { channel: "session:*", last: 10 });
      expect(await created(again)).toEqual(expected);
      await again.close();
      second.kill("SIGTERM");
      expect(await second.ended).toMatchObject({ code: 0, complaints: [] });
    },
  );
});
