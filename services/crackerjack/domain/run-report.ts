/**
 * The JUnit report of a run that has ended, and the coverage that it has left.
 *
 * @module
 */
import type { Files } from "../../../src/ports/files.ts";
import type { Workspace } from "../../../src/ports/workspace.ts";
import { Refusal } from "../../../src/protocol/errors.ts";
import { type Coverage, readCoverage, USUAL_PATHS } from "./coverage.ts";
import { readJUnit } from "./junit.ts";
import { pathInside } from "./project-paths.ts";
import { readReport, ReportError } from "./report-text.ts";
import type { Runner } from "./settings.ts";
import type { TestSink } from "./test-sink.ts";

/** Where a JUnit report is where nobody says. */
const USUAL_JUNIT: readonly string[] = [
  "junit.xml",
  "test-results/junit.xml",
  "test-results.xml",
  "reports/junit.xml",
];

interface Parts {
  readonly files: Files;
  readonly workspace: Workspace;
  readonly reportBytes: number;
}

export interface ReportSearch {
  readonly runner: Runner;
  /** The project's folder. */
  readonly folder: string;
  /** Where a runner was told to write it. */
  readonly own: string;
  /** The project's setting, relative to its folder. */
  readonly configured: string | undefined;
  /** Files that are older were there before the run. */
  readonly since: number;
  readonly sink: TestSink;
}

/** Hand the run's JUnit report to the sink, where it has one. Returns what is wrong with it, or null. */
export async function readRunReport(parts: Parts, search: ReportSearch): Promise<string | null> {
  const { runner, folder, own, configured, since, sink } = search;
  if (runner !== "deno" && runner !== "junit" && runner !== "command") return null;
  try {
    let path: string | undefined;
    if (runner === "deno") path = await isFresh(parts, own, since) ? own : undefined;
    else path = await freshest(parts, folder, configured === undefined ? USUAL_JUNIT : [configured], since);
    if (path !== undefined) readJUnit(await readReport(parts.workspace, path, parts.reportBytes), sink);
    else if (runner !== "command" || configured !== undefined) {
      const where = configured === undefined ? "" : ` at "${configured}"`;
      return `Cannot count the tests: the run has left no JUnit report${where}`;
    }
    return null;
  } catch (error) {
    if (error instanceof ReportError || error instanceof Refusal) return error.message;
    throw error;
  }
}

/**
 * Coverage that the run has left: at the configured paths, then at the usual ones. What cannot be read is told in
 * `error`, and the next is tried.
 */
export async function findCoverage(
  parts: Parts,
  folder: string,
  configured: readonly string[],
  since: number,
): Promise<{ readonly coverage: Coverage | null; readonly error: string | null }> {
  let fault: string | null = null;
  for (const candidate of [...configured, ...USUAL_PATHS]) {
    try {
      const path = await freshest(parts, folder, [candidate], since);
      if (path === undefined) continue;
      const text = await readReport(parts.workspace, path, parts.reportBytes);
      return { coverage: readCoverage(text), error: fault };
    } catch (error) {
      fault ??= error instanceof Error ? error.message : String(error);
    }
  }
  return { coverage: null, error: fault };
}

/** The first of the paths at which something was written since; links followed. */
async function freshest(
  parts: Parts,
  folder: string,
  paths: readonly string[],
  since: number,
): Promise<string | undefined> {
  for (const path of paths) {
    const real = await pathInside(parts, folder, path);
    if (real !== undefined && await isFresh(parts, real, since)) return real;
  }
  return undefined;
}

async function isFresh({ workspace }: Parts, path: string, since: number): Promise<boolean> {
  const facts = await workspace.facts(path);
  return facts !== undefined && facts.modifiedMs >= since;
}
