import { describe, expect, test } from "vitest";
import type { Database } from "../../../../src/ports/database.ts";
import { openDatabase } from "../../../../src/runtimes/database.ts";
import { migrate } from "../../../../src/storage/migrations.ts";
import { QualityTable } from "../../../../services/crackerjack/domain/quality-table.ts";
import { qualityReport } from "../../../../services/crackerjack/domain/quality-report.ts";
import { type NewRun, type RunEnd, Runs } from "../../../../services/crackerjack/domain/runs.ts";
import { runView } from "../../../../services/crackerjack/domain/run-view.ts";
import { SCHEMA_NAME, SCHEMA_STEPS } from "../../../../services/crackerjack/domain/schema.ts";
import { newDatabase, newDatabasePath } from "../../../storage/database-file.ts";

async function newTables(): Promise<{ runs: Runs; table: QualityTable; database: Database }> {
  const database = await newDatabase();
  migrate(database, SCHEMA_NAME, SCHEMA_STEPS);
  return { runs: new Runs(database), table: new QualityTable(database), database };
}

const newRun = (run_id: string, more: Partial<NewRun> = {}): NewRun => ({
  run_id,
  project: "sample",
  test_suite: "vitest",
  command: ["vitest", "run"],
  given: null,
  filter: null,
  ...more,
});

const ending = (more: Partial<RunEnd> = {}): RunEnd => ({
  outcome: "passed",
  total: 3,
  done: 3,
  passed: 2,
  failed: 0,
  skipped: 1,
  errors: 0,
  exit_code: 0,
  signal: null,
  error: null,
  output_tail: "the end",
  duration_seconds: 1.25,
  ...more,
});

describe("Runs", () => {
  test("keeps a run through its life", async () => {
    const { runs } = await newTables();
    const queued = runs.insert(newRun("A", { given: ["make", "a b"], filter: "x" }), 1_000);
    expect(queued).toMatchObject({
      run_id: "A",
      status: "queued",
      command: ["vitest", "run"],
      given: ["make", "a b"],
      filter: "x",
      total: null,
      done: 0,
      queued_at: 1_000,
      started_at: null,
      mark: null,
    });
    expect(runs.start("A", 2_000)).toMatchObject({ status: "running", started_at: 2_000 });
    runs.setMark("A", { pid: 7, startedAt: "then" }, "/tmp/x");
    expect(runs.find("A")).toMatchObject({ mark: { pid: 7, startedAt: "then" }, folder: "/tmp/x" });
    runs.setCounts("A", { total: 9, done: 4, passed: 1, failed: 2, skipped: 1, errors: 1 });
    expect(runs.find("A")).toMatchObject({ total: 9, done: 4, passed: 1, failed: 2, skipped: 1, errors: 1 });
    expect(runs.setCancelling("A").status).toBe("cancelling");
    expect(
      runs.end("A", ending({ outcome: "crashed", exit_code: null, signal: "SIGKILL", error: "why" }), 3_000),
    )
      .toMatchObject({
        status: "crashed",
        exit_code: null,
        signal: "SIGKILL",
        error: "why",
        output_tail: "the end",
        duration_seconds: 1.25,
        ended_at: 3_000,
        total: 3,
        done: 3,
        mark: null,
        folder: null,
      });
  });

  test("is still there when the file is opened again", async () => {
    const path = newDatabasePath();
    const opened = async <T>(work: (runs: Runs) => T): Promise<T> => {
      const database = await openDatabase(path);
      try {
        migrate(database, SCHEMA_NAME, SCHEMA_STEPS);
        return work(new Runs(database));
      } finally {
        database.close();
      }
    };
    const failure = { test_name: "t", file: null, error: "e – 東京", traceback: "b" };
    const before = await opened((runs) => {
      runs.insert(newRun("A"), 1_000);
      runs.addFailure("A", failure);
      return runs.start("A", 2_000);
    });
    expect(await opened((runs) => [runs.find("A"), runs.failures("A", 5)])).toEqual([before, [failure]]);
  });

  test("refuses an id that it has not, and one that it has", async () => {
    const { runs } = await newTables();
    expect(runs.find("none")).toBeUndefined();
    expect(() => runs.require("none")).toThrow(
      expect.objectContaining({ code: "NOT_FOUND", message: "No run 'none'" }),
    );
    runs.insert(newRun("A"), 1);
    expect(() => runs.insert(newRun("A"), 1)).toThrow();
  });

  test("lists newest first, by project and status, from a number on", async () => {
    const { runs } = await newTables();
    for (const id of ["A", "B", "C", "D"]) {
      runs.insert(newRun(id, { project: id === "C" ? "other" : "sample" }), 1);
    }
    runs.start("B", 2);
    const ids = (...args: Parameters<Runs["list"]>) => runs.list(...args).map(({ run_id }) => run_id);
    const all = Number.MAX_SAFE_INTEGER;
    expect(ids({}, all, 10)).toEqual(["D", "C", "B", "A"]);
    expect(ids({}, all, 2)).toEqual(["D", "C"]);
    expect(ids({}, runs.require("C").number, 10)).toEqual(["B", "A"]);
    expect(ids({ project: "sample" }, all, 10)).toEqual(["D", "B", "A"]);
    expect(ids({ status: "running" }, all, 10)).toEqual(["B"]);
    expect(ids({ project: "other", status: "running" }, all, 10)).toEqual([]);
  });

  test("tells those that wait, oldest first, those that are open, and how many there are of each", async () => {
    const { runs } = await newTables();
    for (const id of ["A", "B", "C", "D"]) runs.insert(newRun(id), 1);
    runs.start("A", 2);
    runs.start("B", 2);
    runs.setCancelling("B");
    expect(runs.waiting().map(({ run_id }) => run_id)).toEqual(["C", "D"]);
    expect(runs.open().map(({ run_id }) => run_id)).toEqual(["A", "B"]);
    runs.end("A", ending(), 3);
    expect(runs.open().map(({ run_id }) => run_id)).toEqual(["B"]);
    expect(runs.totals()).toEqual({ queued: 2, cancelling: 1, passed: 1 });
  });

  test("the last run is the newest that was not cancelled", async () => {
    const { runs } = await newTables();
    expect(runs.last("sample")).toBeNull();
    for (const [id, outcome] of [["A", "passed"], ["B", "crashed"], ["C", "cancelled"]] as const) {
      runs.insert(newRun(id), 1);
      runs.end(id, ending({ outcome }), 2);
    }
    runs.insert(newRun("D"), 3);
    expect(runs.last("sample")?.run_id).toBe("B");
    expect(runs.last("other")).toBeNull();
  });

  test("prune keeps the newest that have ended, and all that have not, with their failures", async () => {
    const { runs, database } = await newTables();
    for (const id of ["A", "B", "C", "D"]) {
      runs.insert(newRun(id), 1);
      runs.addFailure(id, { test_name: id, file: null, error: "e", traceback: null });
    }
    for (const id of ["B", "C", "D"]) runs.end(id, ending(), 2);
    runs.prune(1);
    expect(["A", "B", "C", "D"].filter((id) => runs.find(id))).toEqual(["A", "D"]);
    const left = database.prepare("SELECT run_id FROM failures ORDER BY run_id").all<{ run_id: string }>();
    expect(left.map(({ run_id }) => run_id)).toEqual(["A", "D"]);
  });

  test("failures come back in the order in which they were told", async () => {
    const { runs } = await newTables();
    runs.insert(newRun("A"), 1);
    for (let n = 0; n < 60; n++) {
      runs.addFailure("A", { test_name: `t${n}`, file: "f", error: "e", traceback: null });
    }
    expect(runs.failures("A", 50).map(({ test_name }) => test_name)).toEqual(
      Array.from({ length: 50 }, (_, n) => `t${n}`),
    );
  });
});

