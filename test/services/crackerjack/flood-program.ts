/** Runs commands that flood and prints how each run ended, and by how much this process has grown meanwhile. */
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { systemClock } from "../../../src/ports/clock.ts";
import { silentLog } from "../../../src/ports/log.ts";
import { files } from "../../../src/runtimes/files.ts";
import { processes } from "../../../src/runtimes/processes.ts";
import { workspace } from "../../../src/runtimes/workspace.ts";
import { RunExecution } from "../../../services/crackerjack/domain/run-execution.ts";
import type { Run } from "../../../services/crackerjack/domain/runs.ts";
import type { ProjectSettings, Runner } from "../../../services/crackerjack/domain/settings.ts";

/** 800 MiB where nothing is kept, less where something is read. */
const FLOODS: Record<string, { readonly runner: Runner; readonly script: string }> = {
  output: { runner: "command", script: "yes | head -c 838860800; echo the end" },
  errors: { runner: "command", script: "yes | head -c 838860800 >&2; echo the end >&2" },
  oneLine: { runner: "tap", script: "echo 'TAP version 14'; head -c 838860800 /dev/zero; echo" },
  tap: { runner: "tap", script: "echo 'TAP version 14'; yes 'ok 1 - a' | head -c 104857600" },
  events: {
    runner: "pytest",
    script: `yes '{"t":"test","s":"passed"}' | head -c 20971520 >> "$MCP_REALTIME_TEST_EVENTS"`,
  },
  noise: { runner: "pytest", script: `head -c 838860800 /dev/zero >> "$MCP_REALTIME_TEST_EVENTS"` },
};

const folder = await realpath(await mkdtemp(join(tmpdir(), "crackerjack-flood-")));
const project: ProjectSettings = { path: ".", environment: {}, timeout_seconds: 300, coverage: [] };

async function play({ runner, script }: { readonly runner: Runner; readonly script: string }) {
  const before = process.memoryUsage().rss;
  let peak = before;
  const watch = setInterval(() => peak = Math.max(peak, process.memoryUsage().rss), 20);
  const execution = new RunExecution(
    {
      clock: systemClock,
      files,
      log: silentLog,
      processes,
      workspace,
      roots: [folder],
      reportBytes: 1_048_576,
      failuresPerRun: 100,
      onMark() {},
      onProgress() {},
    },
    { project: "sample", test_suite: runner, command: ["sh", "-c", script] } as unknown as Run,
    project,
  );
  const { end } = await execution.execute();
  clearInterval(watch);
  const { outcome, exit_code, error, done, output_tail } = end;
  const grownMiB = Math.round((peak - before) / 2 ** 20);
  return {
    outcome,
    exit_code,
    error,
    done,
    tail: output_tail.slice(-7),
    tailLength: output_tail.length,
    grownMiB,
  };
}

// The first line says that it runs.
console.log("{}");
const results: Record<string, Awaited<ReturnType<typeof play>>> = {};
for (const [name, flood] of Object.entries(FLOODS)) results[name] = await play(flood);
await rm(folder, { recursive: true });
console.log(JSON.stringify(results));
