/**
 * A process that commits without end and tells on standard output, after each commit, what it has committed. To be
 * killed. See `kill.test.ts`.
 *
 * @module
 */
import { writeSync } from "node:fs";
import process from "node:process";
import * as v from "valibot";
import { localCall } from "../../src/ports/call.ts";
import { systemClock } from "../../src/ports/clock.ts";
import { defineContract } from "../../src/protocol/contract.ts";
import type { SequencedEvent } from "../../src/protocol/event.ts";
import { openDatabase } from "../../src/runtimes/database.ts";
import { AnswerTable } from "../../src/storage/answer-table.ts";
import { createCommit } from "../../src/storage/commit.ts";
import { EventTable } from "../../src/storage/event-table.ts";

const contract = defineContract({
  name: "counting",
  ports: { http: 4000, websocket: 4010 },
  channels: {
    count: { description: "One count", id: "run" },
    tick: { description: "Ticks", id: "run", ephemeral: true },
  },
  events: {
    "count.moved": {
      description: "Moved",
      channels: ["count", "global"],
      data: v.object({ run: v.string(), value: v.number() }),
    },
    "tick.passed": { description: "Passed", channels: ["tick"], data: v.object({ run: v.string() }) },
  },
  requests: {},
});

const [path = "", run = ""] = process.argv.slice(2);
const database = await openDatabase(path);
database.exec("CREATE TABLE IF NOT EXISTS state (run TEXT, value INTEGER)");
const seqs: number[] = [];
const { commit, publish } = createCommit({
  contract,
  journal: new EventTable({ database, clock: systemClock, maxChannels: 1_000_000, retentionOf: keepAll }),
  answers: new AnswerTable({ database, clock: systemClock }),
  pump: { push: (events: readonly SequencedEvent[]) => void seqs.push(...events.map(({ seq }) => seq)) },
  clock: systemClock,
});
const insert = database.prepare("INSERT INTO state VALUES (?, ?)");
for (let value = 1;; value++) {
  const once = { scope: run, key: String(value), digest: "d" };
  commit((transaction) => {
    insert.run(run, value);
    transaction.emit("count.moved", { run, value });
    return { value };
  }, { ...localCall(), once });
  if (value % 3 === 0) publish("tick.passed", { run });
  writeSync(1, `${JSON.stringify({ value, seqs: seqs.splice(0) })}\n`);
}

function keepAll() {
  return { events: Infinity, ageMs: Infinity, bytes: Infinity };
}
