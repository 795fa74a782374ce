/**
 * The official conformance suite against the six services as real processes.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AllServices, SERVICE_NAMES, startAllServices } from "./all-services.ts";
import { faultsOf, readLeftOut } from "./left-out.ts";
import { hasSuite, listScenarios, tryScenarios } from "./scenarios.ts";

describe.runIf(hasSuite())("the conformance suite", () => {
  let services: AllServices;
  let scenarios: readonly string[];
  beforeAll(async () => {
    [services, scenarios] = await Promise.all([startAllServices(), listScenarios()]);
  }, 180_000);
  afterAll(() => services?.stop());

  it.concurrent.each(SERVICE_NAMES)(
    "passes against %s, but for what is left out for a reason",
    async (name) => {
      const findings = await tryScenarios(services.addresses.get(name)!.mcp);
      expect(faultsOf(scenarios, findings, (await readLeftOut()).services)).toEqual([]);
    },
    120_000,
  );
});
