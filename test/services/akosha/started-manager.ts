/**
 * A manager of akosha on a clock that stands still. See `test/support/started-manager.ts`.
 *
 * @module
 */
import type { AkoshaContract } from "../../../services/akosha/contract.ts";
import type { AkoshaManager } from "../../../services/akosha/manager.ts";
import { akoshaService } from "../../../services/akosha/server.ts";
import type { Log } from "../../../src/ports/log.ts";
import type { JsonObject } from "../../../src/protocol/json.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import * as generic from "../../support/started-manager.ts";

export interface Started extends generic.Started<AkoshaContract, AkoshaManager> {
  readonly clock: FakeClock;
  /** Values of a metric, one a second, which end now by the clock. Events that are told by it, by their names. */
  feed(metric: string, values: readonly number[], more?: object): Promise<string[]>;
}

/** @param settings without feeds, unless they say otherwise */
export async function startManager(settings: JsonObject = {}, log?: Log): Promise<Started> {
  const clock = new FakeClock();
  const started = await generic.startManager(akoshaService, {
    clock,
    ...log && { log },
    settings: () => ({ feeds: {}, ...settings }),
  });
  return Object.assign(started, {
    clock,
    async feed(metric: string, values: readonly number[], more: object = {}) {
      started.told();
      for (const value of values) {
        clock.advance(1_000);
        await started.request("record_observations", { observations: [{ metric, value, ...more }] });
      }
      return started.told().map(({ event }) => event).filter((event) => event !== "aggregation.completed");
    },
  });
}
