/**
 * The environment that tests are run in: ours, without what would make them take us for their runner.
 *
 * @module
 */
import type { Workspace } from "../../../src/ports/workspace.ts";
import { WITHOUT_SECRETS } from "../../../src/protocol/secret-variables.ts";
import { EVENTS_VARIABLE } from "./reporter-append.ts";

/** Set by a test runner for its own children; we may be one of those. */
const OF_OTHER_RUNS = [
  "NODE_TEST_CONTEXT",
  "NODE_V8_COVERAGE",
  "VITEST",
  "VITEST_MODE",
  "VITEST_POOL_ID",
  "VITEST_WORKER_ID",
  "TEST",
  "PYTEST_CURRENT_TEST",
  "FORCE_COLOR",
];

/**
 * @param own Variables of the project's settings.
 * @param folder The run's own folder, where pytest finds our plugin.
 */
export function runEnvironment(
  workspace: Workspace,
  own: Readonly<Record<string, string>>,
  folder: string,
  events: string,
): Record<string, string | null> {
  const list = (...parts: (string | undefined)[]) => parts.filter(Boolean).join(workspace.listSeparator);
  return {
    ...WITHOUT_SECRETS,
    ...Object.fromEntries(OF_OTHER_RUNS.map((name) => [name, null])),
    NO_COLOR: "1",
    // `bun --bun` puts a folder in front of PATH in which `node` is Bun, which cannot run Node's tests.
    PATH: (workspace.variable("PATH") ?? "").split(workspace.listSeparator)
      .filter((path) => !/[\\/]bun-node-[^\\/]*$/.test(path)).join(workspace.listSeparator),
    ...own,
    PYTHONPATH: list(folder, own.PYTHONPATH ?? workspace.variable("PYTHONPATH")),
    [EVENTS_VARIABLE]: events,
  };
}
