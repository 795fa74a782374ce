/**
 * SIGHUP while a service starts: it is read as the wish that it is, when there is something to reload.
 */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { useBuiltScratch } from "../support/built-scratch.ts";
import { requireOrSkip } from "../support/require.ts";
import { type ServeProcess, start } from "../support/serve-process.ts";
import { hasRuntime, type RuntimeName } from "../support/start-program.ts";

const PATIENCE_MS = 60_000;
const POLL = { timeout: 30_000, interval: 1 };
const ENTRIES = ["serve", "session-buddy"] as const;

const scratch = useBuiltScratch();
const hasProc = requireOrSkip("/proc", existsSync("/proc/self/status"), "it is Linux that has it");

function begin(runtime: RuntimeName, entry: typeof ENTRIES[number], environment = {}): ServeProcess {
  const flags = scratch.flags(`early-${runtime}-${entry}`);
  const args = entry === "serve" ? ["session-buddy", ...flags] : flags;
  const program = start(runtime, { entry, args, environment, lifetimeMs: PATIENCE_MS });
  onTestFinished(() => program.kill("SIGKILL"));
  return program;
}

/** It serves, has read its settings again, and ends in order. */
async function reloads(program: ServeProcess): Promise<void> {
  let isOver = false;
  void program.ended.then(() => isOver = true);
  const seen = () => isOver || program.stderr().includes("Settings were read again");
  await expect.poll(seen, POLL).toBe(true);
  expect(program.stdout()).toContain("Stop with Ctrl-C");
  program.kill("SIGTERM");
  expect((await program.ended).code).toBe(0);
}

/** Sends itself a SIGHUP when the first file of the server is looked for. */
const HOOKS = `let isSent = false;
export async function load(url, context, next) {
  if (!isSent && /\\/server[^/]*\\.js$|\\/server\\/run\\.js$/.test(url)) {
    isSent = true;
    process.kill(process.pid, "SIGHUP");
  }
  return await next(url, context);
}`;

describe("on node", { timeout: PATIENCE_MS }, () => {
  it.each(ENTRIES)("%s lives through a SIGHUP that comes while its files are loaded", async (entry) => {
    const module = (text: string) => `data:text/javascript,${encodeURIComponent(text)}`;
    const preload = `import { register } from "node:module"; register(${JSON.stringify(module(HOOKS))});`;
    const program = begin("node", entry, { NODE_OPTIONS: `--import=${module(preload)}` });
    await reloads(program);
  });
});

describe.each<RuntimeName>(["node", "deno", "bun"])("on %s", { timeout: PATIENCE_MS }, (runtime) => {
  it.skipIf(!hasRuntime(runtime) || !hasProc).each(ENTRIES)(
    "%s lives through a SIGHUP that comes as soon as it listens for one",
    async (entry) => {
      const program = begin(runtime, entry);
      await expect.poll(() => listensToHangups(program.pid), POLL).toBe(true);
      program.kill("SIGHUP");
      await reloads(program);
    },
  );
});

async function listensToHangups(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const caught = BigInt(`0x${/^SigCgt:\s*(\w+)$/m.exec(status)?.[1] ?? "0"}`);
  return (caught & 1n) === 1n;
}
