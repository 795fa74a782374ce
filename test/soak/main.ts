/**
 * `npm run soak -- --minutes 30`: a soak, its figures as a table. Ends with 1 where something is not back where it was
 * after the warm-up.
 *
 * @module
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { buildOnce } from "../support/build-once.ts";
import { soak, soakReport } from "./soak.ts";

const { values } = parseArgs({ options: { minutes: { type: "string", default: "30" } } });
const minutes = Number(values.minutes);
if (!(minutes >= 0.5 && minutes <= 1_440)) {
  console.error(`--minutes: expected a number from 0.5 to 1440, got "${values.minutes}"`);
  process.exit(2);
}
await buildOnce();
const result = await soak({ seconds: minutes * 60, onProgress: (line) => console.error(line) });
console.log(soakReport(result));
process.exit(result.faults.length === 0 ? 0 : 1);
