/**
 * Clients that come back together, each with 1,000 events to catch up with, from a database file.
 *
 * @module
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Fielded } from "../fielded.ts";
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
      const folder = mkdtempSync(join(tmpdir(), "realtime-bench-"));
      try {
        await measure(subject, folder, effort.rounds, results);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
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
      const { cpuMs, elapsedMs, p50, p99, p999 } = await fielded.order<
        { elapsedMs: number; p50: number; p99: number; p999: number }
      >("recover", { channel: "news", since, clients: CLIENTS, events: EVENTS });
      if (round < 0) continue;
      results.add(RECOVERY_ROW, titleOf(subject), {
        perSecond: CLIENTS * EVENTS / elapsedMs * 1_000,
        cpuUs: cpuMs * 1_000 / (CLIENTS * EVENTS),
        p50,
        p99,
        p999,
      });
    }
  } finally {
    await fielded.stop();
  }
}
