import { describe, expect, test } from "vitest";
import { Profiles } from "../../bench/profiles.ts";
import { beginProfile, sharesOf } from "../../bench/subjects/profile.ts";

describe("beginProfile", () => {
  test("beginProfile tells where this process has spent its time, and of nothing that it waited for", async () => {
    const end = await beginProfile();
    const until = performance.now() + 200;
    while (performance.now() < until) JSON.parse(JSON.stringify(Array.from({ length: 500 }, Math.random)));
    await new Promise((resolve) => setImmediate(resolve));
    const shares = await end();
    const sum = shares.reduce((total, { share }) => total + share, 0);
    expect(sum).toBeCloseTo(1);
    expect(shares[0]!.share).toBeGreaterThan(0.2);
    expect(shares.map(({ share }) => share)).toEqual(shares.map(({ share }) => share).sort((a, b) => b - a));
  });
});

describe("sharesOf", () => {
  test("sharesOf names parts of the project, packages, the kernel and the engine", () => {
    const from: readonly (readonly [name: string, url: string])[] = [
      ["(idle)", ""],
      ["writeBuffer", ""],
      ["push", "file:///somewhere/src/connection/outbox.ts"],
      ["js_next", "file:///somewhere/node_modules/libsql/index.js"],
      ["libsql_js::statement::Rows::js_next", ""],
      ["parse", "file:///somewhere/node_modules/@hono/node-server/dist/index.mjs"],
      ["_write", "node:net"],
      ["(garbage collector)", ""],
      ["save", "file:///somewhere/bench/subjects/realtime-service.ts"],
      ["hash", ""],
    ];
    const nodes = from.map(([functionName, url], id) => ({
      id,
      callFrame: { functionName, url, scriptId: "0", lineNumber: 0, columnNumber: 0 },
    }));
    const shares = sharesOf({
      nodes,
      startTime: 0,
      endTime: 0,
      samples: nodes.map(({ id }) => id),
      timeDeltas: [1_000, 30, 20, 5, 7, 10, 9, 8, 6, 5],
    });
    expect(shares).toEqual([
      { what: "writes, by the kernel", share: 0.3 },
      { what: "src/connection", share: 0.2 },
      { what: "SQLite", share: 0.12 },
      { what: "@hono/node-server", share: 0.1 },
      { what: "streams and timers of Node", share: 0.09 },
      { what: "garbage collection", share: 0.08 },
      { what: "the service that is measured", share: 0.06 },
      { what: "the rest of the engine", share: 0.05 },
    ]);
  });
});

describe("Profiles", () => {
  test("Profiles says in percent what takes two of a hundred or more, and the rest together", () => {
    const profiles = new Profiles();
    profiles.add("a row", "us", [
      { what: "writes", share: 0.756 },
      { what: "SQLite", share: 0.214 },
      { what: "a", share: 0.0151 },
      { what: "b", share: 0.0149 },
    ]);
    profiles.add("a row", "them", [{ what: "writes", share: 1 }]);
    expect(profiles.lines()).toEqual([
      "where processor time goes: a row",
      "  us: 76 % writes, 21 % SQLite, 3 % others",
      "  them: 100 % writes",
    ]);
  });
});
