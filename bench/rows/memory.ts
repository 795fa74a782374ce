/**
 * What a connection costs that has joined a channel and does nothing: heap and external memory after collection on Node,
 * resident memory elsewhere. Each time in a new process.
 *
 * @module
 */
import { Fielded } from "../fielded.ts";
import type { SubjectName } from "../subjects.ts";
import { canRun } from "../subjects.ts";
import { type Suite, titleOf } from "../suite.ts";

const CONNECTIONS = 10_000;

export const HEAP_ROW = "idle connection, heap and external";
export const RESIDENT_ROW = "idle connection, resident";

const SUBJECTS: readonly SubjectName[] = ["node", "ws", "socketIo", "bun", "bunPublish", "deno", "denoLoop"];

export const memory: Suite = {
  name: "memory",
  async run(effort, results) {
    const wanted = [HEAP_ROW, RESIDENT_ROW].some((row) => effort.rows?.has(row) ?? true);
    if (!wanted) return;
    for (let round = 0; round < effort.rounds; round++) {
      for (const subject of SUBJECTS.filter(canRun)) {
        const { heap, resident } = await measure(subject);
        // Bun counts its strings and buffers elsewhere, Deno's process holds more than its heap.
        if (!/^(bun|deno)/.test(subject)) results.add(HEAP_ROW, titleOf(subject), { bytes: heap });
        results.add(RESIDENT_ROW, titleOf(subject), { bytes: resident });
      }
    }
  },
};

async function measure(subject: SubjectName): Promise<{ heap: number; resident: number }> {
  const fielded = await Fielded.start(subject, { subscribers: 1, publishers: 0 });
  try {
    const before = await fielded.subject.memory();
    await fielded.order("open", { channel: "feed", subscribers: CONNECTIONS, publishers: 0 });
    const after = await fielded.subject.memory();
    const each = (bytes: (figures: typeof before) => number) => (bytes(after) - bytes(before)) / CONNECTIONS;
    return {
      heap: each(({ heap, external }) => heap + external),
      resident: each(({ resident }) => resident),
    };
  } finally {
    await fielded.stop();
  }
}
