/**
 * Crackerjack: runs of tests as child processes, told while they go on; coverage, and gates that projects are held to.
 *
 * Everything is kept in the service's database; every change and its event are one commit.
 *
 * @module
 */
import { monotonicFactory } from "ulid";
import * as v from "valibot";
import type { Call } from "../../src/ports/call.ts";
import type { Workspace } from "../../src/ports/workspace.ts";
import type { RequestInput, RequestName } from "../../src/protocol/contract.ts";
import { Refusal } from "../../src/protocol/errors.ts";
import { DEFAULT_LIST_LIMIT } from "../../src/protocol/fields.ts";
import type { JsonObject } from "../../src/protocol/json.ts";
import type { Manager, ManagerContext, Transaction } from "../../src/service/define-service.ts";
import { migrate } from "../../src/storage/migrations.ts";
import { readPage } from "../../src/storage/pages.ts";
import type { CrackerjackContract } from "./contract.ts";
import { type Coverage, readCoverage } from "./domain/coverage.ts";
import { type Project, Projects } from "./domain/projects.ts";
import { pathInside } from "./domain/project-paths.ts";
import { judge } from "./domain/quality.ts";
import type { QualityReport } from "./domain/quality-report.ts";
import { QualityTable, type StoredCoverage } from "./domain/quality-table.ts";
import { readReport, ReportError } from "./domain/report-text.ts";
import { findCoverage } from "./domain/run-report.ts";
import { runHead, runView } from "./domain/run-view.ts";
import { type Run, type RunEnd, Runs } from "./domain/runs.ts";
import { type Aftermath, Scheduler } from "./domain/scheduler.ts";
import { SCHEMA_NAME, SCHEMA_STEPS } from "./domain/schema.ts";
import { type CrackerjackSettings, crackerjackSettings } from "./domain/settings.ts";
import { SHOWN_FAILURES } from "./fields.ts";

type Input<R extends RequestName<CrackerjackContract>> = RequestInput<CrackerjackContract, R>;
type RunView = ReturnType<typeof runView>;

/** The report as it is answered, with what older clients look for beside its fields. */
export type QualityAnswer = QualityReport & {
  readonly project: string;
  readonly status: "passed" | "failed";
  readonly gates: QualityReport["checks"];
};

/**
 * Inputs are those of the contract's requests, already checked against their schemas. Every method may throw a
 * `Refusal`. A `call` is handed on to `commit`, so that the answer is remembered with the change.
 */
export class CrackerjackManager implements Manager {
  readonly #context: ManagerContext<CrackerjackContract>;
  readonly #workspace: Workspace;
  readonly #settings: CrackerjackSettings;
  readonly #runs: Runs;
  readonly #quality: QualityTable;
  readonly #projects: Projects;
  readonly #scheduler: Scheduler;
  readonly #ulid = monotonicFactory();

