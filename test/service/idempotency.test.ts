import fc from "fast-check";
import { expect, test } from "vitest";
import { localCall } from "../../src/ports/call.ts";
import { type JsonObject, stringifyJson } from "../../src/protocol/json.ts";
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

test("onceOf gives two bodies one digest only where they say the same", () => {
  const small = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      fc.constantFrom(null, true, 0, -0, 1, 10, "", "0", "1", "a", "null", "1:a", "{", "}", 2n ** 64n),
      fc.array(tie("value"), { maxLength: 2 }),
      fc.dictionary(fc.constantFrom("a", "b", "", "1:a"), tie("value"), { maxKeys: 2 }),
    ),
  })).value;
  const who = { call: localCall(), origin: null };
  const digest = (a: unknown) => onceOf("key", "set_doc", { a } as JsonObject, who).digest;
  fc.assert(
    fc.property(small, small, (one, other) => {
      expect(digest(one) === digest(other)).toBe(stringifyJson(one) === stringifyJson(other));
    }),
    { numRuns: 2_000 },
  );
});
