/**
 * Rows in columns of even width.
 *
 * @module
 */

/** @param style Colours a cell that has its width already. */
export function inColumns(
  rows: readonly (readonly string[])[],
  style: (text: string, row: number, column: number) => string = (text) => text,
): string[] {
  const columns = Math.max(0, ...rows.map(({ length }) => length));
  const widths = Array.from({ length: columns }, (_, column) => {
    return Math.max(...rows.map((row) => row[column]?.length ?? 0));
  });
  return rows.map((cells, row) => {
    const last = cells.findLastIndex((cell) => cell !== "");
    return cells.slice(0, last + 1)
      .map((cell, column) => style(column === last ? cell : cell.padEnd(widths[column]!), row, column))
      .join("  ");
  });
}
