import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { HOLD } from "../heard-report.ts";
import { makeProject, type ProjectFolder } from "../project-folder.ts";
import { startExecution } from "../started-execution.ts";

const PATIENT = { timeout: 90_000 };

/** Nothing of the project is written to the packages that it shares. */
const CONFIG = `export default { cacheDir: "cache", test: { include: ["**/*.test.mjs"], maxWorkers: 1 } };`;

const SUM = `import { describe, expect, test } from "vitest";
describe("sum", () => {
  test("adds", () => expect(1 + 1).toBe(2));
  test("fails", () => expect(1 + 1).toBe(3));
  test.skip("is skipped", () => {});
  test.todo("is to be done");
  test.fails("is known to fail", () => expect(1).toBe(2));
  test.each([[1, 1], [2, 3]])("%i is %i", (a, b) => expect(a).toBe(b));
  describe("deeper", () => {
    test("throws", () => {
      throw new TypeError("no such thing");
    });
    test("throws no error", () => Promise.reject("just words"));
  });
});
describe.skip("left out", () => {
  test("one", () => {});
  test("two", () => {});
});
`;

async function vitestProject(files: Record<string, string>): Promise<ProjectFolder> {
  const project = await makeProject({ "vitest.config.mjs": CONFIG, ...files });
  await project.linkModules();
  return project;
}

function startVitest({ path }: ProjectFolder, ...more: string[]) {
  const command = [`${path}/node_modules/.bin/vitest`, "run", ...more];
  return startExecution({ path, command });
}

describe("the reporter for Vitest", PATIENT, () => {
  test("tells a failure while a later test still runs", async () => {
    const project = await vitestProject({
      "live.test.mjs": `import { test } from "vitest";${HOLD}
test("early", () => { throw new Error("told at once"); });
test("between", () => new Promise((resolve) => setTimeout(resolve, 250)));
test("late", hold, 70_000);
`,
    });
    // Vitest itself keeps an update back until the next one where its timer fires in the very millisecond that its
    // interval ends: so there is a next one, before the one that is held.
    const run = startVitest(project);
    await expect.poll(() => run.failures, PATIENT).toEqual([{
      test_name: "early",
      file: "live.test.mjs",
      error: "told at once",
      traceback: expect.stringContaining("live.test.mjs"),
    }]);
    expect(run.counts).toMatchObject({ total: 3, failed: 1 });
    expect(run.isOver).toBe(false);
    await project.write("go", "");
    expect((await run.executed).end).toMatchObject({
      outcome: "failed",
      exit_code: 1,
      total: 3,
      done: 3,
      failed: 1,
      skipped: 0,
    });
  });

  test("counts and names are those of Vitest's own report", async () => {
    const project = await vitestProject({
      "sum.test.mjs": SUM,
      "folder/good.test.mjs": `import { test } from "vitest"; test("good", () => {});`,
    });
    const run = startVitest(project, "--reporter=json", "--outputFile.json=own.json");
    const { end } = await run.executed;
    const own = JSON.parse(await readFile(`${project.path}/own.json`, "utf8"));
    expect(own.numTotalTests).toBe(12);
    expect(end).toMatchObject({
      outcome: "failed",
      error: null,
      total: own.numTotalTests,
      done: own.numTotalTests,
      failed: own.numFailedTests,
      skipped: own.numPendingTests + own.numTodoTests,
      errors: 0,
    });
    const results = own.testResults.flatMap((file: { assertionResults: unknown[] }) => file.assertionResults);
    const failed = results.filter(({ status }: { status: string }) => status === "failed")
      .map(({ fullName }: { fullName: string }) => fullName);
    const plain = (name: string) => name.replaceAll(" > ", " ");
    expect(run.failures.map(({ test_name }) => plain(test_name)).sort()).toEqual(failed.sort());
    expect(run.failures.map(({ file }) => file)).toEqual(run.failures.map(() => "sum.test.mjs"));
    expect(run.failures.find(({ test_name }) => test_name === "sum > fails")?.error)
      .toMatch(/^expected 2 to be 3/);
    expect(run.failures.find(({ test_name }) => test_name.endsWith("throws no error"))?.error)
      .toContain("just words");
    expect(end.output_tail).toContain("Test Files");
  });

  test("what fails and is no test is told: a file that does not load, a hook, an error outside of tests", async () => {
    const project = await vitestProject({
      "broken.test.mjs": `import "./is-not-there.mjs";`,
      "hook.test.mjs": `import { afterAll, describe, test } from "vitest";
describe("with a hook", () => {
  afterAll(() => { throw new Error("hook failed"); });
  test("fine", () => {});
});`,
      "stray.test.mjs": `import { test } from "vitest";
test("fine too", async () => {
  void Promise.reject(new Error("nobody waits for this"));
  await new Promise((resolve) => setImmediate(resolve));
});`,
    });
    const run = startVitest(project);
    const { end } = await run.executed;
    expect(end).toMatchObject({ outcome: "failed", total: 2, done: 2, failed: 3, errors: 3 });
    expect(run.failures.map(({ test_name, error }) => [test_name, error]).sort()).toEqual([
      ["(unhandled error)", "nobody waits for this"],
      ["broken.test.mjs", expect.stringContaining("is-not-there.mjs")],
      ["with a hook", "hook failed"],
    ]);
  });

  test("a failed hook before the tests is told, and the tests that it kept from running are not lost", async () => {
    const project = await vitestProject({
      "before.test.mjs": `import { beforeAll, describe, test } from "vitest";
describe("prepared", () => {
  beforeAll(() => { throw new Error("not prepared"); });
  test("one", () => {});
  test("two", () => {});
});`,
    });
    const run = startVitest(project);
    const { end } = await run.executed;
    expect(end).toMatchObject({ outcome: "failed", total: 2, done: 2, failed: 1, skipped: 2, errors: 1 });
    expect(run.failures).toMatchObject([{ test_name: "prepared", error: "not prepared" }]);
  });

  test("a filter leaves the others as skipped", async () => {
    const project = await vitestProject({ "sum.test.mjs": SUM });
    const run = startVitest(project, "--testNamePattern=adds");
    expect((await run.executed).end).toMatchObject({ outcome: "passed", total: 11, done: 11, skipped: 10 });
  });

  test("a test that is tried again counts once, with its last result", async () => {
    const project = await vitestProject({
      "retry.test.mjs": `import { test } from "vitest";
let tries = 0;
test("second time lucky", { retry: 2 }, () => { if (++tries < 2) throw new Error("first"); });
test("never lucky", { retry: 2 }, () => { throw new Error("always"); });`,
    });
    const run = startVitest(project);
    expect((await run.executed).end).toMatchObject({ outcome: "failed", total: 2, done: 2, failed: 1 });
    expect(run.failures.map(({ test_name }) => test_name)).toEqual(["never lucky"]);
  });

  test("no tests at all are a run that fails, as Vitest says", async () => {
    const run = startVitest(await vitestProject({}));
    expect((await run.executed).end).toMatchObject({
      outcome: "failed",
      exit_code: 1,
      total: 0,
      done: 0,
      error: "It exited with code 1 without a failed test",
    });
  });
});
