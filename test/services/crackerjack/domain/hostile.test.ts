import { beforeAll, describe, expect, test } from "vitest";
import { hasRuntime, type RuntimeName, startProgram } from "../../../support/start-program.ts";

const program = new URL("../hostile-program.ts", import.meta.url).pathname;

const runtimes = (["node", "deno", "bun"] as RuntimeName[]).filter(hasRuntime);

/** Outcomes of what is nested ever deeper. */
const DEEP = [
  "junitDepths",
  "textDepths",
  "coberturaDepths",
  "numberDepths",
  "istanbulDepths",
  "jsonDepths",
  "tapDepths",
] as const;

type Results = Record<(typeof DEEP)[number], string[]> & { laughs: string; external: string };

describe.each(runtimes)("reports that mean harm, on %s", (runtime) => {
  let results: Results;

  beforeAll(async () => {
    const played = await startProgram<Results>(runtime, program);
    expect(await played.ended).toBe(0);
    results = played.ready;
  }, 60_000);

  test("entities that a document declares are refused, not expanded", () => {
    expect(results.laughs).toMatch(/expected well-formed XML: Named entity isn't defined: &a19;/);
  });

  test("what an entity names outside of the document is not read", () => {
    expect(results.external).toMatch(/expected well-formed XML: Named entity isn't defined: &a;/);
  });

  test.each(DEEP)("whatever is nested is read or refused with a sentence, however deep: %s", (name) => {
    expect(results[name].length).toBeGreaterThan(10);
    for (const outcome of results[name]) {
      expect(outcome).toMatch(/^(read$|Cannot (read|find) )/);
    }
  });

  test("XML that is nested 100,000 deep is refused", () => {
    for (const name of ["junitDepths", "textDepths", "coberturaDepths", "numberDepths"] as const) {
      expect(results[name].at(-1)).toMatch(/it is nested too deep$/);
      expect(results[name][0]).toBe("read");
    }
  });
});
