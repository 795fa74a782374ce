import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { connectClient } from "../mcp/mcp-client.ts";
import { useBuiltScratch } from "../support/built-scratch.ts";
import { refusedUpgrade } from "../support/frame-client.ts";
import { get, post } from "../support/http-client.ts";
import { bind, freePort, serve } from "../support/serve-process.ts";

const scratch = useBuiltScratch();

it("serve with websocket.enabled false opens no WebSocket port, and HTTP and MCP say so", async () => {
  const port = await freePort();
  const file = join(scratch.folder, "off.yaml");
  await writeFile(file, `websocket:\n  enabled: false\n  port: ${port}\nhttp:\n  port: 0\n`);
  const program = await serve("node", {
    args: ["session-buddy", "--settings", file, "--storage", join(scratch.folder, "off.db")],
  });
  try {
    expect(program.websocket).toBe("");
    expect(program.stdout()).not.toContain("WebSocket");
    expect(program.stderr()).not.toContain("WebSocket server started");
    await bind(port);

    const started = await post(`${program.http}/api/requests/start_session`, { project: "off" });
    expect(started.status).toBe(200);
    expect((await get(`${program.http}/health`)).body.checks).toMatchObject({ websocket: "not_running" });
    // The alert on websocket_health leaves out what says so.
    const { body: metrics } = await get(`${program.http}/metrics`);
    expect(metrics).toMatch(/^websocket_status_info\{[^}]*status="off"\} 1$/m);
    const refusal = await refusedUpgrade(`${program.http.replace("http", "ws")}/ws`);
    expect(refusal).toMatchObject({ status: 503 });
    expect(JSON.parse(refusal.body)).toMatchObject({ error_code: "NOT_AVAILABLE" });

    const agent = await connectClient(program.mcp);
    expect((await agent.call("websocket_status")).structuredContent).toMatchObject({
      running: false,
      connections: 0,
      port,
    });
    expect((await agent.call("websocket_health_check")).structuredContent).toMatchObject({
      status: "not_initialized",
      connections: 0,
      rooms: 0,
    });
    const listed = await agent.call("list_sessions", { project: "off" });
    expect(listed.structuredContent?.sessions).toHaveLength(1);
    await agent.client.close();
  } finally {
    program.kill("SIGTERM");
  }
  expect(await program.ended).toMatchObject({ code: 0, complaints: [] });
});
