/**
 * Services whose log cannot be written: standard error is full, or nobody reads it any more.
 */
import { existsSync } from "node:fs";
import { describe, expect, it, onTestFinished } from "vitest";
import { useBuiltScratch } from "../support/built-scratch.ts";
import { FrameClient } from "../support/frame-client.ts";
import { get } from "../support/http-client.ts";
import { requireOrSkip } from "../support/require.ts";
import { serve } from "../support/serve-process.ts";
import { hasRuntime, type RuntimeName } from "../support/start-program.ts";

const PATIENCE_MS = 60_000;
const hasFullDevice = requireOrSkip("/dev/full", existsSync("/dev/full"), "it is Linux that has it");
const LOGS = hasFullDevice ? ["closed", "full"] as const : ["closed"] as const;
const WAYS = LOGS.flatMap((log) => [
  [log, "serve"] as const,
  [log, "session-buddy"] as const,
]);

const scratch = useBuiltScratch();

describe.each<RuntimeName>(["node", "deno", "bun"])("on %s", { timeout: PATIENCE_MS }, (runtime) => {
  it.runIf(hasRuntime(runtime)).each(WAYS)("serves with standard error %s: %s", async (log, entry) => {
    const flags = scratch.flags(`${runtime}-${entry}-${log}`);
    const args = entry === "serve" ? ["session-buddy", ...flags] : flags;
    const program = await serve(runtime, { entry, args, log, lifetimeMs: PATIENCE_MS });
    onTestFinished(() => program.kill("SIGKILL"));
    // Each that comes and goes is two lines of the log.
    for (let visits = 0; visits < 5; visits++) {
      const client = await FrameClient.open(program.websocket);
      expect((await client.request("ping")).type).toBe("response");
      await client.close();
    }
    const client = await FrameClient.open(program.websocket);
    expect((await get(`${program.http}/health`)).status).toBe(200);
    program.kill("SIGTERM");
    // It drains, as ever.
    expect(await client.closed).toMatchObject({ code: 1001 });
    expect((await program.ended).code).toBe(0);
  });
});
