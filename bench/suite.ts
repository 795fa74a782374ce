/**
 * A suite measures some rows, contestant after contestant, and then all of it again: what the machine does meanwhile
 * meets everybody alike.
 *
 * @module
 */
import { type Field, Fielded } from "./fielded.ts";
import type { Figures, Results } from "./results.ts";
import { canRun, type SubjectName, SUBJECTS } from "./subjects.ts";

export interface Effort {
  readonly rounds: number;
  /** Deliveries in one measurement of a fan-out. */
  readonly deliveries: number;
  /** Rows to measure. Null: all. */
  readonly rows: ReadonlySet<string> | null;
}

export interface Suite {
  /** As the command names it. */
  readonly name: string;
  run(effort: Effort, results: Results): Promise<void>;
}

export interface Case {
  readonly row: string;
  /** Default: all of the suite. */
  readonly subjects?: readonly SubjectName[];
  measure(fielded: Fielded, effort: Effort): Promise<Figures>;
}

export interface FieldSuite {
  readonly name: string;
  readonly subjects: readonly SubjectName[];
  readonly field: Field;
  /** Arguments for the server. */
  readonly extra?: readonly string[];
  readonly cases: readonly Case[];
}

/** A suite whose servers stand ready all the time, each with its clients. */
export function fieldSuite({ name, subjects, field, extra = [], cases }: FieldSuite): Suite {
  return {
    name,
    async run(effort, results) {
      const wanted = cases.filter(({ row }) => effort.rows?.has(row) ?? true);
      const needed = subjects.filter((subject) =>
        canRun(subject) && wanted.some((one) => one.subjects?.includes(subject) ?? true)
      );
      const fielded: Fielded[] = [];
      try {
        for (const subject of needed) fielded.push(await Fielded.start(subject, field, extra));
        for (let round = -1; round < effort.rounds; round++) {
          for (const one of wanted) {
            for (const contestant of fielded) {
              const { name: subject, title } = contestant.subject;
              if (!(one.subjects?.includes(subject) ?? true)) continue;
              const figures = await one.measure(contestant, effort);
              // The first round warms up.
              if (round >= 0) results.add(one.row, title, figures);
            }
          }
        }
      } finally {
        await Promise.all(fielded.map((contestant) => contestant.stop()));
      }
    },
  };
}

export function titleOf(subject: SubjectName): string {
  return SUBJECTS[subject].title;
}
