/**
 * The newest coverage and the newest quality report of each project, in the database.
 *
 * @module
 */
import type { Database, Statement } from "../../../src/ports/database.ts";
import type { Coverage, CoverageFormat } from "./coverage.ts";
import type { QualityReport } from "./quality-report.ts";

export interface StoredCoverage extends Coverage {
  readonly project: string;
  /** The run that wrote it; null where it was reported. */
  readonly run_id: string | null;
  readonly updated_at: string;
}

interface CoverageRow {
  project: string;
  line_coverage: number | null;
  branch_coverage: number | null;
  path_coverage: number | null;
  files: number;
  format: CoverageFormat;
  run_id: string | null;
  updated_at: number;
}

export class QualityTable {
  readonly #saveCoverage: Statement;
  readonly #coverage: Statement;
  readonly #allCoverage: Statement;
  readonly #saveReport: Statement;
  readonly #report: Statement;

  constructor(database: Database) {
    this.#saveCoverage = database.prepare(
      "INSERT OR REPLACE INTO coverage (project, line_coverage, branch_coverage, path_coverage, files, format, " +
        "run_id, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    );
    this.#coverage = database.prepare("SELECT * FROM coverage WHERE project = ?");
    this.#allCoverage = database.prepare("SELECT * FROM coverage ORDER BY updated_at DESC LIMIT 100");
    this.#saveReport = database.prepare(
      "INSERT OR REPLACE INTO quality (project, report, checked_at) VALUES (?, ?, ?)",
    );
    this.#report = database.prepare("SELECT report FROM quality WHERE project = ?");
  }

  saveCoverage(project: string, coverage: Coverage, runId: string | null, now: number): StoredCoverage {
    const { line_coverage, branch_coverage, path_coverage, files, format } = coverage;
    this.#saveCoverage.run(project, line_coverage, branch_coverage, path_coverage, files, format, runId, now);
    return { project, ...coverage, run_id: runId, updated_at: new Date(now).toISOString() };
  }

  coverage(project: string): StoredCoverage | null {
    const row = this.#coverage.get<CoverageRow>(project);
    return row ? coverageOf(row) : null;
  }

  /** Of the hundred projects that were measured last. */
  allCoverage(): StoredCoverage[] {
    return this.#allCoverage.all<CoverageRow>().map(coverageOf);
  }

  saveReport(project: string, report: QualityReport, now: number): void {
    this.#saveReport.run(project, JSON.stringify(report), now);
  }

  /** The report of the last check; null before the first. */
  report(project: string): QualityReport | null {
    const row = this.#report.get<{ report: string }>(project);
    return row ? JSON.parse(row.report) : null;
  }
}

function coverageOf(row: CoverageRow): StoredCoverage {
  return {
    project: row.project,
    line_coverage: row.line_coverage,
    branch_coverage: row.branch_coverage,
    path_coverage: row.path_coverage,
    files: Number(row.files),
    format: row.format,
    run_id: row.run_id,
    updated_at: new Date(Number(row.updated_at)).toISOString(),
  };
}
