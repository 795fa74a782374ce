import { describe, expect, test } from "vitest";
import { withFilter } from "../../../../services/crackerjack/domain/run-plan.ts";
import type { Runner } from "../../../../services/crackerjack/domain/settings.ts";
import { executable, hasRuntime } from "../../../support/start-program.ts";
import { hasPytest, pytestPython } from "../../../support/pytest.ts";
import { makeProject, type ProjectFolder } from "../project-folder.ts";
import { startExecution } from "../started-execution.ts";

const PATIENT = { timeout: 90_000 };

const DENO_TESTS = `
Deno.test("adds", () => { if (1 + 1 !== 2) throw new Error("no"); });
Deno.test("fails", () => { throw new TypeError("on purpose"); });
Deno.test({ name: "left out", ignore: true, fn() {} });
Deno.test("with steps", async (t) => {
  await t.step("good step", () => {});
  await t.step("bad step", () => { throw new Error("step words"); });
});
`;

describe.runIf(hasRuntime("deno"))("deno test", PATIENT, () => {
  const start = ({ path }: ProjectFolder, ...more: string[]) =>
    startExecution({ path, command: [executable("deno")!, "test", ...more] });

  test("its JUnit report is asked for, read and removed", async () => {
    const project = await makeProject({ "deno.json": "{}", "sum.test.ts": DENO_TESTS });
    const run = start(project);
    const { end } = await run.executed;
    // Steps count as tests, and so does the test that they are of.
    expect(end).toMatchObject({
      outcome: "failed",
      exit_code: 1,
      error: null,
      total: 6,
      done: 6,
      failed: 3,
      skipped: 1,
      errors: 0,
    });
    expect(run.failures.map(({ test_name, error }) => [test_name, error])).toEqual([
      ["./sum.test.ts > fails", "Uncaught TypeError: on purpose"],
      ["./sum.test.ts > with steps", "1 test step failed"],
      ["./sum.test.ts > with steps > bad step", "Uncaught Error: step words"],
    ]);
    expect(run.failures[0]).toMatchObject({
      file: "./sum.test.ts",
      traceback: expect.stringContaining("sum.test.ts:3:"),
    });
    expect(end.output_tail).toMatch(/2 failed .*1 ignored/);
  });

  test("tests that pass are a run that passes", async () => {
    const project = await makeProject({ "deno.json": "{}", "a.test.ts": `Deno.test("a", () => {});` });
    expect((await start(project).executed).end).toMatchObject({ outcome: "passed", total: 1, done: 1 });
  });

  test("a file that does not load is no run that passes", async () => {
    const project = await makeProject({ "deno.json": "{}", "a.test.ts": `import "./is-not-there.ts";` });
    const { end } = await start(project).executed;
    expect(["failed", "crashed"]).toContain(end.outcome);
    expect(end.error).not.toBeNull();
    expect(end.output_tail).toContain("is-not-there.ts");
  });
});

describe("TAP of a real runner", PATIENT, () => {
  test("is recognised where we know nothing of the command", async () => {
    const project = await makeProject({
      "a.test.mjs": `import { test } from "node:test";
test("good", () => {});
test("bad", () => { throw new Error("tap words"); });
test("outer", async (t) => {
  await t.test("inner", () => {});
  throw new Error("by itself");
});
test("left out", { skip: "why" }, () => {});
`,
    });
    const run = startExecution({
      path: project.path,
      runner: "command",
      command: ["node", "--test", "--test-reporter=tap"],
    });
    const { end } = await run.executed;
    expect(end).toMatchObject({
      outcome: "failed",
      exit_code: 1,
      error: null,
      done: 4,
      failed: 2,
      skipped: 1,
    });
    expect(run.failures.map(({ test_name, error }) => [test_name.split(" > ").at(-1), error])).toEqual([
      ["bad", "tap words"],
      ["outer", "by itself"],
    ]);
  });
});

describe("a filter in the runner's own way", PATIENT, () => {
  async function filtered(runner: Runner, project: ProjectFolder, command: readonly string[]) {
    const plan = withFilter({ runner, command }, "apple");
    const run = startExecution({ path: project.path, ...plan });
    const { end } = await run.executed;
    expect(end).toMatchObject({ outcome: "passed", error: null, failed: 0 });
    return end.done - end.skipped;
  }

  test("Vitest", async () => {
    const project = await makeProject({
      "vitest.config.mjs": `export default { cacheDir: "cache" };`,
      "a.test.mjs":
        `import { test } from "vitest"; test("apple", () => {}); test("pear", () => { throw new Error(); });`,
    });
    await project.linkModules();
    const command = [`${project.path}/node_modules/.bin/vitest`, "run"];
    expect(await filtered("vitest", project, command)).toBe(1);
  });

  test("node --test", async () => {
    const project = await makeProject({
      "a.test.mjs":
        `import { test } from "node:test"; test("apple", () => {}); test("pear", () => { throw new Error(); });`,
    });
    expect(await filtered("node", project, ["node", "--test"])).toBe(1);
  });

  test.runIf(hasPytest())("pytest", async () => {
    const project = await makeProject({
      "pytest.ini": "[pytest]",
      "test_a.py": "def test_apple():\n    pass\n\ndef test_pear():\n    assert False\n",
    });
    const command = [pytestPython()!, "-B", "-m", "pytest", "-p", "no:cacheprovider"];
    expect(await filtered("pytest", project, command)).toBe(1);
  });

  test.runIf(hasRuntime("deno"))("deno test", async () => {
    const project = await makeProject({
      "deno.json": "{}",
      "a.test.ts": `Deno.test("apple", () => {}); Deno.test("pear", () => { throw new Error(); });`,
    });
    expect(await filtered("deno", project, [executable("deno")!, "test"])).toBe(1);
  });
});
