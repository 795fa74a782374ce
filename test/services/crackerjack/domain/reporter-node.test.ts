import { describe, expect, test } from "vitest";
import { HOLD, junitCounts } from "../heard-report.ts";
import { makeProject, type ProjectFolder } from "../project-folder.ts";
import { startExecution } from "../started-execution.ts";

const PATIENT = { timeout: 90_000 };

const IMPORTS = `import assert from "node:assert/strict";
import { after, before, describe, it, test } from "node:test";
`;

const SUM = `${IMPORTS}
test("adds", () => assert.equal(1 + 1, 2));
test("fails", () => assert.equal(1 + 1, 3));
test("is skipped", { skip: true }, () => {});
test("is skipped by itself", (t) => t.skip("why not"));
test("is to be done", { todo: true }, () => {});
test("is to be done and fails", { todo: true }, () => assert.fail("not yet"));
test("throws no error", () => Promise.reject("just words"));
describe("a suite", () => {
  it("passes", () => {});
  it("throws", () => { throw new TypeError("no such thing"); });
  describe("deeper", () => it("passes too", () => {}));
});
test("with subtests", async (t) => {
  await t.test("inner passes", () => {});
  await t.test("inner fails", () => { throw new Error("inner words"); });
});
`;

function startNode({ path }: ProjectFolder, ...more: string[]) {
  return startExecution({ path, command: ["node", "--test", ...more] });
}

/** Failures by name, with the first line of what they say. */
const told = (failures: readonly { test_name: string; error: string }[]) =>
  failures.map(({ test_name, error }) => `${test_name}: ${error.split("\n", 1)[0]}`);

