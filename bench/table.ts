/**
 * Results as text.
 *
 * @module
 */
import type { Judged } from "./bars.ts";
import type { Figure, Results } from "./results.ts";

const COLUMNS: readonly { readonly figure: Figure; readonly title: string; readonly digits: number }[] = [
  { figure: "perSecond", title: "per second", digits: 0 },
  { figure: "cpuUs", title: "CPU us each", digits: 2 },
  { figure: "p50", title: "p50 ms", digits: 2 },
  { figure: "p99", title: "p99 ms", digits: 2 },
  { figure: "p999", title: "p99.9 ms", digits: 2 },
  { figure: "bytes", title: "bytes", digits: 0 },
  { figure: "lost", title: "lost", digits: 0 },
  { figure: "ms", title: "ms", digits: 0 },
];

/** Medians, row for row. */
export function resultTable(results: Results): string[] {
  const lines: string[][] = [["", ...COLUMNS.map(({ title }) => title), "rounds"]];
  for (const row of results.rows) {
    lines.push([], [row]);
    for (const contestant of results.contestants(row)) {
      const cells = COLUMNS.map(({ figure, digits }) =>
        number(results.median(row, contestant, figure), digits)
      );
      lines.push([`  ${contestant}`, ...cells, String(results.rounds(row, contestant))]);
    }
  }
  return aligned(lines);
}

export function barTable(judged: readonly Judged[]): string[] {
  const lines = judged.map(({ what, sense, limit, unit, measured, verdict }) => [
    `${verdict === "holds" ? verdict : verdict.toUpperCase()}`.padEnd(8) + what,
    number(measured, Number.isInteger(limit) && limit >= 100 ? 0 : 3),
    `${sense} ${limit.toLocaleString("en")} ${unit}`,
  ]);
  return aligned([["        bar", "measured", ""], ...lines]);
}

/** Why bars are not met that are not: one paragraph for each reason. */
export function reasonLines(judged: readonly Judged[]): string[] {
  const unmet = judged.filter(({ verdict }) => verdict !== "holds");
  const reasons = new Map<string, string[]>();
  for (const { what, short, verdict } of unmet) {
    const reason = verdict === "short"
      ? short!.why
      : "NOT EXPLAINED: worse than it was when the bar was set, or the machine has other work to do";
    reasons.set(reason, [...reasons.get(reason) ?? [], what]);
  }
  return [...reasons].flatMap(([reason, bars]) => [`${reason}:`, ...bars.map((bar) => `  ${bar}`)]);
}

function number(value: number | null, digits: number): string {
  if (value === null) return "";
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** The first column to the left, the others to the right; a line of one cell may be as long as it likes. */
function aligned(lines: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const line of lines) {
    if (line.length === 1) continue;
    line.forEach((cell, column) => widths[column] = Math.max(widths[column] ?? 0, cell.length));
  }
  return lines.map((line) =>
    line.map((cell, column) => column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))
      .join("  ").trimEnd()
  );
}
