import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { excerptOf } from "../../../../services/session-buddy/domain/excerpt.ts";
import { searchExpression, searchTerms } from "../../../../services/session-buddy/domain/search-terms.ts";
import type { Database } from "../../../../src/ports/database.ts";
import { openDatabase } from "../../../../src/runtimes/database.ts";

describe("excerptOf()", () => {
  let database: Database;
  beforeEach(async () => {
    database = await openDatabase(":memory:");
    database.exec(
      "CREATE VIRTUAL TABLE one USING fts5 (content, tokenize = 'porter unicode61 remove_diacritics 2')",
    );
  });
  afterEach(() => database.close());

  /** What FTS5 itself cuts out; null where it finds nothing. */
  function snippet(text: string, query: string): string | null {
    database.exec("DELETE FROM one");
    database.prepare("INSERT INTO one (content) VALUES (?)").run(text);
    return database.prepare("SELECT snippet(one, 0, '', '', '…', 32) AS cut FROM one WHERE one MATCH ?")
      .get<{ cut: string }>(searchExpression(searchTerms(query)))?.cut ?? null;
  }

  const word = fc.constantFrom(
    ...["deploy", "deployed", "deployment", "broker", "brokers", "relational", "relate", "running", "runs"],
    ...["responsibility", "responsible", "happy", "happiness", "agreed", "hopping", "hoping", "sky", "ties"],
    ...[
      "the",
      "a",
      "of",
      "Über",
      "cafés",
      "CAFE",
      "event-table",
      "x2",
      "naïve",
      "generalizations",
      "oscillators",
    ],
  );
  const gap = fc.oneof({ weight: 8, arbitrary: fc.constant(" ") }, {
    weight: 2,
    arbitrary: fc.constantFrom(". ", ": ", ", ", "\n", ".\n\n", " — ", "..."),
  });
  const text = (maxLength: number) =>
    fc.array(fc.tuple(word, gap), { minLength: 1, maxLength }).map((parts) => parts.flat().join(""));

  test("cuts out what FTS5 cuts out", () => {
    fc.assert(
      fc.property(text(200), fc.array(word, { minLength: 1, maxLength: 6 }), (content, words) => {
        const query = words.join(" ");
        const expected = snippet(content, query);
        if (expected !== null) expect(excerptOf(content, searchTerms(query))).toBe(expected);
      }),
      { numRuns: 2_000 },
    );
  });

  test("begins at the beginning where the words are in none of the text", () => {
    expect(excerptOf("one two", ["three"])).toBe("one two");
    expect(excerptOf("w ".repeat(40), ["three"])).toBe(`${"w ".repeat(31)}w…`);
    expect(excerptOf("", ["three"])).toBe("");
  });

  test("takes a time that grows with the text, not with the square of what it finds", () => {
    const duration = (length: number) => {
      const content = "z ".repeat(length);
      const started = performance.now();
      expect(excerptOf(content, ["z", "z-z", "z-z-z"]).length).toBeGreaterThan(60);
      return performance.now() - started;
    };
    // Long as the text is; the square of what is found would take hours.
    expect(duration(256_000)).toBeLessThan(20_000);
  }, 60_000);
});
