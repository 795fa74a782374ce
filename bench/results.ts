/**
 * What was measured, by row and contestant. Of each figure the median counts.
 *
 * @module
 */
import { median } from "simple-statistics";

/** Absent: not measured in this row. */
export interface Figures {
  /** Deliveries, requests or connections per second. */
  readonly perSecond?: number;
  /** Processor time of the server for one of them, in microseconds. */
  readonly cpuUs?: number;
  /** Milliseconds. */
  readonly p50?: number;
  readonly p99?: number;
  readonly p999?: number;
  /** Bytes of memory: what the row's name says. */
  readonly bytes?: number;
  /** What did not arrive. */
  readonly lost?: number;
  /** Milliseconds that the whole took. */
  readonly ms?: number;
}

export type Figure = keyof Figures;

/** What the load generator tells of so many deliveries, requests or connections, with the server's processor time. */
export interface Told {
  readonly elapsedMs: number;
  readonly cpuMs: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly lost?: number;
}

/** The figures of one measurement, in which `count` of them happened. */
export function figuresOf(count: number, { elapsedMs, cpuMs, p50, p99, p999, lost }: Told): Figures {
  const figures = { perSecond: count / elapsedMs * 1_000, cpuUs: cpuMs * 1_000 / count, p50, p99, p999 };
  return lost === undefined ? figures : { ...figures, lost };
}

/** Whose figures, and of which row. */
export interface Place {
  readonly row: string;
  readonly contestant: string;
}

export class Results {
  readonly #rows = new Map<string, Map<string, Figures[]>>();

  add(row: string, contestant: string, figures: Figures): void {
    const contestants = this.#rows.get(row) ?? new Map<string, Figures[]>();
    this.#rows.set(row, contestants);
    contestants.set(contestant, [...contestants.get(contestant) ?? [], figures]);
  }

  get rows(): Iterable<string> {
    return this.#rows.keys();
  }

  contestants(row: string): Iterable<string> {
    return this.#rows.get(row)?.keys() ?? [];
  }

  /** How often a contestant was measured. */
  rounds(row: string, contestant: string): number {
    return this.#rows.get(row)?.get(contestant)?.length ?? 0;
  }

  /** Null where it was not measured. */
  median(row: string, contestant: string, figure: Figure): number | null {
    const values = (this.#rows.get(row)?.get(contestant) ?? [])
      .map((figures) => figures[figure])
      .filter((value) => value !== undefined);
    return values.length === 0 ? null : median(values);
  }

  /** The median of what two contestants' figures were to each other, round for round. */
  ratio(figure: Figure, of: Place, to: Place): number | null {
    const [above, below] = [of, to].map(({ row, contestant }) => this.#rows.get(row)?.get(contestant) ?? []);
    const ratios = above!.slice(0, below!.length).map((figures, round) =>
      (figures[figure] ?? NaN) / (below![round]![figure] ?? NaN)
    );
    return ratios.length === 0 || ratios.some(Number.isNaN) ? null : median(ratios);
  }

  /** The worst of all rounds, where more is worse. */
  most(row: string, contestant: string, figure: Figure): number | null {
    const all = this.#rows.get(row)?.get(contestant) ?? [];
    return all.length === 0 ? null : Math.max(...all.map((figures) => figures[figure] ?? 0));
  }

  /** For other programs: every figure of every round. */
  toJSON(): unknown {
    return Object.fromEntries([...this.#rows].map(([row, all]) => [row, Object.fromEntries(all)]));
  }
}
