/**
 * Coverage reports: lcov, Cobertura XML, and Istanbul's `coverage-summary.json`.
 *
 * @module
 */
import { lcovParser } from "@friedemannsommer/lcov-parser/sync";
import type { XmlElement } from "@rgrove/parse-xml";
import * as v from "valibot";
import { elementsNamed, numberIn, readJson, readXml, ReportError } from "./report-text.ts";

export type CoverageFormat = "lcov" | "cobertura" | "istanbul";

/** Percentages from 0 to 100, two decimals; null where the report has none. */
export interface Coverage {
  readonly line_coverage: number | null;
  readonly branch_coverage: number | null;
  readonly path_coverage: number | null;
  /** How many files the report is about. */
  readonly files: number;
  readonly format: CoverageFormat;
}

/** Where reports of coverage usually are, in a project's folder. */
export const USUAL_PATHS: readonly string[] = [
  "coverage/lcov.info",
  "lcov.info",
  "coverage.lcov",
  "coverage.xml",
  "coverage/cobertura-coverage.xml",
  "cobertura.xml",
  "coverage/coverage-summary.json",
];

const END_OF_RECORD = "\nend_of_record";
const LCOV_PART = 1_048_576;
const LCOV_LONGEST = 4_194_304;

/** Read a report of any of the formats; which one, its text tells. @throws {ReportError} */
export function readCoverage(text: string): Coverage {
  const head = text.slice(0, 4_096).trimStart();
  if (head.startsWith("<")) return readCobertura(text);
  if (head.startsWith("{")) return readIstanbul(text);
  if (/^(TN|SF):/m.test(head)) return readLcov(text);
  throw new ReportError(
    "Cannot read the coverage report: expected lcov, Cobertura XML or Istanbul's coverage-summary.json",
  );
}

function readLcov(text: string): Coverage {
  if (!/^end_of_record\s*$/.test(text.slice(-200).trimEnd().split("\n").at(-1) ?? "")) {
    throw new ReportError(
      "Cannot read the lcov report: expected it to end with end_of_record; was it cut short?",
    );
  }
  const total = { lines: 0, linesHit: 0, branches: 0, branchesHit: 0 };
  const files = new Set<string>();
  for (const part of lcovParts(text)) {
    for (const { path, lines, branches } of sectionsOf(part)) {
      files.add(path);
      total.lines += lines.instrumented || lines.details.length;
      total.linesHit += lines.instrumented ? lines.hit : lines.details.filter(({ hit }) => hit > 0).length;
      total.branches += branches.instrumented || branches.details.length;
      total.branchesHit += branches.instrumented
        ? branches.hit
        : branches.details.filter(({ hit }) => hit > 0).length;
    }
  }
  return {
    line_coverage: percent(total.linesHit, total.lines),
    branch_coverage: percent(total.branchesHit, total.branches),
    path_coverage: null,
    files: files.size,
    format: "lcov",
  };
}

/** The report in parts of whole records, as what the parser makes of it takes fifty times its room. */
function* lcovParts(text: string): Generator<string> {
  for (let from = 0; from < text.length;) {
    const end = text.indexOf(END_OF_RECORD, from + LCOV_PART);
    const to = end < 0 ? text.length : end + END_OF_RECORD.length;
    if (to - from > LCOV_LONGEST) {
      throw new ReportError(
        `Cannot read the lcov report: expected records of at most ${LCOV_LONGEST} characters, got a longer one`,
      );
    }
    yield text.slice(from, to);
    from = to;
  }
}

function sectionsOf(text: string): ReturnType<typeof lcovParser> {
  try {
    return lcovParser({ from: text });
  } catch (error) {
    throw new ReportError("Cannot read the lcov report: expected lcov records", { cause: error });
  }
}

function readCobertura(text: string): Coverage {
  const root = readXml(text, "the Cobertura report");
  if (root.name !== "coverage") {
    throw new ReportError(
      `Cannot read the Cobertura report: expected <coverage>, got <${root.name.slice(0, 100)}>`,
    );
  }
  const lines = rate(root, "lines", "line-rate");
  if (lines === undefined) {
    throw new ReportError("Cannot read the Cobertura report: expected the attribute line-rate");
  }
  const files = new Set<string>();
  for (const { attributes } of elementsNamed(root, "class")) {
    files.add(attributes.filename ?? attributes.name ?? "");
  }
  return {
    line_coverage: lines,
    branch_coverage: rate(root, "branches", "branch-rate") ?? null,
    path_coverage: null,
    files: files.size,
    format: "cobertura",
  };
}

/** Counts are exact and come first; undefined where there is neither, null where nothing was measured. */
function rate(root: XmlElement, counts: string, share: string): number | null | undefined {
  const valid = numberIn(root, `${counts}-valid`);
  const covered = numberIn(root, `${counts}-covered`);
  if (valid !== null && covered !== null) return percent(covered, valid);
  const part = numberIn(root, share);
  return part === null ? undefined : rounded(part * 100);
}

const counted = v.object({ total: v.number(), covered: v.number() });
const summary = v.object({ total: v.object({ lines: counted, branches: v.optional(counted) }) });

function readIstanbul(text: string): Coverage {
  const value = readJson(text, "the coverage summary");
  const read = v.safeParse(summary, value);
  if (!read.success) {
    throw new ReportError(
      "Cannot read the coverage summary: expected total.lines with total and covered, as in coverage-summary.json",
    );
  }
  const { lines, branches } = read.output.total;
  return {
    line_coverage: percent(lines.covered, lines.total),
    branch_coverage: branches ? percent(branches.covered, branches.total) : null,
    path_coverage: null,
    files: Object.keys(value as object).length - 1,
    format: "istanbul",
  };
}

/** Null where there is nothing to cover, or no number that can be believed. */
function percent(covered: number, total: number): number | null {
  const share = covered / total;
  return total > 0 && Number.isFinite(share) ? rounded(share * 100) : null;
}

function rounded(value: number): number {
  return Math.max(0, Math.min(100, Math.round(value * 100) / 100));
}
