import { access } from "node:fs/promises";
import process from "node:process";
import { describe, expect, test, vi } from "vitest";
import { FakeClock } from "../../../support/fake-clock.ts";
import { makeProject } from "../project-folder.ts";
import { isRunning, type StartedExecution, startExecution } from "../started-execution.ts";

const PATIENT = { timeout: 60_000 };

const shell = (script: string): string[] => ["sh", "-c", script];

async function nothingIsLeft(run: StartedExecution): Promise<void> {
  expect(run.folders).toHaveLength(1);
  for (const folder of run.folders) await expect(access(folder)).rejects.toThrow("ENOENT");
  expect(isRunning(run.marks)).toBe(false);
}

describe("RunExecution, by the exit code alone", PATIENT, () => {
  test.each([
    { title: "passes with code 0", script: "echo fine", outcome: "passed", code: 0, error: null },
    {
      title: "fails with any other",
      script: "echo bad >&2; exit 3",
      outcome: "failed",
      code: 3,
      error: "It exited with code 3 without a failed test",
    },
  ])("$title", async ({ script, outcome, code, error }) => {
    const { path } = await makeProject();
    const run = startExecution({ path, command: shell(script) });
    const { end, since } = await run.executed;
    expect(end).toMatchObject({ outcome, exit_code: code, signal: null, error, done: 0, failed: 0 });
    expect(end.output_tail).toMatch(/^(fine|bad)$/);
    expect(end.duration_seconds).toBeGreaterThan(0);
    expect(since).toBeGreaterThan(0);
    await nothingIsLeft(run);
  });

  test("starts the command in the project's folder, with the project's environment and without a runner's own", async () => {
    const { path } = await makeProject();
    const run = startExecution({
      path,
      command: shell('echo "$PWD|$COLOUR|$VITEST|$NODE_TEST_CONTEXT|$NO_COLOR"'),
      settings: { environment: { COLOUR: "blue" } },
    });
    expect((await run.executed).end.output_tail).toBe(`${path}|blue|||1`);
  });
});

describe("RunExecution, where it cannot start", PATIENT, () => {
  test("says which program there is none of", async () => {
    const { path } = await makeProject();
    const run = startExecution({ path, command: ["no-such-program-here", "--x"] });
    const { end } = await run.executed;
    expect(end).toMatchObject({ outcome: "crashed", exit_code: null, signal: null });
    expect(end.error).toMatch(/^Cannot start "no-such-program-here".*no such program/);
    expect(run.marks).toEqual([]);
    await nothingIsLeft(run);
  });

  test.each(
    [
      ["a folder that is not there", "missing", /does not exist/],
      ["a folder outside the roots", "..", /lies outside the allowed roots/],
      ["a file", "plain.txt", /is no folder/],
    ] as const,
  )("refuses %s", async (_title, path, error) => {
    const project = await makeProject({ "plain.txt": "" });
    const run = startExecution({
      path: project.path,
      settings: { path },
      command: shell("touch ran"),
    });
    const { end, since } = await run.executed;
    expect(end).toMatchObject({ outcome: "crashed", exit_code: null, error: expect.stringMatching(error) });
    expect(since).toBeNull();
    expect(await project.has("ran")).toBe(false);
    await nothingIsLeft(run);
  });
});

