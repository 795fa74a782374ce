/**
 * A vitest reporter whose one line is the last thing that a run prints: `tests: 12 passed, 0 failed, 3 skipped`.
 *
 * What fails without being a test counts as failed too: a file that cannot be imported, a hook that throws, a run
 * that ends badly for any other reason. So the line never says `0 failed` where the exit code says otherwise.
 *
 * @module
 */
import { writeSync } from "node:fs";

/**
 * @typedef {import("vitest/node").Reporter} Reporter
 *
 * @typedef {object} Tally
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped
 */

/**
 * @param {Iterable<import("vitest/node").TestModule>} modules
 * @returns {Tally}
 */
export function tally(modules) {
  const sum = { passed: 0, failed: 0, skipped: 0 };
  for (const module of modules) {
    if (module.errors().length > 0) sum.failed += 1;
    for (const suite of module.children.allSuites()) {
      if (suite.errors().length > 0) sum.failed += 1;
    }
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      // A test that is still pending when the run is over never ran.
      sum[state === "pending" ? "failed" : state] += 1;
    }
  }
  return sum;
}

/**
 * @param {Tally} sum
 * @param {number} exitCode of the whole run
 * @returns {string}
 */
export function closingLine({ passed, failed, skipped }, exitCode) {
  const shown = exitCode !== 0 && failed === 0 ? 1 : failed;
  return `tests: ${passed} passed, ${shown} failed, ${skipped} skipped`;
}

/** @implements {Reporter} */
export class ClosingLine {
  /** @type {Tally} */
  #sum = { passed: 0, failed: 0, skipped: 0 };

  onInit() {
    // Other reporters, the coverage report and complaints about leftovers all come before the process ends. On a
    // terminal vitest has just written codes for the cursor: a line break keeps them off our line.
    const start = process.stdout.isTTY ? "\n" : "";
    process.once("exit", (code) => writeLast(`${start}${closingLine(this.#sum, code)}\n`));
  }

  /**
   * @param {ReadonlyArray<import("vitest/node").TestModule>} modules
   * @param {ReadonlyArray<unknown>} unhandledErrors
   */
  onTestRunEnd(modules, unhandledErrors) {
    this.#sum = tally(modules);
    this.#sum.failed += unhandledErrors.length;
  }
}

/**
 * Past any stream that would buffer or colour it: nothing asynchronous runs any more.
 *
 * @param {string} text
 */
function writeLast(text) {
  for (;;) {
    try {
      writeSync(1, text);
      return;
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EAGAIN") return;
    }
  }
}
