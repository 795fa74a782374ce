/**
 * What a report says, read by the service's own reader, to be compared with what was heard while the tests ran.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { readJUnit } from "../../../services/crackerjack/domain/junit.ts";
import { RunTally } from "../../../services/crackerjack/domain/run-tally.ts";
import type { Counts } from "../../../services/crackerjack/domain/runs.ts";
import type { Failure } from "../../../services/crackerjack/domain/test-sink.ts";

export async function junitCounts(
  path: string,
): Promise<{ readonly counts: Counts; readonly failures: readonly Failure[] }> {
  const tally = new RunTally(1_000);
  readJUnit(await readFile(path, "utf8"), tally);
  return { counts: tally.counts, failures: tally.news() ?? [] };
}

/** The run's own waiting, in JavaScript: until a file called `go` is there, at most a minute. */
export const HOLD = `import { existsSync } from "node:fs";
const hold = async () => {
  const end = Date.now() + 60_000;
  while (!existsSync("go")) {
    if (Date.now() > end) throw new Error("nobody let it go");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};
`;
