/**
 * A project's quality: its gates held against what is known of it.
 *
 * @module
 */
import type { Clock } from "../../../src/ports/clock.ts";
import type { Files } from "../../../src/ports/files.ts";
import type { Workspace } from "../../../src/ports/workspace.ts";
import type { Coverage } from "./coverage.ts";
import { checkGates, type RunFacts } from "./gates.ts";
import { findProject, pathInside } from "./project-paths.ts";
import { type QualityReport, qualityReport } from "./quality-report.ts";
import { readReport, ReportError } from "./report-text.ts";
import type { ProjectSettings } from "./settings.ts";

export interface QualityParts {
  readonly clock: Clock;
  readonly files: Files;
  readonly workspace: Workspace;
  readonly roots: readonly string[];
  readonly reportBytes: number;
}

export interface QualityFacts {
  readonly run: RunFacts | null;
  readonly coverage: Coverage | null;
  /** Why coverage that was there could not be read. */
  readonly coverageError?: string | null;
}

/** Hold a project against its gates. Reads reports; changes nothing. */
export async function judge(
  parts: QualityParts,
  name: string,
  project: ProjectSettings,
  { run, coverage, coverageError }: QualityFacts,
): Promise<QualityReport> {
  const read = async (path: string): Promise<string> => {
    try {
      const { folder } = await findProject(parts, name, project.path, parts.roots);
      const real = await pathInside(parts, folder, path);
      if (real === undefined) throw new ReportError(`Cannot read the report "${path}": it is not there`);
      return await readReport(parts.workspace, real, parts.reportBytes);
    } catch (error) {
      if (error instanceof ReportError) throw error;
      throw new ReportError(error instanceof Error ? error.message : String(error), { cause: error });
    }
  };
  const checks = await checkGates(project.gates, { run, coverage, readReport: read }, parts.clock);
  return qualityReport({
    project: name,
    coverage: coverage?.line_coverage ?? null,
    checks,
    at: parts.clock.now(),
    metadata: {
      run_id: run?.run_id ?? null,
      branch_coverage: coverage?.branch_coverage ?? null,
      ...(coverageError ? { coverage_error: coverageError } : {}),
    },
  });
}
