/**
 * As much as a server can deliver: four publishers publish again as soon as they are answered, each with so many
 * unanswered at most, to 500 subscribers. What is published is not kept.
 *
 * @module
 */
import type { Fielded } from "../fielded.ts";
import { type Figures, figuresOf } from "../results.ts";
import type { SubjectName } from "../subjects.ts";
import { type Case, fieldSuite } from "../suite.ts";

const SUBSCRIBERS = 500;
const PUBLISHERS = 4;
const MEASURED_MS = 2_000;
/** What a publisher does that ignores the window. */
const BOUNDLESS = 1_000;

export const WINDOWS = [1, 4, 16] as const;

export function saturatedRow(window: number): string {
  return `saturated, ${PUBLISHERS} publishers with ${window} unanswered`;
}

export const BOUNDLESS_ROW = "saturated, 4 publishers that ignore the window";

const PEERS: readonly SubjectName[] = ["node", "ws", "socketIo"];

export const saturated = fieldSuite({
  name: "saturated",
  subjects: PEERS,
  field: { subscribers: SUBSCRIBERS, publishers: PUBLISHERS },
  cases: [
    ...WINDOWS.map((window): Case => ({
      row: saturatedRow(window),
      measure: (fielded) => measure(fielded, window),
    })),
    { row: BOUNDLESS_ROW, subjects: ["node"], measure: measureMemory },
  ],
});

async function measure(fielded: Fielded, window: number): Promise<Figures> {
  const told = await fielded.order("publish", { window, ms: MEASURED_MS });
  return figuresOf(told.deliveries, told);
}

/** The same, and by how much the process has grown when it is over. */
async function measureMemory(fielded: Fielded): Promise<Figures> {
  const before = (await fielded.subject.memory()).resident;
  const figures = await measure(fielded, BOUNDLESS);
  return { ...figures, bytes: fielded.subject.residentBytes() - before };
}
