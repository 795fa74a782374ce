/**
 * Our reporter for Vitest 3 and 4, as the text of a module.
 *
 * @module
 */
import { APPEND_SOURCE } from "./reporter-append.ts";

export const VITEST_REPORTER = `${APPEND_SOURCE}
const textOf = (error) => ({
  e: String(error?.message ?? error ?? ""),
  b: String(error?.stack ?? "") + (error?.diff ? "\\n" + error.diff : ""),
});

export default class LiveReporter {
  #files = 0;
  #collected = 0;
  #tests = 0;
  #ended = new Set();

  onTestRunStart(specifications) {
    this.#files = specifications.length;
    if (this.#files === 0) append({ t: "total", n: 0 });
  }

  onTestModuleCollected(module) {
    this.#collected++;
    for (const _ of module.children.allTests()) this.#tests++;
    if (this.#collected === this.#files) append({ t: "total", n: this.#tests });
  }

  onTestCaseResult(test) {
    const { state, errors } = test.result();
    if (state === "passed" || state === "skipped") append({ t: "test", s: state });
    else if (state === "failed") {
      append({ t: "test", s: state, n: test.fullName, f: test.module.moduleId, ...textOf(errors?.[0]) });
    }
  }

  onTestSuiteResult(suite) {
    for (const error of suite.errors?.() ?? []) {
      append({ t: "fault", n: suite.fullName, f: suite.module.moduleId, ...textOf(error) });
    }
  }

  onTestModuleEnd(module) {
    this.#ended.add(module);
    for (const error of module.errors?.() ?? []) {
      append({ t: "fault", n: module.relativeModuleId ?? module.moduleId, f: module.moduleId, ...textOf(error) });
    }
  }

  onTestRunEnd(modules, unhandled) {
    // Vitest 3 tells nothing before of a file that it could not load.
    for (const module of modules ?? []) if (!this.#ended.has(module)) this.onTestModuleEnd(module);
    for (const error of unhandled ?? []) append({ t: "fault", n: "(unhandled error)", ...textOf(error) });
    append({ t: "end" });
  }
}
`;
