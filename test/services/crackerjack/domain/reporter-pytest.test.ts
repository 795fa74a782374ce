import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { pythonPath, requireOrSkip } from "../../../support/require.ts";
import { hasPytest, pytestPython } from "../../../support/pytest.ts";
import { junitCounts } from "../heard-report.ts";
import { makeProject, type ProjectFolder } from "../project-folder.ts";
import { startExecution } from "../started-execution.ts";

const PATIENT = { timeout: 90_000 };

const SUM = `import pytest

def test_adds():
    assert 1 + 1 == 2

def test_fails():
    got = 1 + 1
    assert got == 3, "sum is off"

@pytest.mark.skip(reason="not today")
def test_skipped():
    pass

@pytest.mark.xfail
def test_known_to_fail():
    assert False

@pytest.mark.xfail
def test_passes_by_surprise():
    pass

@pytest.mark.xfail(strict=True)
def test_must_not_pass():
    pass

@pytest.mark.parametrize("n", [1, 2, 3])
def test_is_odd(n):
    assert n % 2 == 1

@pytest.fixture
def broken():
    raise RuntimeError("no such fixture today")

@pytest.fixture
def messy():
    yield 1
    raise RuntimeError("cannot tidy up")

def test_with_broken_fixture(broken):
    pass

def test_with_messy_fixture(messy):
    pass

class TestGroup:
    def test_inside(self):
        raise KeyError("gone")

    def test_skips_itself(self):
        pytest.skip("by itself")
`;

const HOLD = `import os, time

def hold():
    end = time.monotonic() + 60
    while not os.path.exists("go"):
        assert time.monotonic() < end, "nobody let it go"
        time.sleep(0.02)
`;

function startPytest({ path }: ProjectFolder, ...more: string[]) {
  const command = [pytestPython()!, "-B", "-m", "pytest", "-p", "no:cacheprovider", ...more];
  return startExecution({ path, command });
}

const hasXdist = requireOrSkip(
  "pytest-xdist",
  pythonPath(["pytest", "xdist"]) !== undefined,
  "run .venv/bin/pip install pytest-xdist",
);

