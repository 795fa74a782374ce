/**
 * What `doctor` prints: a line for each finding, under the name of what it is about; or NDJSON for programs.
 *
 * @module
 */
import type { Paint, Style } from "../terminal/paint.ts";
import type { Told } from "./examine.ts";
import type { Status } from "./finding.ts";

const STYLES: Readonly<Record<Status, Style>> = { ok: "green", warn: "yellow", fail: "red" };

export interface Report {
  /** The lines of one finding. */
  lines(finding: Told): string[];
  /** The last lines, when all has been looked at. */
  summary(): string[];
  readonly counts: Readonly<Record<Status, number>>;
}

export function textReport(paint: Paint): Report {
  const counts = { ok: 0, warn: 0, fail: 0 };
  let about: string | null | undefined;
  return {
    counts,
    lines({ service, status, message, advice }) {
      counts[status]++;
      const heading = service === about
        ? []
        : [...about === undefined ? [] : [""], paint("bold", service ?? "This machine")];
      about = service;
      return [
        ...heading,
        `  ${paint(STYLES[status], status.padEnd(4))}  ${message}`,
        ...advice === null ? [] : [`        ${paint("dim", "→")} ${capital(advice)}`],
      ];
    },
    summary() {
      const parts = [
        paint("green", `${counts.ok} ok`),
        paint(counts.warn > 0 ? "yellow" : "dim", `${counts.warn} to look at`),
        paint(counts.fail > 0 ? "red" : "dim", `${counts.fail} failed`),
      ];
      return ["", parts.join(", ")];
    },
  };
}

export function jsonReport(): Report {
  const counts = { ok: 0, warn: 0, fail: 0 };
  return {
    counts,
    lines({ service, status, check, message, advice }) {
      counts[status]++;
      return [JSON.stringify({ status, service, check, message, advice })];
    },
    summary: () => [],
  };
}

function capital(text: string): string {
  return /^[a-z]+ /.test(text) ? text[0]!.toUpperCase() + text.slice(1) : text;
}
