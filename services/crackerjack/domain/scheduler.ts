/**
 * Takes runs to their ends: in the order in which they were asked for, one of a project and so many in all at a time.
 *
 * What happens to a run and its event are one commit. A commit that fails leaves the run as the database has it, for
 * the next start of the service.
 *
 * @module
 */
import { type Call, laterCall } from "../../../src/ports/call.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import type { Log } from "../../../src/ports/log.ts";
import { Refusal } from "../../../src/protocol/errors.ts";
import type { Commit, Transaction } from "../../../src/service/define-service.ts";
import type { CrackerjackContract } from "../contract.ts";
import type { Projects } from "./projects.ts";
import { RunExecution } from "./run-execution.ts";
import type { ExecutionParts } from "./run-execution.ts";
import type { Counts, Run, RunEnd, Runs } from "./runs.ts";
import type { Failure } from "./test-sink.ts";

type Said = Transaction<CrackerjackContract>;

/** Tells what follows from a run's end, in the transaction that notes the end. */
export type Aftermath = (transaction: Said) => void;

export interface SchedulerOptions {
  readonly commit: Commit<CrackerjackContract>;
  readonly runs: Runs;
  readonly projects: Projects;
  readonly execution: Omit<ExecutionParts, "onMark" | "onProgress">;
  readonly log: Log;
  /** Runs at a time. */
  readonly parallel: number;
  /** Runs that may wait. */
  readonly queued: number;
  /** Runs that are kept when they have ended. */
  readonly kept: number;
  /** What is to be looked at when a run has ended. Files older than `since` were there before it. */
  readonly conclude: (run: Run, end: RunEnd, since: number | null) => Promise<Aftermath>;
}

interface Active {
  readonly id: string;
  readonly execution: RunExecution;
  readonly over: Promise<void>;
}

/** Pauses between attempts to store something, in milliseconds. */
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 30_000;

export class Scheduler {
  readonly #options: SchedulerOptions;
  /** Oldest first. */
  readonly #waiting: Run[] = [];
  /** By project. */
  readonly #active = new Map<string, Active>();
  #stopping = false;
  /** Each ends a pause before a retry. */
  readonly #pauses = new Set<() => void>();
  /** By run, as long as it waits or runs. */
  readonly #traces = new Map<string, string>();

  constructor(options: SchedulerOptions) {
    this.#options = options;
  }

  get activeCount(): number {
    return this.#active.size;
  }

  get waitingCount(): number {
    return this.#waiting.length;
  }

  /** 1 is the next to run; null where it does not wait. */
  position(id: string): number | null {
    const index = this.#waiting.findIndex((run) => run.run_id === id);
    return index < 0 ? null : index + 1;
  }