  /** Brings the tables up to date. Use `open`, which also takes up what was interrupted. */
  constructor(context: ManagerContext<CrackerjackContract>, workspace: Workspace) {
    const { database, clock, log, files, processes, commit } = context;
    migrate(database, SCHEMA_NAME, SCHEMA_STEPS);
    this.#context = context;
    this.#workspace = workspace;
    const settings = this.#settings = v.parse(crackerjackSettings, context.settings);
    this.#runs = new Runs(database);
    this.#quality = new QualityTable(database);
    this.#projects = new Projects(settings, { files, workspace });
    this.#scheduler = new Scheduler({
      commit,
      log,
      runs: this.#runs,
      projects: this.#projects,
      parallel: settings.parallel_runs,
      queued: settings.queued_runs,
      kept: settings.keep_runs,
      execution: {
        clock,
        files,
        log,
        processes,
        workspace,
        roots: settings.roots,
        reportBytes: settings.report_bytes,
        failuresPerRun: settings.failures_per_run,
      },
      conclude: (run, end, since) => this.#conclude(run, end, since),
    });
  }

  /**
   * Make the manager and take up what an earlier process has left: its children are ended, runs that were under way are
   * told as crashed, and those that waited go on waiting.
   */
  static async open(
    context: ManagerContext<CrackerjackContract>,
    workspace: Workspace,
  ): Promise<CrackerjackManager> {
    const manager = new CrackerjackManager(context, workspace);
    await manager.#takeUp();
    return manager;
  }

  /**
   * Accept a run. Refused with NOT_FOUND where there is no such project, FORBIDDEN where a command is given and that is
   * not allowed, INVALID_DATA where its runner takes no filter, NOT_AVAILABLE where it cannot be told how the tests are
   * run, the folder is missing or outside the roots, or too many runs wait.
   */
  async runTests(input: Input<"run_tests">, call?: Call): Promise<RunView> {
    const project = await this.#projects.require(input.project);
    const { runner, command } = await this.#projects.plan(project, input);
    const id = this.#ulid(this.#now());
    let run: Run | undefined;
    const view = this.#context.commit(() => {
      this.#scheduler.expectRoom(project.name);
      run = this.#runs.insert({
        run_id: id,
        project: project.name,
        test_suite: runner,
        command,
        given: input.command ?? null,
        filter: input.filter ?? null,
      }, this.#now());
      return { ...this.#view(run), queue_position: this.#scheduler.waitingCount + 1 };
    }, call);
    this.#scheduler.add(run!, call?.traceparent);
    return view;
  }

  /** End a run, or take it out of the queue. Refused with NOT_FOUND, and with CONFLICT where it has ended. */
  cancelRun({ run_id: id }: Input<"cancel_run">, call?: Call): RunView {
    const { status } = this.#runs.require(id);
    const answer = () => this.#view(this.#runs.require(id));
    if (status === "cancelling") return this.#context.commit(answer, call);
    if (status === "queued" || status === "running") return this.#scheduler.cancel(id, answer, call);
    throw new Refusal("CONFLICT", `Run '${id}' has ended as ${status} and cannot be cancelled`);
  }

  /** A run with its progress; status `not_found` where there is none. */
  getTestStatus({ run_id }: Input<"get_test_status">) {
    const run = this.#runs.find(run_id);
    return run ? this.#view(run) : { run_id, status: "not_found" as const };
  }

  /** Newest first. */
  listRuns(input: Input<"list_runs"> = {}) {
    const page = readPage(
      "runs",
      input.cursor,
      input.limit ?? DEFAULT_LIST_LIMIT,
      (before, count) => this.#runs.list(input, before, count),
    );
    const now = this.#now();
    return { runs: page.rows.map((run) => runHead(run, now)), next_cursor: page.next_cursor };
  }

  /** What a project's gates say now; status `not_found` where there is no such project. Changes nothing. */
  async getQualityGate({ project: name }: Input<"get_quality_gate">) {
    try {
      return answerOf(await this.#judge(await this.#projects.require(name)));
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== "NOT_FOUND") throw error;
      return { project: name, status: "not_found" as const, gates: [] };
    }
  }

  /** Hold a project against its gates and tell the result of each. Refused as `runTests` where the project is not there. */
  async checkQuality({ project: name }: Input<"check_quality">, call?: Call): Promise<QualityAnswer> {
    const report = await this.#judge(await this.#projects.require(name));
    return this.#context.commit((transaction) => {
      this.#tellQuality(transaction, report);
      return answerOf(report);
    }, call);
  }

  /** Take over a report of coverage. Refused with INVALID_DATA where it is none, or lies outside the project. */
  async reportCoverage(input: Input<"report_coverage">, call?: Call): Promise<StoredCoverage> {
    const project = await this.#projects.require(input.project);
    const coverage = await this.#givenCoverage(project, input);
    return this.#context.commit(
      (transaction) => this.#tellCoverage(transaction, project.name, coverage, null),
      call,
    );
  }

  /** Figures of the service; with an id, the state of that run or project. */
  async getStatus(data: JsonObject): Promise<JsonObject> {
    const { run_id, project } = data;
    if (typeof run_id === "string") return { ...this.getTestStatus({ run_id }) } as unknown as JsonObject;
    if (typeof project === "string") {
      return { ...await this.getQualityGate({ project }) } as unknown as JsonObject;
    }
    return {
      projects: this.#projects.names,
      runs: this.#runs.totals(),
      runs_active: this.#scheduler.activeCount,
      runs_queued: this.#scheduler.waitingCount,
    };
  }

  /** The run, the project's last report with its coverage, or the coverage of all behind a channel. */
  snapshot(kind: string, id: string | null): JsonObject | null {
    if (kind === "coverage") return { projects: this.#quality.allCoverage() } as unknown as JsonObject;
    if (id === null) return null;
    if (kind === "test") {
      const run = this.#runs.find(id);
      return run ? { ...this.#view(run) } as unknown as JsonObject : null;
    }
    if (kind !== "quality") return null;
    const report = this.#quality.report(id);
    const coverage = this.#quality.coverage(id);
    if (!report && !coverage) return null;
    return { project: id, report, coverage } as unknown as JsonObject;
  }

  /** End all runs. Those that wait are taken up at the next start. */
  async stop(): Promise<void> {
    await this.#scheduler.stop();
  }

  async #takeUp(): Promise<void> {
    const { processes, log, commit } = this.#context;
    const open = this.#runs.open();
    const reaped = await processes.reap(open.flatMap(({ mark }) => mark ?? []));
    if (reaped > 0) log.warn("Processes of an earlier run were ended", { groups: reaped });
    for (const run of open) {
      if (run.folder !== null) {
        await this.#workspace.remove(run.folder).catch((error) =>
          log.warn("A run's folder is left behind", { error })
        );
      }
      commit((transaction) => this.#scheduler.end(transaction, run, this.#interrupted(run)));
    }
    for (const run of this.#runs.waiting()) this.#scheduler.add(run);
  }

  #interrupted({ status, total, done, passed, failed, skipped, errors, started_at }: Run): RunEnd {
    const wasCancelled = status === "cancelling";
    return {
      outcome: wasCancelled ? "cancelled" : "crashed",
      exit_code: null,
      signal: null,
      error: wasCancelled ? null : "interrupted: the service ended while it ran",
      output_tail: "",
      duration_seconds: Math.max(0, this.#now() - (started_at ?? this.#now())) / 1_000,
      total,
      done,
      passed,
      failed,
      skipped,
      errors,
    };
  }

  /** A run has ended: see what coverage it has left, and hold its project against the gates. */
  async #conclude(run: Run, end: RunEnd, since: number | null): Promise<Aftermath> {
    // A part of the tests says nothing of the whole project.
    if (end.outcome === "cancelled" || isPartial(run)) return () => {};
    const { log } = this.#context;
    let found: Awaited<ReturnType<typeof findCoverage>> = { coverage: null, error: null };
    let report: QualityReport | null = null;
    try {
      const project = await this.#projects.require(run.project);
      if (since !== null) {
        found = await findCoverage(this.#parts, project.folder, project.settings.coverage, since);
      }
      report = await this.#judge(project, {
        run: { ...end, run_id: run.run_id, test_suite: run.test_suite },
        ...found,
      });
    } catch (error) {
      // Its folder may be gone. The run itself has ended all the same.
      log.warn("A project could not be held against its gates", { project: run.project, error });
    }
    return (transaction) => {
      if (found.coverage) this.#tellCoverage(transaction, run.project, found.coverage, run.run_id);
      if (report) this.#tellQuality(transaction, report);
    };
  }

  async #judge(
    { name, settings }: Project,
    fresh: {
      readonly run?: RunEnd & { readonly run_id: string; readonly test_suite: string };
      readonly coverage?: Coverage | null;
      readonly error?: string | null;
    } = {},
  ): Promise<QualityReport> {
    const last = this.#runs.last(name);
    return await judge({ ...this.#parts, clock: this.#context.clock }, name, settings, {
      run: fresh.run ?? (last && factsOf(last)),
      coverage: fresh.coverage ?? this.#quality.coverage(name),
      coverageError: fresh.error ?? null,
    });
  }

  async #givenCoverage(project: Project, { path, content }: Input<"report_coverage">): Promise<Coverage> {
    if ((path == null) === (content == null)) {
      const got = path == null ? "neither" : "both";
      throw new Refusal("INVALID_DATA", `Expected either 'path' or 'content', got ${got}`);
    }
    try {
      if (content != null) return readCoverage(content);
      const real = await pathInside(this.#parts, project.folder, path!);
      if (real === undefined) throw new ReportError(`Cannot read the report "${path}": it is not there`);
      return readCoverage(await readReport(this.#workspace, real, this.#settings.report_bytes));
    } catch (error) {
      if (error instanceof ReportError) throw new Refusal("INVALID_DATA", error.message);
      throw error;
    }
  }

  #tellCoverage(
    transaction: Transaction<CrackerjackContract>,
    project: string,
    coverage: Coverage,
    run_id: string | null,
  ): StoredCoverage {
    const { line_coverage, branch_coverage, path_coverage, files } = coverage;
    transaction.emit("coverage.updated", {
      project,
      line_coverage,
      branch_coverage,
      path_coverage,
      files,
      run_id,
    });
    return this.#quality.saveCoverage(project, coverage, run_id, this.#now());
  }

  #tellQuality(transaction: Transaction<CrackerjackContract>, report: QualityReport): void {
    const project = report.repository;
    this.#quality.saveReport(project, report, this.#now());
    for (const { name, passed, score, threshold, severity } of report.checks) {
      const status = passed ? "passed" : "failed";
      transaction.emit("quality_gate.checked", {
        project,
        gate_name: name,
        status,
        score,
        threshold,
        severity,
        quality_gate_report: report,
      });
    }
  }

  #view(run: Run): RunView {
    return runView(run, this.#now(), {
      failures: this.#runs.failures(run.run_id, SHOWN_FAILURES),
      queue_position: run.status === "queued" ? this.#scheduler.position(run.run_id) : null,
    });
  }

  get #parts() {
    return {
      files: this.#context.files,
      workspace: this.#workspace,
      roots: this.#settings.roots,
      reportBytes: this.#settings.report_bytes,
    };
  }

  #now(): number {
    return this.#context.clock.now();
  }
}

function isPartial({ filter, given }: Run): boolean {
  return filter !== null || given !== null;
}

function factsOf(run: Run) {
  const { run_id, test_suite, done, passed, failed, skipped, error } = run;
  const outcome = run.status as "passed" | "failed" | "crashed";
  return {
    run_id,
    test_suite,
    outcome,
    done,
    passed,
    failed,
    skipped,
    duration_seconds: run.duration_seconds ?? 0,
    error,
  };
}

function answerOf(report: QualityReport): QualityAnswer {
  return {
    ...report,
    project: report.repository,
    status: report.passed ? "passed" : "failed",
    gates: report.checks,
  };
}
