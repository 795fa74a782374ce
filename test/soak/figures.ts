/**
 * What a server holds at one moment, and whether it is more than it held before.
 *
 * @module
 */

/** What `probe.mjs` tells. */
export interface Probed {
  /** After a collection. */
  readonly heapBytes: number;
  /** Outside the heap, held by something in it. */
  readonly externalBytes: number;
  readonly rssBytes: number;
  /** Timers that are to fire, whether or not they keep the process alive. */
  readonly timers: number;
  /** What keeps the process busy, by Node's names. */
  readonly resources: Readonly<Record<string, number>>;
}

/** What a server holds while nobody is connected. */
export interface Figures extends Probed {
  /** Open file descriptors. */
  readonly files: number;
  /** Child processes. */
  readonly children: number;
  /** Of all services together. */
  readonly connections: number;
  readonly rooms: number;
}

const MIB = 1_048_576;

/** What may be more than before, as a share and in any case: caches are not filled to the byte. */
const MEMORY = { share: 0.1, bytes: 4 * MIB };

/** The allocator gives pages back when it likes, so that this only finds what grows without end. */
const RESIDENT = { share: 0.5, bytes: 64 * MIB };

/** Of a timer that runs at every moment, or none, either can be seen. */
const TIMERS = 2;

/** Come and go by themselves; timers are counted by the probe. */
const FLEETING = new Set(["Timeout", "Immediate", "FSReqCallback", "FSReqPromise", "TickObject"]);

/** @returns one line for each figure that is not back where it was. */
export function growthFaults(before: Figures, after: Figures): string[] {
  const faults: string[] = [];
  const expect = (what: string, most: number, got: number, tell: (value: number) => string = String) => {
    if (got > most) faults.push(`${what}: expected at most ${tell(most)}, got ${tell(got)}`);
  };
  const room = (bytes: number, { share, bytes: least }: typeof MEMORY) =>
    bytes + Math.max(bytes * share, least);
  expect("heap", room(before.heapBytes, MEMORY), after.heapBytes, mebibytes);
  expect("memory outside the heap", room(before.externalBytes, MEMORY), after.externalBytes, mebibytes);
  expect("resident memory", room(before.rssBytes, RESIDENT), after.rssBytes, mebibytes);
  expect("open files", before.files, after.files);
  expect("timers", before.timers + TIMERS, after.timers);
  expect("child processes", before.children, after.children);
  expect("connections", before.connections, after.connections);
  expect("rooms", before.rooms, after.rooms);
  for (const [kind, count] of Object.entries(after.resources)) {
    if (!FLEETING.has(kind)) expect(kind, before.resources[kind] ?? 0, count);
  }
  return faults;
}

/** Of several looks the least of each figure: what comes and goes by itself, being looked at included, is not held. */
export function leastOf(looks: readonly Figures[]): Figures {
  const least = (figure: (look: Figures) => number) => Math.min(...looks.map(figure));
  const kinds = new Set(looks.flatMap(({ resources }) => Object.keys(resources)));
  return {
    heapBytes: least((look) => look.heapBytes),
    externalBytes: least((look) => look.externalBytes),
    rssBytes: least((look) => look.rssBytes),
    timers: least((look) => look.timers),
    files: least((look) => look.files),
    children: least((look) => look.children),
    connections: least((look) => look.connections),
    rooms: least((look) => look.rooms),
    resources: Object.fromEntries(
      [...kinds].map((kind) => [kind, least(({ resources }) => resources[kind] ?? 0)]),
    ),
  };
}

export function mebibytes(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}

/** A row of a table for each moment, under a heading. */
export function figuresTable(rows: readonly (readonly [when: string, figures: Figures])[]): string {
  const heads = [
    "",
    "heap",
    "outside",
    "resident",
    "files",
    "handles",
    "timers",
    "children",
    "connections",
    "rooms",
  ];
  const lines = rows.map(([when, figures]) => [
    when,
    ...[figures.heapBytes, figures.externalBytes, figures.rssBytes].map(mebibytes),
    ...[figures.files, handles(figures), figures.timers, figures.children, figures.connections, figures.rooms]
      .map(String),
  ]);
  return aligned([heads, ...lines]);
}

function handles({ resources }: Probed): number {
  return Object.entries(resources).reduce((sum, [kind, count]) => FLEETING.has(kind) ? sum : sum + count, 0);
}

/** The first column to the left, the others to the right. */
export function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row.map((cell, column) => column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)).join(
      "  ",
    )
  ).join("\n");
}