  /** @throws {Refusal} NOT_AVAILABLE where one more would have to wait and there is no room */
  expectRoom(project: string): void {
    const { parallel, queued } = this.#options;
    const waits = this.#active.has(project) || this.#active.size >= parallel;
    if (!waits || this.#waiting.length < queued) return;
    throw new Refusal("NOT_AVAILABLE", `${queued} runs wait already, which is the most: try again later`);
  }

  /**
   * Take up a run that the database has as queued.
   *
   * @param traceparent Of the request that asked for it; the run's events carry it.
   */
  add(run: Run, traceparent?: string): void {
    this.#waiting.push(run);
    if (traceparent !== undefined) this.#traces.set(run.run_id, traceparent);
    this.#startNext();
  }

  /** Put down a run that waits, or end one that runs; its end follows. */
  cancel<T>(id: string, answer: () => T, call?: Call): T {
    const { commit, runs } = this.#options;
    const index = this.#waiting.findIndex((run) => run.run_id === id);
    if (index >= 0) {
      const result = commit((transaction) => {
        this.end(transaction, this.#waiting[index]!, CANCELLED);
        return answer();
      }, call);
      this.#waiting.splice(index, 1);
      this.#traces.delete(id);
      return result;
    }
    const active = [...this.#active.values()].find((active) => active.id === id);
    if (!active) throw new Refusal("NOT_AVAILABLE", `Run '${id}' waits for the service's next start`);
    const result = commit(() => {
      runs.setCancelling(id);
      return answer();
    }, call);
    active.execution.cancel();
    return result;
  }

  /** End what runs and start no more. What waits is taken up at the next start. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#waiting.length = 0;
    for (const wake of this.#pauses) wake();
    const active = [...this.#active.values()];
    for (const { execution } of active) execution.cancel("The service was stopped");
    await Promise.all(active.map(({ over }) => over));
  }

  #startNext(): void {
    const { parallel } = this.#options;
    for (let index = 0; index < this.#waiting.length;) {
      if (this.#stopping || this.#active.size >= parallel) return;
      const run = this.#waiting[index]!;
      if (this.#active.has(run.project)) index++;
      else {
        this.#waiting.splice(index, 1);
        this.#start(run);
      }
    }
  }

  #start(run: Run): void {
    const { execution: parts, projects } = this.#options;
    const settings = projects.settingsOf(run.project)!;
    const execution = new RunExecution(
      {
        ...parts,
        onMark: (mark, folder) =>
          this.#options.commit(() => this.#options.runs.setMark(run.run_id, mark, folder)),
        onProgress: (counts, failures) => this.#tell(run, counts, failures),
      },
      run,
      settings,
    );
    const over = Promise.resolve()
      .then(() => this.#carryOut(run, execution))
      .catch((error) => {
        this.#options.log.error("A run is left as it is until the next start", { run_id: run.run_id, error });
      })
      .finally(() => {
        this.#active.delete(run.project);
        this.#traces.delete(run.run_id);
        this.#startNext();
      });
    this.#active.set(run.project, { id: run.run_id, execution, over });
  }

  async #carryOut(run: Run, execution: RunExecution): Promise<void> {
    const { runs, execution: { clock }, conclude } = this.#options;
    await this.#persist(run, (transaction) => {
      const { run_id, project, test_suite, command, total } = runs.start(run.run_id, clock.now());
      transaction.emit("test.started", {
        run_id,
        project,
        test_suite,
        total_tests: total,
        command: [...command],
      });
    });
    const { end, since } = await execution.execute();
    const aftermath = await conclude(run, end, since);
    await this.#persist(run, (transaction) => {
      this.end(transaction, run, end);
      aftermath(transaction);
    });
  }

  /** Commit what has happened, and try again where the database cannot take it, such as while the disk is full. */
  async #persist(run: Run, work: (transaction: Said) => void): Promise<void> {
    const { commit, log, execution: { clock } } = this.#options;
    for (let waitMs = FIRST_RETRY_MS;; waitMs = Math.min(2 * waitMs, LAST_RETRY_MS)) {
      try {
        return commit(work, this.#callOf(run));
      } catch (error) {
        // A fault of ours does not heal, and a stop does not wait.
        if (error instanceof TypeError || this.#stopping) throw error;
        log.error("What happened to a run could not be stored and is tried again", { error, waitMs });
      }
      await this.#pause(waitMs, clock);
    }
  }

  #callOf({ run_id }: Run): Call | undefined {
    return laterCall(this.#traces.get(run_id));
  }

  async #pause(waitMs: number, clock: Clock): Promise<void> {
    await new Promise<void>((resolve) => {
      const end = () => {
        cancel();
        this.#pauses.delete(end);
        resolve();
      };
      const cancel = clock.after(waitMs, end);
      this.#pauses.add(end);
    });
  }

  #tell(run: Run, counts: Counts, failures: readonly Failure[]): void {
    const { commit, runs } = this.#options;
    const { run_id, project } = run;
    commit((transaction) => {
      runs.setCounts(run_id, counts);
      for (const failure of failures) {
        runs.addFailure(run_id, failure);
        transaction.emit("test.failed", { run_id, project, ...failure });
      }
    }, this.#callOf(run));
  }

  /** Note and tell the end of a run, in the transaction. */
  end(transaction: Said, { run_id, project }: Run, end: RunEnd): void {
    const { runs, execution: { clock }, kept } = this.#options;
    runs.end(run_id, end, clock.now());
    runs.prune(kept);
    transaction.emit("test.completed", {
      run_id,
      project,
      tests_completed: end.done,
      tests_failed: end.failed,
      tests_skipped: end.skipped,
      duration_seconds: end.duration_seconds,
      exit_code: end.exit_code,
      outcome: end.outcome,
      error: end.error,
    });
  }
}

/** The end of a run that never began. */
const CANCELLED: RunEnd = {
  outcome: "cancelled",
  exit_code: null,
  signal: null,
  error: null,
  output_tail: "",
  duration_seconds: 0,
  total: null,
  done: 0,
  passed: 0,
  failed: 0,
  skipped: 0,
  errors: 0,
};
