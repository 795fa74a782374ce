/**
 * Where `mcp-realtime record` writes to, as a person runs it in a shell: pipes, a full disk, a reader that leaves.
 */
import { execFileSync, spawn } from "node:child_process";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { useBuiltScratch } from "../../support/built-scratch.ts";
import { type ServedService, serveIn } from "../../support/cli-service.ts";
import { commandLine, environmentOf } from "../../support/command-process.ts";
import { hasRuntime, type RuntimeName } from "../../support/start-program.ts";

const PATIENCE_MS = 120_000;
/** A script that has not ended by then is killed, with all that it has started. */
const LIFETIME_MS = 60_000;

const scratch = useBuiltScratch();
let service: ServedService;
let folder: string;
beforeAll(async () => {
  folder = join(scratch.folder, "outputs");
  await mkdir(folder);
  service = await serveIn({ service: "session-buddy", folder });
  await service.post("start_session", { session_id: "s", project: "tour" });
}, PATIENCE_MS);
afterAll(() => service.stop());

interface ScriptEnd {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Run a shell's script in which `"$@"` is the command, while the service says something again and again. */
async function inShell(
  script: string,
  words: readonly string[],
  runtime: RuntimeName = "node",
): Promise<ScriptEnd> {
  const shell = spawn("bash", ["-c", script, "bash", ...commandLine(["record", ...words], runtime)], {
    cwd: folder,
    env: environmentOf({}),
    stdio: ["ignore", "pipe", "pipe"],
    // A group of its own, to be ended as one.
    detached: true,
  });
  const kill = () => process.kill(-shell.pid!, "SIGKILL");
  const timer = setTimeout(kill, LIFETIME_MS);
  let [stdout, stderr] = ["", ""];
  let end: ScriptEnd | null = null;
  shell.stdout.setEncoding("utf8").on("data", (text: string) => void (stdout += text));
  shell.stderr.setEncoding("utf8").on("data", (text: string) => void (stderr += text));
  const ended = new Promise<ScriptEnd>((resolve) =>
    shell.on("close", (code) => resolve(end = { code, stdout, stderr }))
  );
  try {
    while (!end) await service.post("update_session", { session_id: "s", context: { text: "größer ☃" } });
    return await ended;
  } finally {
    clearTimeout(timer);
    if (!end) kill();
  }
}

describe.each<RuntimeName>(["node", "deno", "bun"])("record, on %s", { timeout: PATIENCE_MS }, (runtime) => {
  test.skipIf(!hasRuntime(runtime))("ends quietly when nobody reads its output any more", async () => {
    const script = '"$@" | head -n 1; echo "${PIPESTATUS[0]}"';
    const { stdout, stderr } = await inShell(
      script,
      ["session-buddy", "session:*", "--output", "-"],
      runtime,
    );
    const [header, code, rest] = stdout.split("\n");
    expect(JSON.parse(header!).format).toBe("mcp-realtime-record");
    expect([code, rest]).toEqual(["0", ""]);
    expect(stderr).toBe("Recording session:* of session-buddy to standard output; stop with Ctrl-C\n");
  });

  test.skipIf(!hasRuntime(runtime))("writes to a pipe that is read, and refuses others", async () => {
    const name = `${runtime}.pipe`;
    execFileSync("mkfifo", [join(folder, name)]);
    const words = ["session-buddy", "session:*", "--output", name, "--force", "--events", "3"];
    expect(await inShell('exec "$@"', words, runtime)).toEqual({
      code: 1,
      stdout: "",
      stderr: `Cannot write "${name}": it is a pipe that nobody reads; start its reader first\n`,
    });
    const { code, stdout } = await inShell(`cat ${name} & "$@"; code=$?; wait; exit $code`, words, runtime);
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
    expect(lines.map(({ type }) => type)).toEqual([undefined, "event", "event", "event", "end"]);
  });

  test.skipIf(!hasRuntime(runtime))("says that a device takes nothing more", async () => {
    expect(
      await inShell('"$@" >/dev/full', ["session-buddy", "session:*", "--output", "-"], runtime),
    ).toEqual({
      code: 1,
      stdout: "",
      stderr: "Cannot write to standard output: the disk is full; make room or choose another path\n",
    });
  });
});

describe("record", { timeout: PATIENCE_MS }, () => {
  test("counts what is in the file where that may not grow any more", async () => {
    const { code, stderr } = await inShell('ulimit -f 1; "$@"', [
      "session-buddy",
      "session:*",
      "--output",
      "limited.ndjson",
    ]);
    const whole = (await readFile(join(folder, "limited.ndjson"), "utf8")).split("\n").slice(1, -1);
    expect([code, whole.length]).toEqual([1, expect.toSatisfy((count: number) => count > 0)]);
    expect(stderr).toBe(
      "Recording session:* of session-buddy to limited.ndjson; stop with Ctrl-C\n" +
        `Recorded ${whole.length} event${
          whole.length === 1 ? "" : "s"
        } to limited.ndjson before it ended:\n` +
        'Cannot write "limited.ndjson": it would be larger than a file of this process may be; raise the limit, or ' +
        "choose another path\n",
    );
  });
});
