/**
 * The model, checked by a program of its own on one runtime.
 *
 * `MODEL_TIMES=20` makes it twenty times as many runs, `MODEL_SEED` brings back what a failure has told.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { hasRuntime, type Program, type RuntimeName, startProgram } from "../support/start-program.ts";
import type { Outcome, Way } from "./check-model.ts";

const PROGRAM = fileURLToPath(new URL("./model-program.ts", import.meta.url));
const TIMES = Number(process.env.MODEL_TIMES ?? 1);
const TIMEOUT_MS = 900_000 * Math.max(1, TIMES);

const PROMISES: Readonly<Record<Way, string>> = {
  linked: "nothing is missing, twice or out of order, whatever readers, publishers and the server do",
  library: "the library's client makes of it what it promises",
  late: "the same holds with a broker that takes its time",
  sockets: "the same holds over real sockets",
  kill: "the same holds when the server is killed",
};

/** @param runs how many of each way are this runtime's part */
export function deliverySuite(runtime: RuntimeName, runs: Readonly<Record<Way, number>>): void {
  describe.runIf(hasRuntime(runtime))(`delivery on ${runtime}`, () => {
    let program: Program<unknown> | undefined;
    // Also where a test was given up.
    afterEach(() => program?.stop());

    it.each(Object.entries(runs))("%s", { timeout: TIMEOUT_MS }, async (way, count) => {
      const wanted = Math.ceil(count * TIMES);
      program = await startProgram(runtime, PROGRAM, { args: [way, String(wanted)] });
      const outcome = JSON.parse(await program.line((line) => line.includes('"failure"'))) as Outcome;
      expect(outcome.failure, PROMISES[way as Way]).toBeNull();
      expect(outcome).toMatchObject({ way, runs: wanted });
      console.log(`delivery on ${runtime}: ${outcome.runs} runs, ${way}, seed ${outcome.seed}`);
    });
  });
}
