/**
 * A `RunExecution` on real processes and files, with all that it tells.
 *
 * @module
 */
import { onTestFinished } from "vitest";
import * as v from "valibot";
import { type Clock, systemClock } from "../../../src/ports/clock.ts";
import { silentLog } from "../../../src/ports/log.ts";
import type { ProcessMark } from "../../../src/ports/processes.ts";
import { files } from "../../../src/runtimes/files.ts";
import { groupIsAlive } from "../../../src/runtimes/process-groups.ts";
import { processes } from "../../../src/runtimes/processes.ts";
import { workspace } from "../../../src/runtimes/workspace.ts";
import { type Executed, RunExecution } from "../../../services/crackerjack/domain/run-execution.ts";
import { runnerOf } from "../../../services/crackerjack/domain/run-plan.ts";
import type { Counts, Run } from "../../../services/crackerjack/domain/runs.ts";
import { crackerjackSettings, type Runner } from "../../../services/crackerjack/domain/settings.ts";
import type { Failure } from "../../../services/crackerjack/domain/test-sink.ts";

export interface ExecutionOptions {
  readonly command: readonly string[];
  /** Else by the command. */
  readonly runner?: Runner;
  /** The project's folder. */
  readonly path: string;
  readonly roots?: readonly string[];
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly clock?: Clock;
  readonly reportBytes?: number;
  readonly failuresPerRun?: number;
  readonly onProgress?: (counts: Counts) => void;
}

export interface StartedExecution {
  readonly execution: RunExecution;
  /** All that was told so far. */
  readonly failures: readonly Failure[];
  /** As last told. */
  readonly counts: Counts;
  readonly marks: readonly ProcessMark[];
  /** Temporary folders of the run. */
  readonly folders: readonly string[];
  readonly isOver: boolean;
  readonly executed: Promise<Executed>;
}

/** Ended at the end of the test at the latest. */
export function startExecution(options: ExecutionOptions): StartedExecution {
  const failures: Failure[] = [];
  const marks: ProcessMark[] = [];
  const folders = new Set<string>();
  let counts: Counts = { total: null, done: 0, passed: 0, failed: 0, skipped: 0, errors: 0 };
  let isOver = false;
  const execution = new RunExecution(
    {
      clock: options.clock ?? systemClock,
      files,
      log: silentLog,
      processes,
      workspace,
      roots: options.roots ?? [options.path],
      reportBytes: options.reportBytes ?? 16_777_216,
      failuresPerRun: options.failuresPerRun ?? 1_000,
      onMark(mark, folder) {
        // One that is only announced has no process yet.
        if (mark && mark.pid > 0) marks.push(mark);
        folders.add(folder);
      },
      onProgress(told, fresh) {
        counts = told;
        failures.push(...fresh);
        options.onProgress?.(told);
      },
    },
    queuedRun(options),
    projectSettings({ path: options.path, ...options.settings }),
  );
  const executed = execution.execute().finally(() => isOver = true);
  onTestFinished(async () => {
    execution.cancel("The test is over");
    await executed;
  });
  return {
    execution,
    failures,
    marks,
    executed,
    get counts() {
      return counts;
    },
    get folders() {
      return [...folders];
    },
    get isOver() {
      return isOver;
    },
  };
}

export function projectSettings(given: Readonly<Record<string, unknown>>) {
  return v.parse(crackerjackSettings, { projects: { sample: given } }).projects.sample!;
}

function queuedRun({ command, runner }: ExecutionOptions): Run {
  return {
    run_id: "01JD00000000000000000000RN",
    number: 1,
    project: "sample",
    status: "running",
    test_suite: runner ?? runnerOf(command),
    command,
    given: null,
    filter: null,
    total: null,
    done: 0,
    passed: 0,
    failed: 0,
    skipped: 0,
    errors: 0,
    exit_code: null,
    signal: null,
    error: null,
    output_tail: "",
    queued_at: 0,
    started_at: 0,
    ended_at: null,
    duration_seconds: null,
    mark: null,
    folder: null,
  };
}

/** Is anything of these process groups left? */
export function isRunning(marks: readonly ProcessMark[]): boolean {
  return marks.some(({ pid }) => groupIsAlive(pid));
}
