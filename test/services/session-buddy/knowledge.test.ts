import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Refusal } from "../../../src/protocol/errors.ts";
import { type Started, startManager } from "./started-manager.ts";

let started: Started;
beforeEach(async () => {
  started = await startManager();
  for (const session_id of ["s1", "s2", "s3"]) {
    await started.request("start_session", { session_id, project: "house" });
  }
  started.told();
});
afterEach(() => started.stop());

const capture = (content: string, data: Record<string, unknown> = {}) =>
  started.request("capture_knowledge", { session_id: "s1", kind: "note", content, ...data });

describe("capture_knowledge", () => {
  test("answers and tells the item, with the entities that its relations name", async () => {
    const answer = await capture("The pump reads the event table", {
      kind: "pattern",
      topics: ["delivery"],
      confidence: 0.9,
      entities: ["Pump", { name: "event table", type: "table" }, { name: "PUMP", type: "module" }],
      relations: [{ from: "pump", to: "Broker", type: "feeds" }],
    });
    const item = {
      knowledge_id: answer.knowledge_id,
      session_id: "s1",
      kind: "pattern",
      content: "The pump reads the event table",
      topics: ["delivery"],
      confidence: 0.9,
      entities: [
        { name: "Pump", type: "module" },
        { name: "event table", type: "table" },
        { name: "Broker", type: null },
      ],
      relations: [{ from: "pump", to: "Broker", type: "feeds" }],
    };
    expect(answer).toEqual({ ...item, created_at: "2026-01-01T00:00:00.000Z" });
    expect(started.told()).toEqual([{ event: "knowledge.captured", channels: ["knowledge:s1"], data: item }]);
    await started.restart();
    expect(await started.request("get_knowledge", { knowledge_id: answer.knowledge_id })).toEqual(answer);
    expect(await started.request("get_session", { session_id: "s1" })).toMatchObject({ knowledge_items: 1 });
  });

  test("bounds the content in bytes and the counts of topics, entities and relations", async () => {
    await expect(capture("é".repeat(32_769))).rejects.toThrow(
      "Invalid field 'content': 65538 bytes of UTF-8, expected at most 65536",
    );
    expect((await capture("é".repeat(32_768))).kind).toBe("note");
    const relation = { from: "a", to: "b", type: "c" };
    const tooMuch = [
      { topics: Array.from({ length: 33 }, () => "t") },
      { entities: Array.from({ length: 101 }, () => "e") },
      { relations: Array.from({ length: 201 }, () => relation) },
      { confidence: 1.01 },
      { confidence: -0.01 },
      { entities: [" "] },
      { kind: "" },
    ];
    for (const data of tooMuch) await expect(capture("text", data)).rejects.toThrow(/Invalid/);
    started.told();
    await expect(capture("text", { session_id: "nobody" })).rejects.toThrow("No session 'nobody'");
    expect(started.told()).toEqual([]);
  });
});

describe("get_knowledge", () => {
  test("refuses an unknown item", async () => {
    await expect(started.request("get_knowledge", { knowledge_id: "x" })).rejects.toThrow(
      "No knowledge item 'x'",
    );
  });
});

