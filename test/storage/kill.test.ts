import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { systemClock } from "../../src/ports/clock.ts";
import { AnswerTable } from "../../src/storage/answer-table.ts";
import { EventTable } from "../../src/storage/event-table.ts";
import { hasRuntime, type RuntimeName, startProgram } from "../support/start-program.ts";
import { newDatabase, newDatabasePath } from "./database-file.ts";

interface Report {
  readonly value: number;
  readonly seqs: readonly number[];
}

const CHILD = fileURLToPath(new URL("./kill-child.ts", import.meta.url));
const ROUNDS = 3;

/** Let a child commit, kill it after so many reports, and return all that it has reported. */
async function commitAndKill(
  runtime: RuntimeName,
  path: string,
  run: string,
  reports: number,
): Promise<Report[]> {
  const program = await startProgram<Report>(runtime, CHILD, { args: [path, run] });
  await program.line((line) => (JSON.parse(line) as Report).value >= reports);
  expect(await program.stop("SIGKILL")).toBe("SIGKILL");
  return program.lines.flatMap(parsed);
}

/** The last line may be cut. */
function parsed(line: string): Report[] {
  return line.endsWith("}") ? [JSON.parse(line)] : [];
}

const runtimes = (["node", "deno", "bun"] as const).filter((name) => hasRuntime(name));

it.each(runtimes)(
  "commit() on %s is whole or not there after SIGKILL, and no seq is given twice",
  async (runtime) => {
    const path = newDatabasePath();
    const seen = new Map<number, string>();
    for (let round = 0; round < ROUNDS; round++) {
      const run = `run-${round}`;
      const reports = await commitAndKill(runtime, path, run, 1 + Math.floor(Math.random() * 400));
      expect(reports.length).toBeGreaterThan(0);

      const database = await newDatabase(path);
      const table = new EventTable({
        database,
        clock: systemClock,
        retentionOf: () => ({ events: Infinity, ageMs: Infinity, bytes: Infinity }),
      });
      const state = database.prepare("SELECT value FROM state WHERE run = ? ORDER BY value").all<
        { value: number }
      >(run);
      const values = state.map(({ value }) => value);
      expect(values.slice(0, reports.length)).toEqual(reports.map(({ value }) => value));
      // One more may have been committed when there was no time left to report it.
      expect(values).toEqual(Array.from({ length: values.length }, (_, i) => i + 1));

      const own = table.read({ channel: `count:${run}` }, 0, 100_000);
      const global = table.read({ kind: "global" }, 0, 1_000_000).filter(({ data }) => data["run"] === run);
      expect(own.map(({ data }) => data["value"])).toEqual(values);
      expect(global.map(({ data }) => data["value"])).toEqual(values);
      expect(global.map(({ id }) => id)).toEqual(own.map(({ id }) => id));
      expect(own.map(({ prev }) => prev)).toEqual([0, ...own.slice(0, -1).map(({ seq }) => seq)]);

      const answers = new AnswerTable({ database, clock: systemClock });
      for (const value of values) {
        const answer = answers.find({ scope: run, key: String(value), digest: "d" });
        expect(answer?.answer).toBe(JSON.stringify({ value }));
      }

      const given = new Set([
        ...reports.flatMap(({ seqs }) => seqs),
        ...[...own, ...global].map(({ seq }) => seq),
      ]);
      for (const seq of given) {
        expect(seen.get(seq)).toBeUndefined();
        seen.set(seq, run);
      }
      expect(table.head.seq).toBeGreaterThanOrEqual(Math.max(...given));
      database.close();
    }
  },
  60_000,
);
