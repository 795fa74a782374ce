/**
 * What every service promises to the clients that exist, said once: `serviceSuite({ … })` in a test file of the service.
 *
 * @module
 */
import { describe } from "vitest";
import { healthTests } from "./health-tests.ts";
import { permissionTests } from "./permission-tests.ts";
import { planTests } from "./plan-tests.ts";
import { pythonTests } from "./python-tests.ts";
import type { ServiceDescription } from "./service-description.ts";

export function serviceSuite(service: ServiceDescription): void {
  describe(`${service.name} and the clients that exist`, () => {
    planTests(service);
    healthTests(service);
    permissionTests(service);
    pythonTests(service);
  });
}