describe("search_knowledge", () => {
  test("ranks the item that holds more of the words first, and scores it 1", async () => {
    const both = await capture("Restart the broker after a failed deployment");
    const one = await capture("The broker keeps events in memory, and much else that is of no matter here");
    await capture("Cats sleep");
    const answer = await started.request("search_knowledge", { query: "broker deployments" });
    expect(answer.results.map((hit) => hit.knowledge_id)).toEqual([both.knowledge_id, one.knowledge_id]);
    expect(answer.results[0]).toEqual({
      knowledge_id: both.knowledge_id,
      session_id: "s1",
      kind: "note",
      excerpt: "Restart the broker after a failed deployment",
      score: 1,
    });
    const { score } = answer.results[1] ?? { score: -1 };
    expect(score).toBeGreaterThan(0);
    expect(score).toBeLessThan(1);
    expect(answer).toMatchObject({ query: "broker deployments", session_id: null, count: 2 });
  });

  test("finds words without regard to case and accents, in topics and names of entities too", async () => {
    const item = await capture("Über den Prüfstand", { topics: ["quality gate"], entities: ["Grafana"] });
    for (const query of ["uber", "PRUFSTAND", "gate", "grafana"]) {
      const { results } = await started.request("search_knowledge", { query });
      expect(results.map((hit) => hit.knowledge_id)).toEqual([item.knowledge_id]);
    }
  });

  test("takes a word with joining characters as a phrase", async () => {
    const item = await capture("Use the event-table for this");
    await capture("A table of every event");
    const { results } = await started.request("search_knowledge", { query: "event-table" });
    expect(results.map((hit) => hit.knowledge_id)).toEqual([item.knowledge_id]);
  });

  test("tells the session that was searched, also when nothing was found", async () => {
    const item = await capture("alpha beta");
    await capture("alpha", { session_id: "s2" });
    started.told();
    await started.request("search_knowledge", { query: "alpha", session_id: "s1" });
    await started.request("search_knowledge", { query: "gamma", session_id: "s1" });
    const [found, nothing] = started.told();
    expect(found).toEqual({
      event: "knowledge.search_result",
      channels: ["knowledge:s1"],
      data: {
        session_id: "s1",
        query: "alpha",
        count: 1,
        results: [{ knowledge_id: item.knowledge_id, kind: "note", excerpt: "alpha beta", score: 1 }],
        duration_ms: expect.any(Number),
      },
    });
    expect(nothing?.data).toMatchObject({ session_id: "s1", count: 0, results: [] });
  });

  test("tells each session that has a hit its own hits, and no other session", async () => {
    const first = await capture("alpha beta");
    const second = await capture("alpha", { session_id: "s2" });
    started.told();
    const answer = await started.request("search_knowledge", { query: "alpha" });
    expect(answer.count).toBe(2);
    const told = started.told().map(({ channels, data }) => [
      channels,
      data.results.map((hit: { knowledge_id: string }) => hit.knowledge_id),
    ]);
    expect(told.sort()).toEqual([
      [["knowledge:s1"], [first.knowledge_id]],
      [["knowledge:s2"], [second.knowledge_id]],
    ]);
  });

  test("filters by session and kind, and keeps to the limit", async () => {
    for (const kind of ["a", "b"]) {
      for (const session_id of ["s1", "s2"]) await capture("alpha", { kind, session_id });
    }
    const found = async (data: Record<string, unknown>) =>
      (await started.request("search_knowledge", { query: "alpha", ...data })).results
        .map(({ session_id, kind }) => session_id + kind).sort();
    expect(await found({ kind: "a" })).toEqual(["s1a", "s2a"]);
    expect(await found({ session_id: "s2" })).toEqual(["s2a", "s2b"]);
    expect(await found({ session_id: "s2", kind: "b" })).toEqual(["s2b"]);
    expect(await found({ limit: 3 })).toHaveLength(3);
    await expect(found({ limit: 51 })).rejects.toThrow(/Invalid/);
    await expect(found({ session_id: "nobody" })).rejects.toThrow(Refusal);
  });

  test("cuts an excerpt out of a long content, also of one long word", async () => {
    await capture(`${"filler ".repeat(3000)} needle ${"filler ".repeat(3000)}`);
    await capture(`needle ${"𝛀".repeat(30_000)}`.slice(0, 30_001));
    const { results } = await started.request("search_knowledge", { query: "needle" });
    expect(results).toHaveLength(2);
    for (const { excerpt } of results) {
      expect(excerpt).toContain("needle");
      expect(excerpt.length).toBeLessThanOrEqual(400);
      expect(excerpt.isWellFormed()).toBe(true);
    }
  });

  test("finds an old item by its rare word behind more text with a common one than it ranks", async () => {
    const old = await capture("The common needle");
    const hay = "common hay ".repeat(5_900);
    for (let i = 0; i < 70; i++) await capture(hay);
    const search = async (query: string) =>
      (await started.request("search_knowledge", { query, limit: 50 })).results
        .map((hit) => hit.knowledge_id);
    const found = await search("common needles");
    expect(found[0]).toBe(old.knowledge_id);
    expect(found).toHaveLength(50);
    expect(new Set(found).size).toBe(50);
    expect(await search("common")).toHaveLength(50);
    expect(await search("needle")).toEqual([old.knowledge_id]);
    started.told();
  }, 60_000);

  test("cuts excerpts out of texts in which the words stand thousands of times", async () => {
    const rooms = `${"z ".repeat(32_000)}z-z-z`;
    for (let i = 0; i < 10; i++) await capture(rooms);
    const query = Array.from({ length: 7 }, (_, i) => Array(i + 1).fill("z").join("-")).join(" ");
    for (const asked of ["z", query, "z-".repeat(400)]) {
      const { results } = await started.request("search_knowledge", { query: asked });
      expect(results).toHaveLength(10);
      for (const { excerpt } of results) expect(excerpt).toMatch(/^(z ){31}z…$/);
    }
  }, 60_000);

  test("refuses no query, whatever its characters", async () => {
    await capture('quote " star * near AND or NOT content : ^ { } ( ) - +');
    const syntax = fc.constantFrom(
      '"',
      "*",
      "(",
      ")",
      ":",
      "^",
      "-",
      "+",
      "NEAR(",
      "AND",
      "OR",
      "NOT",
      "{",
      "}",
      ",",
      " ",
      "\0",
      "'",
      "a",
      "\ud800",
    );
    const queries = fc.oneof(
      fc.string({ unit: "binary", minLength: 1, maxLength: 200 }),
      fc.string({ unit: syntax, minLength: 1, maxLength: 100 }),
      fc.constantFrom("a-".repeat(500), '"'.repeat(1000), "é".repeat(1000), "a b ".repeat(250)),
    );
    await fc.assert(
      fc.asyncProperty(queries, async (query) => {
        const { count, results } = await started.request("search_knowledge", { query });
        expect(count).toBe(results.length);
      }),
      { numRuns: 300 },
    );
  });
});

