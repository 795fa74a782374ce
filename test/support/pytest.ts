/**
 * pytest, for tests that run it on projects of their own.
 *
 * @module
 */
import { pythonPath, requireOrSkip } from "./require.ts";

/** A Python that has pytest; undefined where there is none. */
export function pytestPython(): string | undefined {
  return pythonPath(["pytest"]);
}

/**
 * Whether this machine has pytest. A missing one is said aloud on standard error.
 *
 * @throws {Error} where it is missing and `REQUIRE_ALL=1`.
 */
export function hasPytest(): boolean {
  return requireOrSkip("pytest", pytestPython() !== undefined, "run .venv/bin/pip install pytest");
}
