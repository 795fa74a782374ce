/**
 * A suite measures some rows, contestant after contestant, and then all of it again: what the machine does meanwhile
 * meets everybody alike.
 *
 * @module
 */
import { type Field, Fielded } from "./fielded.ts";
import type { Profiles } from "./profiles.ts";
import type { Figures, Results } from "./results.ts";
import { canProfile, canRun, type SubjectName, SUBJECTS } from "./subjects.ts";

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
  /** Find out where the time of those goes who can tell. Absent: nobody can. */
  profile?(effort: Effort, profiles: Profiles): Promise<void>;
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
  /** Go through the rows with each contestant, `rounds` times after a first one that warms up. */
  async function turns(
    { rows, rounds }: Pick<Effort, "rows" | "rounds">,
    contestants: readonly SubjectName[],
    turn: (one: Case, contestant: Fielded, counts: boolean) => Promise<void>,
  ): Promise<void> {
    const wanted = cases.filter(({ row }) => rows?.has(row) ?? true);
    const needed = contestants.filter((subject) =>
      canRun(subject) && wanted.some((one) => one.subjects?.includes(subject) ?? true)
    );
    const fielded: Fielded[] = [];
    try {
      for (const subject of needed) fielded.push(await Fielded.start(subject, field, extra));
      for (let round = -1; round < rounds; round++) {
        for (const one of wanted) {
          for (const contestant of fielded) {
            if (one.subjects?.includes(contestant.subject.name) ?? true) {
              await turn(one, contestant, round >= 0);
            }
          }
        }
      }
    } finally {
      await Promise.all(fielded.map((contestant) => contestant.stop()));
    }
  }

  return {
    name,
    run: (effort, results) =>
      turns(effort, subjects, async (one, contestant, counts) => {
        const figures = await one.measure(contestant, effort);
        if (counts) results.add(one.row, contestant.subject.title, figures);
      }),
    profile: (effort, profiles) =>
      turns({ ...effort, rounds: 1 }, subjects.filter(canProfile), async (one, contestant, counts) => {
        const { subject } = contestant;
        const shares = await subject.profiled(() => one.measure(contestant, effort));
        if (counts) profiles.add(one.row, subject.title, shares);
      }),
  };
}

export function titleOf(subject: SubjectName): string {
  return SUBJECTS[subject].title;
}
