import { spawnSync } from "node:child_process";
import { mkdir, symlink, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { files } from "../../../../src/runtimes/files.ts";
import { workspace } from "../../../../src/runtimes/workspace.ts";
import { readReport } from "../../../../services/crackerjack/domain/report-text.ts";
import { findCoverage } from "../../../../services/crackerjack/domain/run-report.ts";
import { pythonPath, requireOrSkip } from "../../../support/require.ts";
import { makeProject } from "../project-folder.ts";
import { startExecution } from "../started-execution.ts";

const PATIENT = { timeout: 60_000 };
const parts = { files, workspace, reportBytes: 1_048_576 };

const lcov = (hit: number) => `SF:a.js\nDA:1,1\nLF:100\nLH:${hit}\nend_of_record\n`;

describe("findCoverage", () => {
  test.each([
    ["coverage/lcov.info", lcov(10), "lcov"],
    ["lcov.info", lcov(10), "lcov"],
    ["coverage.lcov", lcov(10), "lcov"],
    ["coverage.xml", `<coverage line-rate="0.1"/>`, "cobertura"],
    ["coverage/cobertura-coverage.xml", `<coverage line-rate="0.1"/>`, "cobertura"],
    ["cobertura.xml", `<coverage line-rate="0.1"/>`, "cobertura"],
    ["coverage/coverage-summary.json", `{"total":{"lines":{"total":10,"covered":1}}}`, "istanbul"],
  ])("finds %s", async (path, text, format) => {
    const project = await makeProject({ [path]: text });
    expect(await findCoverage(parts, project.path, [], 0)).toMatchObject({
      coverage: { line_coverage: 10, format },
      error: null,
    });
  });

  test("looks at the configured paths first, in their order", async () => {
    const project = await makeProject({ "lcov.info": lcov(1), "b.info": lcov(2), "c.info": lcov(3) });
    const found = await findCoverage(parts, project.path, ["a.info", "b.info", "c.info"], 0);
    expect(found).toMatchObject({ coverage: { line_coverage: 2 }, error: null });
  });

  test("passes over what was there before the run", async () => {
    const project = await makeProject({
      "lcov.info": lcov(1),
      "coverage.xml": `<coverage line-rate="0.5"/>`,
    });
    await utimes(join(project.path, "lcov.info"), 1_000, 1_000);
    expect(await findCoverage(parts, project.path, [], 2_000_000)).toMatchObject({
      coverage: { line_coverage: 50 },
    });
    expect(await findCoverage(parts, project.path, [], Date.now() + 1e9)).toEqual({
      coverage: null,
      error: null,
    });
  });

  test("says what it could not read, and goes on with the next", async () => {
    const project = await makeProject({ "coverage/lcov.info": "SF:a\nDA:1,1\n", "lcov.info": lcov(7) });
    expect(await findCoverage(parts, project.path, [], 0)).toMatchObject({
      coverage: { line_coverage: 7 },
      error: expect.stringMatching(/^Cannot read the lcov report: .*cut short/),
    });
  });

  test("is none, without an error, where there is none", async () => {
    const { path } = await makeProject();
    expect(await findCoverage(parts, path, ["x"], 0)).toEqual({ coverage: null, error: null });
  });

  test("does not follow a path or a link out of the project", async () => {
    const above = await makeProject({ "lcov.info": lcov(1), "own/x": "" });
    const own = join(above.path, "own");
    await symlink(join(above.path, "lcov.info"), join(own, "lcov.info"));
    for (const configured of [[], ["../lcov.info"], [join(above.path, "lcov.info")]]) {
      expect(await findCoverage(parts, own, configured, 0)).toEqual({
        coverage: null,
        error: expect.stringMatching(/leads outside the project's folder$/),
      });
    }
  });
});

describe("readReport", () => {
  test("refuses 100 MB by its size, without reading it", async () => {
    const project = await makeProject({ "big.xml": "" });
    const path = join(project.path, "big.xml");
    await truncate(path, 100_000_000);
    await expect(readReport(workspace, path, 16_777_216)).rejects.toThrow(
      `Cannot read the report "${path}": expected at most 16777216 bytes (setting report_bytes), got 100000000`,
    );
  });

  test("refuses what is not there and what is no file", async () => {
    const project = await makeProject();
    await mkdir(join(project.path, "folder"));
    await expect(readReport(workspace, join(project.path, "none"), 9)).rejects.toThrow(/it is not there$/);
    await expect(readReport(workspace, join(project.path, "folder"), 9)).rejects.toThrow(/expected a file$/);
    await expect(readReport(workspace, "/dev/zero", 9)).rejects.toThrow(/expected a file$/);
  });

  test.skipIf(process.platform === "win32")("does not wait for a pipe that nobody writes to", async () => {
    const project = await makeProject();
    const path = join(project.path, "pipe");
    expect(spawnSync("mkfifo", [path]).status).toBe(0);
    await expect(readReport(workspace, path, 9)).rejects.toThrow(/expected a file$/);
  });

  test("reads what is not UTF-8 as far as it goes", async () => {
    const project = await makeProject();
    const path = join(project.path, "a");
    await writeFile(path, new Uint8Array([0xff, 97, 98]));
    expect(await readReport(workspace, path, 3)).toBe("\uFFFDab");
  });
});

describe("coverage that real runs leave", PATIENT, () => {
  const python = pythonPath(["pytest", "pytest_cov"]);
  const hasCov = requireOrSkip("pytest-cov", python !== undefined, "run .venv/bin/pip install pytest-cov");

  /** Of its four lines a test of 1 runs three, of its two branches one. */
  const SIGN = "def sign(n):\n    if n < 0:\n        return -1\n    return 1\n";

  test.runIf(hasCov).each(["xml", "lcov"])("pytest-cov: %s", async (format) => {
    const project = await makeProject({
      "pytest.ini": "[pytest]",
      "sign.py": SIGN,
      "test_sign.py": "from sign import sign\n\ndef test_sign():\n    assert sign(1) == 1\n",
    });
    const command = [python!, "-B", "-m", "pytest", "-p", "no:cacheprovider", "--cov=sign", "--cov-branch"];
    const run = startExecution({ path: project.path, command: [...command, `--cov-report=${format}`] });
    const { end, since } = await run.executed;
    expect(end).toMatchObject({ outcome: "passed", done: 1 });
    const { coverage, error } = await findCoverage(parts, project.path, [], since!);
    expect(error).toBeNull();
    expect(coverage).toEqual({
      line_coverage: 75,
      branch_coverage: 50,
      path_coverage: null,
      files: 1,
      format: format === "xml" ? "cobertura" : "lcov",
    });
  });

  test("node --test: lcov", async () => {
    const project = await makeProject({
      "sign.mjs": "export function sign(n) {\n  if (n < 0) {\n    return -1;\n  }\n  return 1;\n}\n",
      "test/sign.test.mjs": `import { test } from "node:test";
import { sign } from "../sign.mjs";
test("sign", () => { if (sign(1) !== 1) throw new Error("no"); });
`,
    });
    const run = startExecution({
      path: project.path,
      command: [
        "node",
        "--test",
        "--experimental-test-coverage",
        "--test-reporter=lcov",
        "--test-reporter-destination=lcov.info",
      ],
    });
    const { end, since } = await run.executed;
    expect(end).toMatchObject({ outcome: "passed", done: 1 });
    const { coverage, error } = await findCoverage(parts, project.path, [], since!);
    expect(error).toBeNull();
    expect(coverage).toMatchObject({ format: "lcov" });
    // Whether Node counts the tests' own files as well depends on its version.
    expect([1, 2]).toContain(coverage!.files);
    expect(coverage!.line_coverage).toBeGreaterThan(60);
    expect(coverage!.line_coverage).toBeLessThan(90);
  });
});
