import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { closingLine } from "../../scripts/closing-line.mjs";

const vitest = fileURLToPath(new URL("../../node_modules/vitest/vitest.mjs", import.meta.url));
const config = fileURLToPath(new URL("../support/closing-line/vitest.config.ts", import.meta.url));

/** What this runtime needs before the name of a program. */
const permissions = "Deno" in globalThis ? ["run", "-A"] : [];

/** Run some of the cases in `test/support/closing-line` with the real runner. */
function run(...cases: string[]) {
  const environment = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith("VITEST")),
  );
  const args = [...permissions, vitest, "run", "--config", config, ...cases];
  const { status, stdout } = spawnSync(process.execPath, args, {
    encoding: "utf8",
    env: { ...environment, FORCE_COLOR: "1" },
  });
  return { status, last: stdout.split("\n").slice(-2) };
}

describe("ClosingLine", () => {
  test("prints the counts as the very last line, uncoloured", () => {
    expect(run("passes")).toEqual({ status: 0, last: ["tests: 2 passed, 0 failed, 1 skipped", ""] });
  });

  test("counts a failing test, a file that cannot be imported, a hook that throws and a stray rejection", () => {
    expect(run()).toEqual({ status: 1, last: ["tests: 4 passed, 4 failed, 2 skipped", ""] });
  });

  test("says that something failed when no test was found", () => {
    expect(run("no-such-case")).toEqual({ status: 1, last: ["tests: 0 passed, 1 failed, 0 skipped", ""] });
  });
});

describe("closingLine()", () => {
  test("never says 0 failed beside a bad exit code", () => {
    expect(closingLine({ passed: 3, failed: 0, skipped: 0 }, 1)).toBe("tests: 3 passed, 1 failed, 0 skipped");
  });
});
