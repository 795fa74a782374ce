/**
 * A real service behind a real proxy: what has to come through it.
 *
 * @module
 */
// @ts-types="@modelcontextprotocol/sdk/types"
import { ResourceUpdatedNotificationSchema } from "@modelcontextprotocol/sdk/types.js";
import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectClient } from "../mcp/mcp-client.ts";
import { FrameClient, refusedUpgrade } from "../support/frame-client.ts";
import { get, post, send } from "../support/http-client.ts";
import { useBuiltScratch } from "../support/built-scratch.ts";
import { serve, type Serving } from "../support/serve-process.ts";
import { sendSignal } from "../support/start-program.ts";

const PATIENCE_MS = 60_000;

/** A proxy that runs. */
export interface Proxy {
  /** Its address without TLS, by a name that leads to the service. */
  readonly http: string;
  /** Its address with TLS, the name that it has a certificate for, and whose. */
  readonly tls: { readonly url: string; readonly ca: string; readonly host: string };
  stop(): Promise<void>;
}

export interface ProxyParts {
  /** A folder for this test alone. */
  readonly folder: string;
  /** Host and port of the service's HTTP side. */
  readonly upstream: string;
}

/** Run a proxy's program until the test ends it. Resolves when `isUp` answers true. */
export async function runProxy(
  [program, ...args]: readonly string[],
  { folder, environment = {} }: { folder: string; environment?: Readonly<Record<string, string>> },
  isUp: () => Promise<boolean>,
): Promise<() => Promise<void>> {
  const child = spawn(program!, args, {
    cwd: folder,
    env: { ...process.env, ...environment },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  let over = false;
  child.stderr.setEncoding("utf8").on("data", (text: string) => void (said += text));
  const timer = setTimeout(() => sendSignal(child.pid, "SIGKILL"), 2 * PATIENCE_MS);
  const ended = new Promise<void>((resolve) => {
    child.on("error", (error) => said += error.message);
    child.on("close", () => {
      clearTimeout(timer);
      over = true;
      resolve();
    });
  });
  const late = Date.now() + PATIENCE_MS / 2;
  while (!(await isUp().catch(() => false))) {
    if (over || Date.now() > late) {
      sendSignal(child.pid, "SIGKILL");
      throw new Error(`Expected ${program} to run, got: ${said}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return async () => {
    sendSignal(child.pid, "SIGTERM");
    await ended;
  };
}

/** @param start Starts it before the service. */
export function testProxy(name: string, isHere: boolean, start: (parts: ProxyParts) => Promise<Proxy>): void {
  describe.runIf(isHere)(name, { timeout: PATIENCE_MS }, () => {
    const scratch = useBuiltScratch();
    let service: Serving;
    let proxy: Proxy;
    beforeAll(async () => {
      const settings = join(scratch.folder, "behind.yaml");
      await writeFile(
        settings,
        "hosts: { allowed: [session-buddy.example.org] }\norigins: { allowed: ['https://pages.example.org'] }\n",
      );
      service = await serve("node", {
        entry: "session-buddy",
        args: ["--settings", settings, ...scratch.flags("behind")],
        lifetimeMs: 4 * PATIENCE_MS,
      });
      proxy = await start({ folder: scratch.folder, upstream: new URL(service.http).host });
    }, 2 * PATIENCE_MS);
    afterAll(async () => {
      await proxy?.stop();
      service?.kill("SIGTERM");
      await service?.ended;
    });
    const trust = () => ({ ca: proxy.tls.ca, servername: proxy.tls.host });
    const host = () => ({ host: proxy.tls.host });

    it("passes requests on, and their refusals", async () => {
      const url = `${proxy.tls.url}/api/requests/start_session`;
      const made = await post(url, { session_id: "http", project: "proxy" }, host(), trust());
      expect(made).toMatchObject({ status: 200, body: { session_id: "http", version: 1 } });
      const ready = await get(`${proxy.tls.url}/ready`, host(), trust());
      expect(ready).toMatchObject({ status: 200, body: { server: "session-buddy" } });
      expect((await get(`${proxy.http}/api/nothing`)).body).toMatchObject({ error_code: "NOT_FOUND" });
      expect((await send("POST", url, { ...host(), "content-type": "text/plain" }, "x", trust())).status)
        .toBe(400);
      const evil = { ...host(), origin: "https://evil.example" };
      expect((await get(`${proxy.tls.url}/health`, evil, trust())).status).toBe(403);
    });

    it("passes WebSockets on, with the page's origin and the name that the client called", async () => {
      const url = `${proxy.tls.url.replace("https", "wss")}/ws`;
      const client = await FrameClient.open(url, {
        ...trust(),
        headers: host(),
        origin: "https://pages.example.org",
      });
      await client.request("subscribe", { channel: "session:live" });
      await client.request("start_session", { session_id: "live", project: "proxy" });
      expect((await client.event("session.created", "session:live")).data.project).toBe("proxy");
      client.send("x".repeat(1_048_577));
      expect((await client.closed).code).toBe(1009);
      const evil = { ...trust(), headers: host(), origin: "https://evil.example" };
      expect((await refusedUpgrade(url, evil)).status).toBe(403);
    });

    it("passes MCP on, its streams without waiting for more", async () => {
      const { client, call } = await connectClient(`${proxy.http}/mcp`);
      try {
        await call("start_session", { session_id: "agent", project: "proxy" });
        const uri = "session-buddy://session:agent";
        const updated = new Promise<string>((resolve) =>
          client.setNotificationHandler(
            ResourceUpdatedNotificationSchema,
            ({ params }) => resolve(params.uri),
          )
        );
        await client.subscribeResource({ uri });
        const read = await call("read_events", { channel: "session:agent" });
        const { cursor: since } = read.structuredContent as { cursor: string };
        const waiting = call("wait_for_event", { channel: "session:agent", since, timeout: 40 });
        await post(`${service.http}/api/requests/update_session`, { session_id: "agent", context: { n: 1 } });
        expect((await waiting).structuredContent).toMatchObject({
          outcome: "matched",
          event: { event: "session.updated" },
        });
        expect(await updated).toBe(uri);
      } finally {
        await client.close();
      }
    });

    it("keeps the figures from those outside", async () => {
      expect((await get(`${proxy.tls.url}/metrics`, host(), trust())).status).toBe(404);
      expect((await get(`${service.http}/metrics`)).status).toBe(200);
    });
  });
}