describe("RunExecution, ended from outside", PATIENT, () => {
  /** Tells that it runs, and starts a child of its own that would live on. */
  const LONG = "sleep 600 & echo $! > child; trap '' HUP; touch started; wait";

  test("cancel ends the command and what it has started", async () => {
    const project = await makeProject();
    const run = startExecution({ path: project.path, command: shell(LONG) });
    await expect.poll(() => project.has("started"), PATIENT).toBe(true);
    expect(isRunning(run.marks)).toBe(true);
    run.execution.cancel("Because of the test");
    run.execution.cancel("Too late");
    const { end } = await run.executed;
    expect(end).toMatchObject({ outcome: "cancelled", error: "Because of the test", signal: "SIGTERM" });
    await nothingIsLeft(run);
  });

  test("cancel before the start starts nothing", async () => {
    const project = await makeProject();
    const run = startExecution({ path: project.path, command: shell("touch ran") });
    run.execution.cancel();
    expect((await run.executed).end).toMatchObject({ outcome: "cancelled", exit_code: null, error: null });
    expect(await project.has("ran")).toBe(false);
    await nothingIsLeft(run);
  });

  test("a run that takes too long is ended and has crashed", async () => {
    const project = await makeProject();
    const clock = new FakeClock();
    const run = startExecution({
      path: project.path,
      clock,
      command: shell(LONG),
      settings: { timeout_seconds: 90 },
    });
    await expect.poll(() => project.has("started"), PATIENT).toBe(true);
    clock.advance(89_999);
    expect(run.isOver).toBe(false);
    clock.advance(1);
    const { end } = await run.executed;
    expect(end).toMatchObject({
      outcome: "crashed",
      error: "The run took longer than 90 seconds and was ended",
      duration_seconds: 90,
    });
    expect(clock.pending).toBe(0);
    await nothingIsLeft(run);
  });

  test("a child that ignores SIGTERM is killed", async () => {
    const project = await makeProject();
    const run = startExecution({
      path: project.path,
      command: shell("trap '' TERM; touch started; while :; do sleep 0.1; done"),
    });
    await expect.poll(() => project.has("started"), PATIENT).toBe(true);
    run.execution.cancel();
    expect((await run.executed).end).toMatchObject({ outcome: "cancelled", signal: "SIGKILL" });
    await nothingIsLeft(run);
  });

  test("a child that dies by a signal has crashed, with all that it had told", async () => {
    const { path } = await makeProject();
    const run = startExecution({
      path,
      runner: "tap",
      command: shell("echo 'TAP version 13'; echo 'ok 1 - a'; echo 'not ok 2 - b'; kill -SEGV $$"),
    });
    expect((await run.executed).end).toMatchObject({
      outcome: "crashed",
      exit_code: null,
      signal: "SIGSEGV",
      error: "It was ended by SIGSEGV",
      done: 2,
      failed: 1,
    });
    await nothingIsLeft(run);
  });

  test("what the command leaves behind when it ends is ended", async () => {
    const project = await makeProject();
    const run = startExecution({ path: project.path, command: shell("sleep 600 & exit 0") });
    expect((await run.executed).end.outcome).toBe("passed");
    await nothingIsLeft(run);
  });

  test("progress that cannot be stored ends the run as crashed", async () => {
    const project = await makeProject();
    const run = startExecution({
      path: project.path,
      command: shell("echo 'TAP version 13'; echo 'ok 1'; echo 'ok 2'; exec sleep 600"),
      onProgress() {
        throw new Error("disk full");
      },
    });
    expect((await run.executed).end).toMatchObject({
      outcome: "crashed",
      error: "Its progress could not be stored: see the log",
    });
    await nothingIsLeft(run);
  });
});

describe("RunExecution, with results and code that disagree", PATIENT, () => {
  test("a failed test is a failed run, even with code 0", async () => {
    const { path } = await makeProject();
    const run = startExecution({ path, command: shell("printf 'TAP version 14\\n1..1\\nnot ok 1 - x\\n'") });
    expect((await run.executed).end).toMatchObject({
      outcome: "failed",
      exit_code: 0,
      failed: 1,
      total: 1,
      error: null,
    });
    expect(run.failures.map(({ test_name }) => test_name)).toEqual(["x"]);
  });

  test("passed tests with another code are a failed run that says so", async () => {
    const { path } = await makeProject();
    const run = startExecution({
      path,
      command: shell("printf 'TAP version 14\\n1..1\\nok 1 - x\\n'; exit 9"),
    });
    expect((await run.executed).end).toMatchObject({
      outcome: "failed",
      exit_code: 9,
      failed: 0,
      error: "It exited with code 9 without a failed test",
    });
  });

  test("results that break off are a crash, whatever the code", async () => {
    const { path } = await makeProject();
    const run = startExecution({ path, command: shell("printf 'TAP version 14\\n1..3\\nok 1 - x\\n'") });
    expect((await run.executed).end).toMatchObject({
      outcome: "crashed",
      exit_code: 0,
      done: 1,
      error: "Cannot trust the TAP output: expected 3 tests by its plan, got 1",
    });
  });

  test("a runner that ends without telling its end has crashed", async () => {
    const { path } = await makeProject();
    const run = startExecution({ path, runner: "pytest", command: shell("exit 0") });
    expect((await run.executed).end).toMatchObject({
      outcome: "crashed",
      error: "It exited with code 0 before its results came to their end",
    });
  });
});