describe("query_graph", () => {
  beforeEach(async () => {
    const chain = ["a", "b", "c", "d"].flatMap((from, index, all) => {
      const to = all[index + 1];
      return to ? [{ from, to, type: "needs" }] : [];
    });
    await capture("chain", { entities: [{ name: "a", type: "node" }], relations: chain });
    await capture("again", {
      session_id: "s2",
      entities: ["A"],
      relations: [{ from: "B", to: "a", type: "knows" }],
    });
  });

  test("goes breadth first, in both directions, as deep as asked", async () => {
    expect(await started.request("query_graph", { entity: "A" })).toEqual({
      entity: "a",
      depth: 1,
      entities: [
        { name: "a", type: "node", mentions: 2, distance: 0 },
        { name: "b", type: null, mentions: 2, distance: 1 },
      ],
      relations: [
        { from: "a", to: "b", type: "needs", mentions: 1 },
        { from: "b", to: "a", type: "knows", mentions: 1 },
      ],
      truncated: false,
    });
    const names = async (entity: string, depth: number) =>
      (await started.request("query_graph", { entity, depth })).entities.map(({ name, distance }) =>
        name + distance
      );
    expect(await names("a", 0)).toEqual(["a0"]);
    expect(await names("a", 2)).toEqual(["a0", "b1", "c2"]);
    expect(await names("a", 5)).toEqual(["a0", "b1", "c2", "d3"]);
    expect(await names("c", 1)).toEqual(["c0", "b1", "d1"]);
    await expect(names("a", 6)).rejects.toThrow(/Invalid/);
  });

  test("counts a relation once for each item that states it", async () => {
    const relation = { from: "b", to: "c", type: "needs" };
    await capture("thrice", { relations: [relation, relation, { ...relation, from: "B " }] });
    const { relations } = await started.request("query_graph", { entity: "c" });
    expect(relations[0]).toEqual({ from: "b", to: "c", type: "needs", mentions: 2 });
  });

  test("stops at its bounds and says so", async () => {
    for (let part = 0; part < 3; part++) {
      const relations = Array.from(
        { length: 100 },
        (_, i) => ({ from: "hub", to: `n${part}-${i}`, type: "has" }),
      );
      await capture("star", { relations });
    }
    const answer = await started.request("query_graph", { entity: "hub", depth: 3 });
    expect(answer.truncated).toBe(true);
    expect(answer.entities).toHaveLength(200);
    const known = new Set(answer.entities.map(({ name }) => name));
    expect(answer.relations.every(({ from, to }) => known.has(from) && known.has(to))).toBe(true);
  });

  test("refuses an entity that nobody has named", async () => {
    await expect(started.request("query_graph", { entity: "zebra" })).rejects.toThrow("No entity 'zebra'");
  });
});
