/**
 * The Inspector's command line, as somebody uses it who tries a server out: it lists the tools of each service, and calls
 * each of them.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AllServices, SERVICE_NAMES, startAllServices } from "./all-services.ts";
import { exampleCalls } from "./example-calls.ts";
import { hasRuntime } from "../support/start-program.ts";
import { hasInspector, Inspector } from "./inspector.ts";

describe.runIf(hasInspector())("the Inspector's command line", () => {
  let services: AllServices;
  beforeAll(async () => {
    services = await startAllServices();
  }, 180_000);
  afterAll(() => services?.stop());

  // A service's calls follow one another; most of each is waiting for the Inspector to load.
  it.concurrent.each(SERVICE_NAMES)("lists and calls every tool of %s", async (name) => {
    // The service with the fewest tools is asked as a user's machine would ask, the others in half the time.
    const runtime = name === "akosha" || !hasRuntime("bun") ? "node" : "bun";
    const inspector = new Inspector(services.addresses.get(name)!.mcp, runtime);
    const calls = exampleCalls(name);
    const listed = (await inspector.listTools()).map((tool) => tool.name);
    expect(calls.map(({ tool }) => tool).sort()).toEqual([...listed].sort());

    const answers = new Map<string, Record<string, unknown>>();
    for (const { tool, data } of calls) {
      const answer = await inspector.callTool(tool, typeof data === "function" ? data(answers) : data);
      expect(answer, tool).toMatchObject({ structuredContent: expect.any(Object) });
      expect(answer.isError, tool).not.toBe(true);
      answers.set(tool, answer.structuredContent!);
    }
  }, 480_000);

  it("shows the refusal of a tool as an error with a code, and what to do", async () => {
    const inspector = new Inspector(services.addresses.get("session-buddy")!.mcp, "node");
    const answer = await inspector.callTool("get_session", { session_id: "nowhere" });
    expect(answer).toMatchObject({ isError: true, _meta: { error_code: "NOT_FOUND", retryable: false } });
    expect(answer.content[0]!.text).toContain("check the ids that it names");
  }, 120_000);
});
