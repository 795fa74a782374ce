/**
 * The official conformance suite against a server that has all that the suite asks for by name.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasRuntime, type Program, startProgram } from "../support/start-program.ts";
import { faultsOf, readLeftOut } from "./left-out.ts";
import { hasSuite, listScenarios, tryScenarios } from "./scenarios.ts";

describe.runIf(hasSuite()).each(["node", "deno", "bun"] as const)(
  "the conformance suite on %s",
  (runtime) => {
    describe.runIf(hasRuntime(runtime))("and the fixture server", () => {
      let server: Program<{ url: string }>;
      let scenarios: readonly string[];
      beforeAll(async () => {
        [server, scenarios] = await Promise.all([
          startProgram<{ url: string }>(runtime, "test/mcp-conformance/fixture-server.ts"),
          listScenarios(),
        ]);
      }, 60_000);
      afterAll(() => server?.stop());

      it("passes, but for what is left out for a reason", async () => {
        const findings = await tryScenarios(server.ready.url);
        expect(faultsOf(scenarios, findings, (await readLeftOut()).fixture)).toEqual([]);
      }, 120_000);
    });
  },
);
