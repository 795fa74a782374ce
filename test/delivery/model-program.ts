/**
 * Checks the model on the runtime that runs it: `model-program.ts linked 1000 sockets 100`, optionally with the
 * environment's `MODEL_SEED`. Writes a line when it begins, and one per way.
 *
 * @module
 */
import { detectRuntime } from "../../src/runtimes/detect.ts";
import { checkModel, type Way } from "./check-model.ts";
import { silentLog } from "./silent-log.ts";

const wishes = process.argv.slice(2);
const { MODEL_SEED } = process.env;
const seed = MODEL_SEED === undefined ? {} : { seed: Number(MODEL_SEED) };
const runtime = await detectRuntime({ log: silentLog });

process.on("SIGTERM", () => process.exit(1));
console.log(JSON.stringify({ runtime: runtime.name }));
for (let index = 0; index < wishes.length; index += 2) {
  const outcome = await checkModel(runtime, {
    way: wishes[index] as Way,
    runs: Number(wishes[index + 1]),
    ...seed,
  });
  console.log(JSON.stringify(outcome));
  if (outcome.failure === null) continue;
  console.error(outcome.failure);
  process.exitCode = 1;
}
process.exit();
