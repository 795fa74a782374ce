/**
 * A run as it is answered.
 *
 * @module
 */
import type { Run } from "./runs.ts";
import type { Failure } from "./test-sink.ts";

/** Fields that a list shows. */
export function runHead(run: Run, now: number) {
  const { run_id, project, status, test_suite, command, filter, exit_code, signal, error } = run;
  const { total, done, passed, failed, skipped, errors } = run;
  return {
    run_id,
    project,
    status,
    test_suite,
    command: [...command],
    filter,
    total,
    done,
    passed,
    failed,
    skipped,
    errors,
    exit_code,
    signal,
    error,
    queued_at: iso(run.queued_at),
    started_at: run.started_at === null ? null : iso(run.started_at),
    ended_at: run.ended_at === null ? null : iso(run.ended_at),
    duration_seconds: run.duration_seconds ?? elapsed(run, now),
  };
}

/** All of a run: its progress, its failures and the end of its output. */
export function runView(run: Run, now: number, more: { failures: Failure[]; queue_position: number | null }) {
  const head = runHead(run, now);
  const rate = head.duration_seconds > 0 ? rounded(run.done / head.duration_seconds) : null;
  const left = run.total === null ? null : Math.max(0, run.total - run.done);
  const isOver = run.ended_at !== null;
  return {
    ...head,
    rate: run.started_at === null ? null : rate,
    eta_seconds: isOver ? 0 : left === null || !rate ? null : rounded(left / rate),
    ...more,
    output_tail: run.output_tail,
  };
}

/** A wall clock that was set back must not give a negative one. */
function elapsed({ started_at, ended_at }: Run, now: number): number {
  return started_at === null ? 0 : Math.max(0, (ended_at ?? now) - started_at) / 1_000;
}

function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
