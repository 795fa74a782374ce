/**
 * What commands do with standard output that is slow, full, or read by nobody, and with standard error that is full.
 */
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBuiltScratch } from "../support/built-scratch.ts";
import { type ServedService, serveIn } from "../support/cli-service.ts";
import { requireOrSkip } from "../support/require.ts";
import { runInShell } from "../support/shell-command.ts";
import { hasRuntime, type RuntimeName } from "../support/start-program.ts";

const PATIENCE_MS = 120_000;
const LARGE = "x".repeat(250_000);
const FULL = "Cannot write to standard output: the disk is full; make room or choose another path\n";

const hasFullDevice = requireOrSkip("/dev/full", existsSync("/dev/full"), "it is Linux that has it");
const scratch = useBuiltScratch();
const environment = { SESSION_BUDDY_JWT_SECRET: "a secret that only this file knows" };
let service: ServedService;
beforeAll(async () => {
  const folder = join(scratch.folder, "output");
  await mkdir(folder);
  service = await serveIn({ folder, service: "session-buddy", environment });
  await service.post("start_session", { session_id: "large", project: "tour", context: { text: LARGE } });
}, PATIENCE_MS);
afterAll(() => service?.stop());

const ASK = "request session-buddy get_session session_id=large";
const TAIL = "tail session-buddy session:large --last 1 --json";

describe.each<RuntimeName>(["node", "deno", "bun"])("on %s", { timeout: PATIENCE_MS }, (runtime) => {
  const run = (words: string, line: string) =>
    runInShell(words.split(" "), line, { ...service.here, runtime, environment });

  it.skipIf(!hasRuntime(runtime))("an answer is whole, however slowly it is read", async () => {
    // By few bytes at a time, of a pipe that holds 64 KiB.
    const { code, stdout, stderr } = await run(ASK, '"$@" | dd bs=500 status=none');
    expect([code, stderr]).toEqual([0, ""]);
    expect(JSON.parse(stdout).context.text).toBe(LARGE);
  });

  it.skipIf(!hasRuntime(runtime) || !hasFullDevice).each([
    ASK,
    "status session-buddy",
    `${TAIL} --until session.created`,
    TAIL,
    "--version",
  ])("one sentence and exit code 1 where there is no space: %s", async (words) => {
    const { code, stderr } = await run(words, '"$@" >/dev/full');
    expect([code, stderr.replace(/^Go on from here .*\n/, "")]).toEqual([1, FULL]);
  });

  it.skipIf(!hasRuntime(runtime)).each([
    [ASK, 0],
    ["status session-buddy", 0],
    ["doctor akosha", 0],
    ["config schema session-buddy", 0],
    [TAIL, 0],
    [`${TAIL} --until session.closed`, 1],
  ])("a quiet end where nobody reads: %s", async (words, expected) => {
    const { code, stderr } = await run(words, '"$@" | true');
    expect([code, stderr.replace(/^Go on from here .*\n/, "")]).toEqual([expected, ""]);
  });

  it.skipIf(!hasRuntime(runtime) || !hasFullDevice)("a result without standard error", async () => {
    const { code, stdout } = await run("config check", '"$@" 2>/dev/full');
    expect([code, stdout.split("\n")]).toEqual([
      0,
      expect.arrayContaining([expect.stringContaining("right")]),
    ]);
    expect((await run("request session-buddy nothing", '"$@" 2>/dev/full')).code).toBe(2);
  });
});

describe.skipIf(!hasFullDevice)("where there is no space", { timeout: PATIENCE_MS }, () => {
  it.each([
    "config show akosha",
    "config check",
    "config check --json",
    "mcp config cursor akosha",
    "doctor akosha",
    "token create --service session-buddy --user ann",
    "status --json",
    "tail --help",
    "--help",
  ])("%s says so and ends with 1", async (words) => {
    const { code, stderr } = await runInShell(words.split(" "), '"$@" >/dev/full', {
      ...service.here,
      environment,
    });
    expect(code).toBe(1);
    expect(stderr.endsWith(FULL)).toBe(true);
    expect(stderr).not.toMatch(/^ {4}at /m);
  });
});