describe("the reporter for node --test", PATIENT, () => {
  test("tells a failure while a later test of the file still runs", async () => {
    const project = await makeProject({
      "live.test.mjs": `${IMPORTS}${HOLD}
test("early", () => { throw new Error("told at once"); });
test("late", hold);
`,
    });
    const run = startNode(project);
    await expect.poll(() => run.failures, PATIENT).toEqual([{
      test_name: "early",
      file: "live.test.mjs",
      error: "told at once",
      traceback: expect.stringContaining("live.test.mjs"),
    }]);
    expect(run.counts).toMatchObject({ done: 1, failed: 1 });
    expect(run.isOver).toBe(false);
    await project.write("go", "");
    expect((await run.executed).end).toMatchObject({
      outcome: "failed",
      exit_code: 1,
      total: 2,
      done: 2,
      failed: 1,
    });
  });

  test("tells a failure in a suite that another test of it still holds", async () => {
    const project = await makeProject({
      "live.test.mjs": `${IMPORTS}${HOLD}
describe("outer", { concurrency: true }, () => {
  it("late", hold);
  it("early", () => { throw new Error("told at once"); });
});
`,
    });
    const run = startNode(project);
    await expect.poll(() => told(run.failures), PATIENT).toEqual(["early: told at once"]);
    expect(run.isOver).toBe(false);
    await project.write("go", "");
    expect((await run.executed).end).toMatchObject({ outcome: "failed", done: 2, failed: 1 });
  });

  test("tells a failure in a file while one that was started before still runs", async () => {
    const project = await makeProject({
      "a-late.test.mjs": `${IMPORTS}${HOLD}test("late", hold);`,
      "b-early.test.mjs": `${IMPORTS}
test("good", () => {});
test("early", () => { throw new Error("told at once", { cause: "a cause" }); });
test("just words", () => Promise.reject("words"));
`,
    });
    const run = startNode(project, "--test-concurrency=2");
    await expect.poll(() => told(run.failures), PATIENT).toEqual([
      "early: told at once",
      "just words: words",
    ]);
    expect(run.failures[0]).toMatchObject({
      file: "b-early.test.mjs",
      traceback: expect.stringContaining("b-early.test.mjs"),
    });
    expect(run.counts).toMatchObject({ done: 3, failed: 2 });
    expect(run.isOver).toBe(false);
    await project.write("go", "");
    expect((await run.executed).end).toMatchObject({ outcome: "failed", total: 4, done: 4, failed: 2 });
    expect(run.failures).toHaveLength(2);
  });

  test("counts and names are those of Node's own report", async () => {
    const project = await makeProject({
      "sum.test.mjs": SUM,
      "test/good.test.mjs": `${IMPORTS}test("good", () => {});`,
    });
    const run = startNode(project, "--test-reporter=junit", "--test-reporter-destination=own.xml");
    const { end } = await run.executed;
    const own = await junitCounts(`${project.path}/own.xml`);
    // Node's JUnit report makes a suite of a test with subtests, and a failure of one that is to be done; its summary,
    // which the exit code goes by, does neither.
    const summary = (name: string) =>
      Number(new RegExp(`^ℹ ${name} (\\d+)$`, "m").exec(end.output_tail)?.[1]);
    expect(end).toMatchObject({
      outcome: "failed",
      total: 14,
      done: summary("tests"),
      failed: summary("fail"),
      skipped: summary("skipped") + summary("todo"),
      errors: 0,
    });
    expect(summary("pass")).toBe(end.done - end.failed - end.skipped);
    const names = run.failures.map(({ test_name }) => test_name);
    const ownNames = own.failures.map(({ test_name }) => test_name.split(" > ").at(-1));
    expect([...names, "is to be done and fails"].sort()).toEqual([...ownNames, "with subtests"].sort());
    expect(told(run.failures)).toEqual([
      expect.stringMatching(/^fails: Expected values to be strictly equal/),
      "throws no error: just words",
      "throws: no such thing",
      "inner fails: inner words",
      expect.stringMatching(/^with subtests: 1 subtest failed/),
    ]);
  });

  test("a file that does not load, or ends with a code of its own, is a failed test of its name", async () => {
    const project = await makeProject({
      "broken.test.mjs": `import "./is-not-there.mjs";`,
      "good.test.mjs": `${IMPORTS}test("good", () => {});`,
      "plain.test.mjs": `process.exit(3);`,
    });
    const run = startNode(project);
    const { end } = await run.executed;
    expect(end).toMatchObject({ outcome: "failed", exit_code: 1, total: 3, done: 3, failed: 2 });
    expect(run.failures.map(({ file }) => file)).toEqual(["broken.test.mjs", "plain.test.mjs"]);
    expect(run.failures[0]!.test_name).toBe("broken.test.mjs");
  });

  test("a file with failed tests does not count on top of them", async () => {
    const project = await makeProject({ "one.test.mjs": `${IMPORTS}test("bad", () => assert.fail("x"));` });
    expect((await startNode(project).executed).end).toMatchObject({ total: 1, done: 1, failed: 1 });
  });

  test("a failed hook fails its tests", async () => {
    const project = await makeProject({
      "hook.test.mjs": `${IMPORTS}describe("prepared", () => {
  before(() => { throw new Error("not prepared"); });
  it("one", () => {});
  it("two", () => {});
});
describe("tidied", () => {
  after(() => { throw new Error("not tidied"); });
  it("three", () => {});
});`,
    });
    const { end } = await startNode(project).executed;
    expect(end).toMatchObject({ outcome: "failed", exit_code: 1, error: null });
    expect(end.failed).toBeGreaterThanOrEqual(2);
  });

  test("a filter runs the tests that fit", async () => {
    const project = await makeProject({ "sum.test.mjs": SUM });
    const run = startNode(project, "--test-name-pattern=adds");
    const { end } = await run.executed;
    expect(end).toMatchObject({ outcome: "passed", failed: 0 });
    expect(end.done - end.skipped).toBe(1);
  });

  test("two tests of one name on one line are two", async () => {
    const project = await makeProject({
      "same.test.mjs": `${IMPORTS}for (const n of [1, 2, 3]) test("same", () => assert.ok(n === 2));`,
    });
    const run = startNode(project);
    expect((await run.executed).end).toMatchObject({ total: 3, done: 3, failed: 2 });
    expect(run.failures).toHaveLength(2);
  });
});