describe("RunExecution, with TAP", PATIENT, () => {
  test("tells a failure while the run goes on", async () => {
    const project = await makeProject();
    const run = startExecution({
      path: project.path,
      command: shell(
        "printf 'TAP version 14\\n1..3\\nnot ok 1 - early\\nok 2\\n'; while ! test -e go; do sleep 0.05; done; echo 'ok 3'",
      ),
    });
    await vi.waitFor(
      () => expect(run.failures.map(({ test_name }) => test_name)).toEqual(["early"]),
      PATIENT,
    );
    expect(run.isOver).toBe(false);
    expect(run.counts).toMatchObject({ total: 3, done: 1, failed: 1 });
    await project.write("go", "");
    expect((await run.executed).end).toMatchObject({ outcome: "failed", total: 3, done: 3, failed: 1 });
  });

  test("reads no more of it than reportBytes, and says so", async () => {
    const { path } = await makeProject();
    const run = startExecution({
      path,
      reportBytes: 2_048,
      command: shell(
        "echo 'TAP version 14'; i=0; while test $i -lt 500; do i=$((i+1)); echo \"ok $i\"; done",
      ),
    });
    const { end } = await run.executed;
    expect(end).toMatchObject({
      outcome: "crashed",
      error: "Cannot read the TAP output: expected at most 2048 bytes, got more",
    });
    // 305 points fit, of which the last may still have been waited for.
    expect(end.done).toBeGreaterThanOrEqual(304);
    expect(end.done).toBeLessThanOrEqual(305);
  });
});

describe("RunExecution, with a JUnit report", PATIENT, () => {
  const REPORT =
    `<testsuite><testcase name="a"/><testcase name="b"><failure message="no"/></testcase></testsuite>`;
  const writing = (report: string, more = "") => [
    process.execPath.includes("node") ? process.execPath : "node",
    "-e",
    `require("node:fs").writeFileSync("junit.xml", ${JSON.stringify(report)});${more}`,
  ];

  test("counts what the command has written", async () => {
    const { path } = await makeProject();
    const run = startExecution({ path, runner: "junit", command: writing(REPORT, "process.exitCode = 1") });
    expect((await run.executed).end).toMatchObject({
      outcome: "failed",
      total: 2,
      done: 2,
      failed: 1,
      error: null,
    });
    expect(run.failures).toEqual([{ test_name: "b", file: null, error: "no", traceback: null }]);
  });

  test("a report that was there before does not count", async () => {
    const project = await makeProject({ "junit.xml": REPORT });
    const { utimes } = await import("node:fs/promises");
    await utimes(`${project.path}/junit.xml`, 1_000, 1_000);
    const run = startExecution({ path: project.path, runner: "junit", command: ["true"] });
    expect((await run.executed).end).toMatchObject({
      outcome: "crashed",
      done: 0,
      error: "Cannot count the tests: the run has left no JUnit report",
    });
  });

  test.each(
    [
      ["cut short", REPORT.slice(0, 60), /^Cannot read the JUnit report: expected well-formed XML/],
      ["something else", "<html/>", /expected testsuites or testsuite, got <html>/],
      ["too large", `<testsuite>${" ".repeat(2_000)}</testsuite>`, /expected at most 1024 bytes/],
    ] as const,
  )("a report that is %s is a crash that says so", async (_title, report, error) => {
    const { path } = await makeProject();
    const run = startExecution({ path, runner: "junit", reportBytes: 1_024, command: writing(report) });
    expect((await run.executed).end).toMatchObject({
      outcome: "crashed",
      exit_code: 0,
      done: 0,
      error: expect.stringMatching(error),
    });
  });

  test("a configured report outside the project is not read", async () => {
    const project = await makeProject({ "other/junit.xml": REPORT, "own/x": "" });
    const run = startExecution({
      path: `${project.path}/own`,
      runner: "junit",
      command: ["true"],
      settings: { junit: "../other/junit.xml" },
    });
    expect((await run.executed).end).toMatchObject({
      outcome: "crashed",
      error: expect.stringMatching(/leads outside the project's folder/),
    });
  });
});
