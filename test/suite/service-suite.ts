/**
 * What every service promises to the clients that exist, said once: `serviceSuite({ … })` in a test file of the service.
 *
 * @module
 */
import { describe } from "vitest";
import { channelPermissionTests } from "./channel-permission-tests.ts";
import { healthTests } from "./health-tests.ts";
import { internalsTests } from "./internals-tests.ts";
import { originTests } from "./origin-tests.ts";
import { permissionTests } from "./permission-tests.ts";
import { planTests } from "./plan-tests.ts";
import { pythonTests } from "./python-tests.ts";
import type { ServiceDescription } from "./service-description.ts";

export function serviceSuite(service: ServiceDescription): void {
  describe(`${service.name} and the clients that exist`, () => {
    planTests(service);
    healthTests(service);
    originTests(service);
    permissionTests(service);
    channelPermissionTests(service);
    internalsTests(service);
    pythonTests(service);
  });
}
