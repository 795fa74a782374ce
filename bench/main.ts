/**
 * `npm run bench [-- OPTIONS]`: measures this project beside its peers and prints one table.
 *
 * @module
 */
import { writeFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { type Bar, judge } from "./bars.ts";
import { machine } from "./machine.ts";
import { Profiles } from "./profiles.ts";
import { Results } from "./results.ts";
import { channels } from "./rows/channels.ts";
import { connect } from "./rows/connect.ts";
import { doors } from "./rows/doors.ts";
import { durable } from "./rows/durable.ts";
import { fanOut } from "./rows/fan-out.ts";
import { memory } from "./rows/memory.ts";
import { recovery } from "./rows/recovery.ts";
import { requests } from "./rows/requests.ts";
import { saturated } from "./rows/saturated.ts";
import { startUp } from "./rows/start-up.ts";
import type { Suite } from "./suite.ts";
import { barTable, reasonLines, resultTable } from "./table.ts";

const SUITES: readonly Suite[] = [
  fanOut(10),
  fanOut(500),
  fanOut(5_000),
  saturated,
  durable,
  requests,
  connect,
  memory,
  channels,
  recovery,
  doors,
  startUp,
];

const NAMES = SUITES.map(({ name }) => name).join(", ");

const USAGE = `Usage: npm run bench -- [OPTIONS]

  --only NAMES        Suites, divided by commas: ${NAMES}
  --rounds N          Measurements of each figure; the median counts. Default: 5
  --deliveries N      Deliveries in one measurement of a fan-out. Default: 200000
  --check             Exit with 1 where a bar is missed by more than is explained. What was missed so is measured again,
                      up to three times more
  --json FILE         Write every figure of every round to a file
  --help              Show this text`;

/** A bar that is missed may have been missed by the machine. */
const FURTHER_TRIES = 3;

const values = options();

if (values.help) {
  console.log(USAGE);
  process.exit(0);
}

const suites = chosen(values.only);
const effort = {
  rounds: count("--rounds", values.rounds),
  deliveries: count("--deliveries", values.deliveries),
};
const results = new Results();
if (values.json !== undefined) write(values.json, "", "a");

for (const line of machine()) console.log(line);
for (const suite of suites) {
  process.stderr.write(`measuring ${suite.name}\n`);
  await suite.run({ ...effort, rows: null }, results);
}
for (let tries = 0; values.check && tries < FURTHER_TRIES; tries++) {
  const rows = rowsOf(judge(results).filter(({ verdict }) => verdict === "missed"));
  if (rows.size === 0) break;
  process.stderr.write(`measuring again: ${[...rows].join("; ")}\n`);
  for (const suite of suites) await suite.run({ ...effort, rows }, results);
}

const judged = judge(results);
console.log(["", ...resultTable(results), "", ...barTable(judged)].join("\n"));
if (values.json !== undefined) write(values.json, `${JSON.stringify(results, null, 2)}\n`);
const unmet = judged.filter(({ verdict }) => verdict !== "holds");
if (unmet.length > 0) {
  const profiles = new Profiles();
  for (const suite of suites) await suite.profile?.({ ...effort, rows: rowsOf(unmet) }, profiles);
  console.log(["", ...reasonLines(judged), "", ...profiles.lines()].join("\n"));
}
console.log(`\n${judged.length - unmet.length} of ${judged.length} bars hold`);
process.exit(values.check && unmet.some(({ verdict }) => verdict === "missed") ? 1 : 0);

function options() {
  try {
    return parseArgs({
      options: {
        only: { type: "string" },
        rounds: { type: "string", default: "5" },
        deliveries: { type: "string", default: "200000" },
        check: { type: "boolean", default: false },
        json: { type: "string" },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    refuse((error as Error).message);
  }
}

/** Nothing is added before the first measurement: that a file cannot be written is not to be found out after half an hour. */
function write(file: string, text: string, flag: "a" | "w" = "w"): void {
  try {
    writeFileSync(file, text, { flag });
  } catch (error) {
    refuse(`Expected --json to name a file that can be written, got '${file}': ${(error as Error).message}`);
  }
}

function rowsOf(bars: readonly Bar[]): ReadonlySet<string> {
  return new Set(bars.flatMap(({ rows }) => rows));
}

function chosen(only: string | undefined): readonly Suite[] {
  if (only === undefined) return SUITES;
  return only.split(",").map((name) => {
    const suite = SUITES.find((one) => one.name === name);
    if (!suite) refuse(`Expected --only to name suites of ${NAMES}, got '${name}'`);
    return suite;
  });
}

function count(option: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) {
    refuse(`Expected ${option} to be a whole number above 0, got '${text}'`);
  }
  return value;
}

function refuse(reason: string): never {
  process.stderr.write(`${reason}\n\n${USAGE}\n`);
  process.exit(2);
}
