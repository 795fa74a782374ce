import { beforeAll, describe, expect, test } from "vitest";
import { hasRuntime, type RuntimeName, startProgram } from "../../../support/start-program.ts";

const program = new URL("../flood-program.ts", import.meta.url).pathname;

const runtimes = (["node", "deno", "bun"] as RuntimeName[]).filter(hasRuntime);

interface Played {
  readonly outcome: string;
  readonly error: string | null;
  readonly done: number;
  readonly tail: string;
  readonly tailLength: number;
  readonly grownMiB: number;
}

const TOO_MUCH_TAP = "Cannot read the TAP output: expected at most 1048576 bytes, got more";
const TOO_MANY_BYTES = "Cannot read the results: expected less than 134217728 bytes, got more";
const NO_END = "It exited with code 0 before its results came to their end";

// It needs `yes` and `head`.
describe.skipIf(process.platform === "win32").each(runtimes)("runs that flood, on %s", (runtime) => {
  let results: Record<"output" | "errors" | "oneLine" | "tap" | "events" | "noise", Played>;

  beforeAll(async () => {
    const played = await startProgram<unknown>(runtime, program);
    results = JSON.parse(await played.line((line) => line.includes("grownMiB")));
    expect(await played.ended).toBe(0);
  }, 180_000);

  test.each(["output", "errors"] as const)("what is printed is heard to the end: %s", (name) => {
    expect(results[name]).toMatchObject({ outcome: "passed", error: null, tail: "the end" });
    expect(results[name].tailLength).toBeLessThanOrEqual(16_384);
  });

  test("TAP over its bound is a crash that says so, with what was counted before", () => {
    expect(results.tap).toMatchObject({ outcome: "crashed", error: TOO_MUCH_TAP });
    expect(results.tap.done).toBeGreaterThan(50_000);
    expect(results.oneLine).toMatchObject({ outcome: "crashed", error: TOO_MUCH_TAP, done: 0 });
  });

  test("results without end are counted, and rubbish among them is passed over", () => {
    expect(results.events).toMatchObject({ outcome: "crashed", error: NO_END, done: 806_596 });
    expect(results.noise).toMatchObject({ outcome: "crashed", error: TOO_MANY_BYTES, done: 0 });
  });

  test("memory stays far below what came", () => {
    for (const { grownMiB } of Object.values(results)) expect(grownMiB).toBeLessThan(512);
  });
});
