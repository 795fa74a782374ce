import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasRuntime } from "../support/start-program.ts";
import { connect, type Example, isFree, post, START_TIMEOUT_MS, startExample } from "./running-example.ts";

const HOOK_TIMEOUT_MS = START_TIMEOUT_MS + 5_000;
const ORIGIN = "https://app.example.org";

for (const runtime of ["node", "deno", "bun"] as const) {
  describe.runIf(hasRuntime(runtime))(`examples/embed/${runtime}.ts`, () => {
    let folder: string;
    let example: Example | undefined;
    let url: string;

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "embed-"));
      example = await startExample(runtime, `examples/embed/${runtime}.ts`, {
        isUp: /^Serving /,
        environment: { PORT: "0", ORIGIN, STORAGE: join(folder, "embed.db") },
      });
      url = example.lines.at(-1)!.replace("Serving ", "");
    }, HOOK_TIMEOUT_MS);

    afterAll(async () => {
      await example?.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    it("serves its own page, and under /live the service's health and MCP", async () => {
      const page = await fetch(url);
      expect(page.headers.get("content-type")).toMatch("text/html");
      expect(await page.text()).toContain("live/ws");

      expect(await (await fetch(`${url}/live/health`)).json()).toMatchObject({
        status: "healthy",
        server: "session-buddy",
      });
      const tools = await fetch(`${url}/live/mcp`, {
        method: "POST",
        headers: { "content-type": "application/json", accept: "application/json, text/event-stream" },
        body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" }),
      });
      expect(await tools.text()).toContain("start_session");
    });

    it("sends a page what requests by HTTP and the app itself have caused", async () => {
      const page = await connect(`${url}/live/ws`, ORIGIN);
      page.send({ type: "subscribe", data: { channel: "global" } });
      await page.take({ type: "ack" });

      const started = await post(`${url}/live/api/requests/start_session`, { project: "demo" });
      expect(started.status).toBe(200);
      expect(await page.take({ event: "session.created" })).toMatchObject({
        data: { session_id: started.body.session_id, project: "demo" },
      });

      expect((await post(`${url}/announce/hello`, {})).body).toEqual({ listeners: 1 });
      expect(await page.take({ event: "system.announcement" })).toMatchObject({
        room: "global",
        data: { message: "hello", source: "app" },
      });

      page.send({ type: "request", event: "get_session", data: { session_id: started.body.session_id } });
      expect(await page.take({ type: "response" })).toMatchObject({ data: { state: "active" } });
    });

    it("refuses a page of another origin", async () => {
      await expect(connect(`${url}/live/ws`, "http://elsewhere.example")).rejects.toThrow("refused with 403");
      const request = { method: "POST", headers: { origin: "http://elsewhere.example" } };
      expect((await fetch(`${url}/live/api/requests/list_sessions`, request)).status).toBe(403);
    });

    it("tells clients to go on SIGTERM and ends with 0, also where one was cut off before", async () => {
      const gone = await connect(`${url}/live/ws`);
      gone.cut();
      await gone.closed;
      const client = await connect(`${url}/live/ws`);
      client.send({ type: "subscribe", data: { channel: "session:*" } });
      await client.take({ type: "ack" });
      expect(await example!.stop()).toBe(0);
      expect(await client.closed).toBe(1001);
      expect(await isFree(url)).toBe(true);
    });
  });
}
