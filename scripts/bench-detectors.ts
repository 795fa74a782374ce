/**
 * `npm exec -- deno run -A scripts/bench-detectors.ts [SEEDS]` (or Bun, or Node 22.18 and newer): how well akosha's
 * detectors find what was planted, and what they tell of series in which nothing was.
 *
 * @module
 */
import process from "node:process";
import { CLEAN, HARD, PLANTED, tallyClean, tallyPlanted } from "../test/services/akosha/planted-series.ts";

const seeds = Number(process.argv[2] ?? 200);
const percent = (part: number) => `${(100 * part).toFixed(2)} %`.padStart(9);

console.log(`Planted, ${seeds} seeds each`);
console.log("what".padEnd(44), "   recall", "precision", "false / observation");
for (const [name, plant] of Object.entries({ ...PLANTED, ...HARD })) {
  const { found, planted, told, observations } = tallyPlanted(plant, seeds);
  const wrong = told - found;
  console.log(
    name.padEnd(44),
    percent(found / planted),
    percent(told === 0 ? 1 : found / told),
    percent(wrong / observations),
  );
}

console.log(`\nNothing planted, ${seeds} seeds each: what was told`);
for (const [name, make] of Object.entries(CLEAN)) {
  const { observations, ...told } = tallyClean(make, seeds);
  const words = Object.entries(told).filter(([, count]) => count > 0).map(([kind, count]) =>
    `${kind} ${count}`
  );
  console.log(name.padEnd(44), `${observations} observations:`, words.join(", ") || "nothing");
}
