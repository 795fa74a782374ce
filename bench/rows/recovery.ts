/**
 * Clients that come back together, each with 1,000 events to catch up with, from a database file.
 *
 * @module
 */
import { join } from "node:path";
import { Fielded } from "../fielded.ts";
import { figuresOf, type Told } from "../results.ts";
import { inScratch } from "../scratch.ts";
import type { SubjectName } from "../subjects.ts";
import { canRun } from "../subjects.ts";
import { type Suite, titleOf } from "../suite.ts";

const EVENTS = 1_000;
const CLIENTS = 50;

export const RECOVERY_ROW = `${CLIENTS} clients catch up with 1,000 events each`;

export const recovery: Suite = {
  name: "recovery",
  async run(effort, results) {
    if (effort.rows && !effort.rows.has(RECOVERY_ROW)) return;
    for (const subject of (["node", "bun", "deno"] as const).filter(canRun)) {
      await inScratch((folder) => measure(subject, folder, effort.rounds, results));
    }
  },
};

async function measure(
  subject: SubjectName,
  folder: string,
  rounds: number,
  results: Parameters<Suite["run"]>[1],
): Promise<void> {
  const field = { channel: "news", subscribers: 0, publishers: 1 };
  const fielded = await Fielded.start(subject, field, [join(folder, "bench.db")]);
  try {
    const since = await fielded.order<{ epoch: string; seq: number }>("fill", { events: EVENTS });
    for (let round = -1; round < rounds; round++) {
      const wish = { channel: "news", since, clients: CLIENTS, events: EVENTS };
      const told = await fielded.order<Told>("recover", wish);
      if (round >= 0) results.add(RECOVERY_ROW, titleOf(subject), figuresOf(CLIENTS * EVENTS, told));
    }
  } finally {
    await fielded.stop();
  }
}
