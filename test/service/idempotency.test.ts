import { expect, test } from "vitest";
import { localCall } from "../../src/ports/call.ts";
import { openDatabase } from "../../src/runtimes/database.ts";
import { onceOf } from "../../src/service/idempotency.ts";
import { AnswerTable } from "../../src/storage/answer-table.ts";
import { FakeClock } from "../support/fake-clock.ts";

test("onceOf gives users scopes that the database keeps apart, whatever is in their names", async () => {
  const database = await openDatabase(":memory:");
  try {
    const answers = new AnswerTable({ database, clock: new FakeClock() });
    const users = ["\ud800", "\ud801", "\ufffd", "a\0b", "a\0c", "a", '"\\ud800"', "json x", ""];
    const onces = users.map((userId) => {
      const call = { ...localCall(), identity: { userId, permissions: [], authenticated: true } };
      return onceOf("key", "set_doc", {}, { call, origin: null });
    });
    for (const [n, once] of onces.entries()) {
      expect(answers.find(once), JSON.stringify(users[n])).toBeUndefined();
      answers.save(once, `{"n":${n}}`);
    }
    for (const [n, once] of onces.entries()) expect(answers.find(once)?.answer).toBe(`{"n":${n}}`);
  } finally {
    database.close();
  }
});