describe("runView", () => {
  test("shows rate and estimate while it runs, and none before or where the total is unknown", async () => {
    const { runs } = await newTables();
    const more = { failures: [], queue_position: null };
    const queued = runs.insert(newRun("A"), 1_000);
    expect(runView(queued, 9_000, { ...more, queue_position: 2 })).toMatchObject({
      status: "queued",
      queue_position: 2,
      rate: null,
      eta_seconds: null,
      duration_seconds: 0,
      started_at: null,
    });
    runs.start("A", 2_000);
    runs.setCounts("A", { total: null, done: 4, passed: 1, failed: 2, skipped: 1, errors: 0 });
    expect(runView(runs.require("A"), 4_000, more)).toMatchObject({
      passed: 1,
      rate: 2,
      eta_seconds: null,
      duration_seconds: 2,
    });
    runs.setCounts("A", { total: 10, done: 4, passed: 1, failed: 2, skipped: 1, errors: 0 });
    expect(runView(runs.require("A"), 4_000, more)).toMatchObject({ total: 10, rate: 2, eta_seconds: 3 });
    runs.setCounts("A", { total: 10, done: 0, passed: 0, failed: 0, skipped: 0, errors: 0 });
    expect(runView(runs.require("A"), 4_000, more)).toMatchObject({ rate: 0, eta_seconds: null });
    // The machine's clock was set back.
    expect(runView(runs.require("A"), 1_000, more)).toMatchObject({ duration_seconds: 0, rate: null });
    runs.end("A", ending(), 5_000);
    expect(runView(runs.require("A"), 99_000, more)).toMatchObject({
      status: "passed",
      passed: 2,
      eta_seconds: 0,
      duration_seconds: 1.25,
      queued_at: "1970-01-01T00:00:01.000Z",
      ended_at: "1970-01-01T00:00:05.000Z",
    });
  });
});

describe("QualityTable", () => {
  const COVERAGE = {
    line_coverage: 81.25,
    branch_coverage: null,
    path_coverage: null,
    files: 3,
    format: "lcov" as const,
  };

  test("keeps the newest coverage of each project", async () => {
    const { table } = await newTables();
    expect(table.coverage("sample")).toBeNull();
    table.saveCoverage("sample", COVERAGE, "A", 1_000);
    const saved = table.saveCoverage("sample", { ...COVERAGE, line_coverage: 90 }, null, 2_000);
    table.saveCoverage("other", COVERAGE, "B", 3_000);
    expect(saved).toEqual({
      ...COVERAGE,
      project: "sample",
      line_coverage: 90,
      run_id: null,
      updated_at: "1970-01-01T00:00:02.000Z",
    });
    expect(table.coverage("sample")).toEqual(saved);
    expect(table.allCoverage().map(({ project }) => project)).toEqual(["other", "sample"]);
  });

  test("keeps the newest report of each project, whole", async () => {
    const { table } = await newTables();
    expect(table.report("sample")).toBeNull();
    const report = (project: string) =>
      qualityReport({ project, coverage: 5.5, checks: [], at: 1_000, metadata: { run_id: null } });
    table.saveReport("sample", report("before"), 1_000);
    table.saveReport("sample", report("sample"), 2_000);
    expect(table.report("sample")).toEqual(report("sample"));
  });
});
