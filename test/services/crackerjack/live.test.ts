import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CrackerjackWebSocketServer } from "../../../services/crackerjack/mod.ts";
import { FrameClient } from "../../support/frame-client.ts";
import { pythonPath, requireOrSkip } from "../../support/require.ts";
import { type RunningService, startService } from "../../suite/running-service.ts";

const modules = fileURLToPath(new URL("../../../node_modules", import.meta.url));

/** The last test of each goes on until `seen` is in the folder, which is written when its failure was heard. */
const NODE = `
import assert from "node:assert"; import { existsSync } from "node:fs"; import test from "node:test";
test("fails", () => assert.fail("as it should"));
test("waits", async () => { while (!existsSync("seen")) await new Promise((wake) => setTimeout(wake, 10)); });
`;
// Vitest itself keeps an update back until the next one where its timer fires in the very millisecond that its interval
// ends: while a test is held, annotations of it make next ones.
const VITEST = `
import { existsSync } from "node:fs"; import { expect, test } from "vitest";
test("fails", () => expect.unreachable("as it should"));
test("waits", async ({ annotate }) => {
  while (!existsSync("seen")) {
    await new Promise((wake) => setTimeout(wake, 250));
    await annotate("still held");
  }
});
`;
const PYTEST = `
import os, time

def test_fails():
    assert 1 == 2, "as it should"

def test_waits():
    while not os.path.exists("seen"):
        time.sleep(0.01)
`;

const python = pythonPath(["pytest"]);
const hasPytest = requireOrSkip("pytest", python !== undefined, "python3 -m pip install pytest");

describe("a failed test", { timeout: 60_000 }, () => {
  let running: RunningService;
  let folder: string;
  beforeAll(async () => {
    running = await startService({
      name: "crackerjack",
      Server: CrackerjackWebSocketServer,
      async own(path) {
        folder = path;
        await make("with-node", { "a.test.mjs": NODE, "package.json": `{"scripts":{"test":"node --test"}}` });
        await make("with-vitest", {
          "a.test.mjs": VITEST,
          // Its own limit of 5 seconds is nothing on a busy machine.
          "vitest.config.mjs": "export default { test: { testTimeout: 60_000 } }",
          "package.json": "{}",
        });
        await symlink(modules, join(path, "with-vitest/node_modules"), "dir");
        await make("with-pytest", {
          "test_a.py": PYTEST,
          "pytest.ini": "[pytest]\naddopts = -p no:cacheprovider\n",
        });
        const pytest = { path: "with-pytest", command: [python ?? "python3", "-m", "pytest"] };
        return { roots: [path], projects: { "with-pytest": pytest } };
      },
    });
  });
  afterAll(() => running.stop());

  async function make(name: string, files: Readonly<Record<string, string>>): Promise<void> {
    await mkdir(join(folder, name));
    for (const [file, text] of Object.entries(files)) await writeFile(join(folder, name, file), text);
  }

  async function holds(project: string, failed: string, message: string): Promise<void> {
    const client = await FrameClient.open(running.url);
    await client.request("subscribe", { channel: "global" });
    await client.request("subscribe", { channel: "test:*" });
    const { data: { run_id } } = await client.request("run_tests", { project });
    const room = `test:${run_id}`;
    await client.event("test.started", room);
    const failure = await client.event("test.failed", room);
    expect(failure.data).toMatchObject({ project, error: expect.stringContaining(message) });
    expect(failure.data.test_name).toContain(failed);
    // The run is held open by its other test.
    expect((await client.request("get_test_status", { run_id })).data).toMatchObject({
      status: "running",
      done: 1,
      failed: 1,
    });
    await writeFile(join(folder, project, "seen"), "");
    expect((await client.event("test.completed", room)).data).toMatchObject({
      outcome: "failed",
      tests_completed: 2,
      tests_failed: 1,
    });
    await client.event("quality_gate.checked", "global");
    expect(client.events(room).map(({ event }) => event)).toEqual([
      "test.started",
      "test.failed",
      "test.completed",
    ]);
    expect(client.events("global").map(({ event }) => event)).toEqual([
      "test.started",
      "test.completed",
      "quality_gate.checked",
    ]);
    await client.close();
  }

  it("of node --test is told while the run goes on", () => holds("with-node", "fails", "as it should"));

  it("of Vitest is told while the run goes on", () => holds("with-vitest", "fails", "as it should"));

  it.runIf(hasPytest)(
    "of pytest is told while the run goes on",
    () => holds("with-pytest", "test_fails", "as it should"),
  );
});
