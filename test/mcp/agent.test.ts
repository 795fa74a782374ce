/**
 * Agents at work: they start something, wait for its end by one call, and do not poll. Real processes, real tests, the MCP
 * package's own client.
 */
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { useBuiltScratch } from "../support/built-scratch.ts";
import { serve, type Serving } from "../support/serve-process.ts";
import { hasRuntime, type RuntimeName } from "../support/start-program.ts";
import { connectClient, type ConnectedClient, type ToolAnswer } from "./mcp-client.ts";

const modules = fileURLToPath(new URL("../../node_modules", import.meta.url));

const TESTS = `
import { expect, test } from "vitest";
test("adds", () => expect(1 + 1).toBe(2));
test("multiplies", () => expect(2 * 3).toBe(6));
test("divides", () => expect(1 / 0).toBe(0));
test.skip("takes roots", () => {});
`;
const LCOV = "TN:\nSF:a.js\nLF:10\nLH:9\nend_of_record\n";

const scratch = useBuiltScratch();

/** One who talks to the service by tools, and counts the calls. */
interface Agent extends ConnectedClient {
  readonly calls: string[];
}

const agents: Agent[] = [];
let program: Serving | null = null;
afterEach(async () => {
  for (const { client } of agents.splice(0)) await client.close();
  program?.kill("SIGTERM");
  await program?.ended;
  program = null;
});

async function hire(url: string): Promise<Agent> {
  const connected = await connectClient(url);
  // From here on every answer is held against the output schema of its tool.
  await connected.client.listTools();
  const calls: string[] = [];
  const call = (name: string, data: Record<string, unknown> = {}): Promise<ToolAnswer> => {
    calls.push(name);
    return connected.call(name, data);
  };
  const agent = { ...connected, call, calls };
  agents.push(agent);
  return agent;
}

/** A project whose tests Vitest runs, and another that nothing is run of. */
async function makeProjects(name: string): Promise<string> {
  const folder = join(scratch.folder, name);
  await mkdir(join(folder, "calculator"), { recursive: true });
  await mkdir(join(folder, "other"));
  await writeFile(join(folder, "calculator/a.test.mjs"), TESTS);
  await writeFile(join(folder, "calculator/package.json"), "{}");
  await writeFile(join(folder, "calculator/vitest.config.mjs"), "export default {}");
  await symlink(modules, join(folder, "calculator/node_modules"), "dir");
  const settings = join(folder, "settings.yaml");
  const projects = { other: { path: "other", command: ["node", "--version"] } };
  // JSON is YAML.
  await writeFile(settings, JSON.stringify({ crackerjack: { roots: [folder], projects } }));
  return settings;
}

const runtimes = (["node", "deno", "bun"] as const).filter((name) => hasRuntime(name));

describe.each(runtimes)("agents of crackerjack on %s", (runtime: RuntimeName) => {
  it("learn the result of a run by two calls, and disturb nobody who waits for another thing", {
    timeout: 120_000,
  }, async () => {
    const settings = await makeProjects(runtime);
    const args = ["crackerjack", "--settings", settings, ...scratch.flags(`agent-${runtime}`)];
    program = await serve(runtime, { args, lifetimeMs: 110_000 });
    const [tester, watcher] = [await hire(program.mcp), await hire(program.mcp)];

    let isDisturbed = false;
    const watching = watcher.call("wait_for_event", { channel: "quality:other", timeout: 45 })
      .finally(() => isDisturbed = true);

    const run = (await tester.call("run_tests", { project: "calculator" })).structuredContent!;
    const { structuredContent: end } = await tester.call("wait_for_event", {
      channel: `test:${run["run_id"]}`,
      events: ["test.completed"],
      since: "start",
      timeout: 45,
    });
    expect(end).toMatchObject({
      outcome: "matched",
      event: {
        channel: `test:${run["run_id"]}`,
        event: "test.completed",
        data: {
          project: "calculator",
          outcome: "failed",
          tests_completed: 4,
          tests_failed: 1,
          tests_skipped: 1,
          exit_code: 1,
        },
        source: `crackerjack test:${run["run_id"]}`,
      },
    });
    expect(tester.calls).toEqual(["run_tests", "wait_for_event"]);

    expect(isDisturbed).toBe(false);
    const reporter = await hire(program.mcp);
    await reporter.call("report_coverage", { project: "other", content: LCOV });
    expect((await watching).structuredContent).toMatchObject({
      outcome: "matched",
      event: { event: "coverage.updated", data: { project: "other" } },
    });
    expect(watcher.calls).toEqual(["wait_for_event"]);

    // A third call, for who wants to know what failed.
    const { structuredContent: story } = await tester.call("read_events", {
      channel: `test:${run["run_id"]}`,
      since: "start",
    });
    const events = story!["events"] as { event: string; data: Record<string, unknown> }[];
    expect(events.map(({ event }) => event)).toEqual(["test.started", "test.failed", "test.completed"]);
    expect(events[1]!.data).toMatchObject({ test_name: expect.stringContaining("divides") });
  });
});
