import { describe, expect, test } from "vitest";
import * as v from "valibot";
import { crackerjackSettings } from "../../../../services/crackerjack/domain/settings.ts";

const ofProject = (project: unknown) => ({ projects: { sample: project } });
const gates = (...gates: unknown[]) => ofProject({ gates });

function issue(given: unknown): string | undefined {
  const read = v.safeParse(crackerjackSettings, given);
  return read.success ? undefined : read.issues[0].message;
}

describe("crackerjackSettings", () => {
  test("commands of callers are off, and numbers have bounds, where nothing is said", () => {
    expect(v.parse(crackerjackSettings, {})).toMatchObject({
      roots: ["."],
      allow_commands: false,
      parallel_runs: 2,
      queued_runs: 100,
      report_bytes: 16_777_216,
      projects: {},
    });
    expect(v.parse(crackerjackSettings, ofProject({})).projects.sample).toMatchObject({
      path: ".",
      timeout_seconds: 1_800,
      coverage: [],
      environment: {},
    });
  });

  test("a gate is required where it does not say", () => {
    const read = v.parse(
      crackerjackSettings,
      gates({ name: "lines", measure: "line_coverage", threshold: 80 }),
    );
    expect(read.projects.sample!.gates).toMatchObject([{ severity: "required", threshold: 80 }]);
  });

  test.each([
    [
      "a gate on nothing",
      gates({ name: "a", threshold: 1 }),
      "expected either measure, or report and pointer",
    ],
    [
      "a gate on two things",
      gates({ name: "a", measure: "tests", report: "r", pointer: "/p", threshold: 1 }),
      "expected either measure, or report and pointer",
    ],
    [
      "a gate on a report without a pointer",
      gates({ name: "a", report: "r", threshold: 1 }),
      "expected either measure, or report and pointer",
    ],
    [
      "a gate on a number without a threshold",
      gates({ name: "a", measure: "line_coverage" }),
      "expected a threshold, which every gate but that on tests needs",
    ],
    [
      "two gates of one name",
      gates({ name: "a", measure: "tests" }, { name: "a", measure: "tests" }),
      "expected a name of its own for every gate",
    ],
    [
      "a severity that there is not",
      gates({ name: "a", measure: "tests", severity: "fatal" }),
      "expected one of required, warning, optional",
    ],
    [
      "a threshold that is no number",
      gates({ name: "a", measure: "tests", threshold: "80" }),
      "expected a number",
    ],
    [
      "a runner that there is not",
      ofProject({ runner: "jest" }),
      "expected one of vitest, pytest, node, deno, junit, tap, command",
    ],
    ["an empty command", ofProject({ command: [] }), "expected a list of the program and its arguments"],
    ["a timeout of 0", ofProject({ timeout_seconds: 0 }), "expected a whole number from 1 to 86400"],
    ["no roots", { roots: [] }, "expected at least one folder"],
    ["a half run", { parallel_runs: 1.5 }, "expected a whole number from 1 to 64"],
    [
      "a project named like a path",
      { projects: { "../x": {} } },
      "expected a name of letters, digits, _, - and .",
    ],
  ])("refuses %s and says what is expected", (_title, given, message) => {
    expect(issue(given)).toBe(message);
  });

  test.each([
    ["a field that there is not", { allow_command: true }],
    ["a command as a shell string", ofProject({ command: "npm test" })],
    ["a field of a gate that there is not", gates({ name: "a", measure: "tests", level: 1 })],
  ])("refuses %s", (_title, given) => {
    expect(issue(given)).toBeDefined();
  });
});
