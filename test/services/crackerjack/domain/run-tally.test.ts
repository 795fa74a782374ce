import { describe, expect, test } from "vitest";
import { workspace } from "../../../../src/runtimes/workspace.ts";
import { runEnvironment } from "../../../../services/crackerjack/domain/run-environment.ts";
import { RunTally } from "../../../../services/crackerjack/domain/run-tally.ts";
import type { Failure } from "../../../../services/crackerjack/domain/test-sink.ts";

const failure = (test_name: string): Failure => ({ test_name, file: null, error: "e", traceback: null });

describe("RunTally", () => {
  test("counts, and knows the total at the end at the latest", () => {
    const tally = new RunTally(10);
    expect(tally.counts).toEqual({ total: null, done: 0, passed: 0, failed: 0, skipped: 0, errors: 0 });
    tally.test("passed");
    tally.test("skipped");
    tally.test("failed", failure("a"));
    tally.test("error", failure("b"));
    tally.fault(failure("c"));
    expect(tally.counts).toEqual({ total: null, done: 4, passed: 1, failed: 3, skipped: 1, errors: 2 });
    tally.finished();
    expect(tally.counts.total).toBe(4);
    expect(tally.isFinished).toBe(true);
  });

  test("the total is never less than what is done", () => {
    const tally = new RunTally(10);
    tally.total(1);
    tally.test("passed");
    tally.test("passed");
    expect(tally.counts).toMatchObject({ total: 2, done: 2 });
  });

  test("news are the failures since the last ones, null where nothing has changed", () => {
    const tally = new RunTally(10);
    expect(tally.news()).toBeNull();
    tally.test("failed", failure("a"));
    tally.test("failed", failure("b"));
    expect(tally.news()).toEqual([failure("a"), failure("b")]);
    expect(tally.news()).toBeNull();
    tally.test("passed");
    expect(tally.news()).toEqual([]);
  });

  test("more failures than may be told are counted", () => {
    const tally = new RunTally(2);
    for (const name of ["a", "b", "c"]) tally.test("failed", failure(name));
    expect(tally.news()).toEqual([failure("a"), failure("b")]);
    expect(tally.counts.failed).toBe(3);
    const silent = new RunTally(0);
    silent.fault(failure("a"));
    expect(silent.news()).toEqual([]);
    expect(silent.counts).toMatchObject({ failed: 1, errors: 1 });
  });
});

describe("runEnvironment", () => {
  const made = (own: Record<string, string>, variables: Record<string, string> = {}) =>
    runEnvironment(
      { ...workspace, listSeparator: ":", variable: (name) => variables[name] },
      own,
      "/tmp/run",
      "/tmp/run/events",
    );

  test("takes away what would make tests take us for their runner", () => {
    expect(made({})).toMatchObject({ NODE_TEST_CONTEXT: null, VITEST: null, VITEST_WORKER_ID: null });
  });

  test("puts the run's folder in front of Python's path, and keeps that", () => {
    expect(made({}).PYTHONPATH).toBe("/tmp/run");
    expect(made({}, { PYTHONPATH: "/a:/b" }).PYTHONPATH).toBe("/tmp/run:/a:/b");
    expect(made({ PYTHONPATH: "src" }, { PYTHONPATH: "/a" }).PYTHONPATH).toBe("/tmp/run:src");
  });

  test("gives node and not Bun to tests, where Bun has taken its name", () => {
    expect(made({}, { PATH: "/tmp/bun-node-1a2b3c:/usr/bin" }).PATH).toBe("/usr/bin");
    expect(made({ PATH: "/own" }, { PATH: "/usr/bin" }).PATH).toBe("/own");
  });

  test("the project's own variables hold, but for those that tell us of its tests", () => {
    expect(made({ NO_COLOR: "", TEST: "mine", MCP_REALTIME_TEST_EVENTS: "/elsewhere" })).toMatchObject({
      NO_COLOR: "",
      TEST: "mine",
      MCP_REALTIME_TEST_EVENTS: "/tmp/run/events",
    });
  });
});