describe.runIf(hasPytest())("the plugin for pytest", PATIENT, () => {
  test("tells a failure while a later test still runs", async () => {
    const project = await makeProject({
      "pytest.ini": "[pytest]",
      "test_live.py": `${HOLD}
def test_early():
    assert "told" == "at once"

def test_late():
    hold()
`,
    });
    const run = startPytest(project);
    await expect.poll(() => run.failures, PATIENT).toEqual([{
      test_name: "test_live.py::test_early",
      file: "test_live.py",
      error: expect.stringContaining("AssertionError: assert 'told' == 'at once'"),
      traceback: expect.stringContaining("def test_early():"),
    }]);
    expect(run.counts).toMatchObject({ total: 2, done: 1, failed: 1 });
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

  test("counts and names are those of pytest's own report", async () => {
    const project = await makeProject({ "pytest.ini": "[pytest]", "sub/test_sum.py": SUM });
    const run = startPytest(project, "--junitxml=own.xml");
    const { end } = await run.executed;
    const own = await junitCounts(`${project.path}/own.xml`);
    // One that passed and could not be tidied up is both for pytest, as in its summary; its XML has only the error.
    expect(end).toMatchObject({
      outcome: "failed",
      exit_code: 1,
      error: null,
      ...own.counts,
      passed: own.counts.passed + 1,
    });
    expect(own.counts).toEqual({ total: 13, done: 13, passed: 4, failed: 6, skipped: 3, errors: 2 });
    const names = run.failures.map(({ test_name }) => test_name);
    expect(names).toEqual([
      "sub/test_sum.py::test_fails",
      "sub/test_sum.py::test_must_not_pass",
      "sub/test_sum.py::test_is_odd[2]",
      "sub/test_sum.py::test_with_broken_fixture",
      "sub/test_sum.py::test_with_messy_fixture",
      "sub/test_sum.py::TestGroup::test_inside",
    ]);
    expect(names.map((name) => name.split("::").at(-1))).toEqual(
      own.failures.map(({ test_name }) => test_name.split(" > ").at(-1)),
    );
    expect(run.failures.map(({ error }) => error)).toEqual([
      expect.stringMatching(/^AssertionError: sum is off\nassert 2 == 3/),
      expect.stringContaining("XPASS(strict)"),
      expect.stringContaining("assert (2 % 2) == 1"),
      "RuntimeError: no such fixture today",
      "RuntimeError: cannot tidy up",
      "KeyError: 'gone'",
    ]);
  });

  test("a module that cannot be imported is told and counts as failed", async () => {
    const project = await makeProject({
      "pytest.ini": "[pytest]",
      "test_broken.py": "import is_not_there_at_all\n",
      "test_good.py": "def test_good():\n    pass\n",
    });
    const run = startPytest(project, "--continue-on-collection-errors");
    expect((await run.executed).end).toMatchObject({
      outcome: "failed",
      total: 1,
      done: 1,
      failed: 1,
      errors: 1,
    });
    expect(run.failures).toMatchObject([{
      test_name: "test_broken.py",
      file: "test_broken.py",
      error: expect.stringContaining("No module named 'is_not_there_at_all'"),
    }]);
  });

  test("files are relative to the project's folder, also where pytest's root lies above it", async () => {
    const above = await makeProject({
      "pytest.ini": "[pytest]",
      "inner/test_it.py": "import os\n\ndef test_it():\n    os.chdir('/')\n    assert False\n",
    });
    const run = startPytest({ ...above, path: `${above.path}/inner` });
    expect((await run.executed).end).toMatchObject({ outcome: "failed", done: 1 });
    expect(run.failures).toMatchObject([{ file: "test_it.py" }]);
  });

  test("a run that pytest ends early is told as it is", async () => {
    const project = await makeProject({ "pytest.ini": "[pytest]", "test_sum.py": SUM });
    const run = startPytest(project, "--exitfirst");
    expect((await run.executed).end).toMatchObject({ outcome: "failed", done: 2, failed: 1 });
  });

  test("a process that ends itself in a test has crashed, with what it had told", async () => {
    const project = await makeProject({
      "pytest.ini": "[pytest]",
      "test_exit.py":
        "import os\n\ndef test_one():\n    pass\n\ndef test_two():\n    os._exit(0)\n\ndef test_three():\n    pass\n",
    });
    expect((await startPytest(project).executed).end).toMatchObject({
      outcome: "crashed",
      exit_code: 0,
      total: 3,
      done: 1,
      error: "It exited with code 0 before its results came to their end",
    });
  });

  test("a text that is no Unicode does not keep a failure from being told", async () => {
    const project = await makeProject({
      "pytest.ini": "[pytest]",
      "test_odd.py": String.raw`def test_odd():
    raise ValueError("half \ud83d and \x00 and \x1b[31mred\x1b[0m and " + "x" * 300000)
`,
    });
    const run = startPytest(project);
    expect((await run.executed).end).toMatchObject({ outcome: "failed", done: 1, failed: 1 });
    const [failure] = run.failures;
    expect(failure!.error).toMatch(/^ValueError: half . and {2}and red and x+…$/);
    expect(failure!.error.isWellFormed()).toBe(true);
    expect(failure!.error).toHaveLength(2_000);
  });

  test("a text that takes twelve bytes a character in the line is told as any other", async () => {
    const project = await makeProject({
      "pytest.ini": "[pytest]",
      "test_wide.py": `def test_wide():\n    raise ValueError("\\U0001F4A5" * 40000)\n`,
    });
    const run = startPytest(project);
    expect((await run.executed).end).toMatchObject({ outcome: "failed", done: 1, failed: 1 });
    expect(run.failures[0]!.error).toMatch(/^ValueError: (💥)+/u);
  });

  test("no tests at all are a run that fails, as pytest says", async () => {
    const run = startPytest(await makeProject({ "pytest.ini": "[pytest]" }));
    expect((await run.executed).end).toMatchObject({ outcome: "failed", exit_code: 5, done: 0 });
  });

  test("subtests that fail are told one by one", async () => {
    const project = await makeProject({
      "pytest.ini": "[pytest]",
      "test_unit.py": `import unittest

class TestUnit(unittest.TestCase):
    def test_many(self):
        for n in range(3):
            with self.subTest(n=n):
                self.assertEqual(n % 2, 0)
`,
    });
    const run = startPytest(project, "--junitxml=own.xml");
    const { end } = await run.executed;
    expect(end).toMatchObject({ outcome: "failed", exit_code: 1 });
    expect(end.failed).toBeGreaterThan(0);
    expect(await readFile(`${project.path}/own.xml`, "utf8")).toContain("test_many");
  });

  test.runIf(hasXdist)("several workers of pytest-xdist are told by one, each test once", async () => {
    const project = await makeProject({
      "pytest.ini": "[pytest]",
      "test_early.py": "def test_early():\n    assert False\n",
      "test_late.py": `${HOLD}\ndef test_late():\n    hold()\n`,
      "test_sum.py": SUM,
    });
    const python = pythonPath(["pytest", "xdist"])!;
    const run = startExecution({
      path: project.path,
      command: [python, "-B", "-m", "pytest", "-p", "no:cacheprovider", "-n2", "--junitxml=own.xml"],
    });
    const early = () => run.failures.find(({ test_name }) => test_name === "test_early.py::test_early");
    await expect.poll(early, PATIENT).toBeDefined();
    await expect.poll(() => run.counts, PATIENT).toMatchObject({ total: 15 });
    expect(run.isOver).toBe(false);
    await project.write("go", "");
    const { end } = await run.executed;
    const own = await junitCounts(`${project.path}/own.xml`);
    expect(end).toMatchObject({ outcome: "failed", ...own.counts, passed: own.counts.passed + 1 });
    expect(own.counts).toEqual({ total: 15, done: 15, passed: 5, failed: 7, skipped: 3, errors: 2 });
  });
});
