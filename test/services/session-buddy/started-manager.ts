/**
 * A manager of session-buddy on a clock that tests move. See `test/support/started-manager.ts`.
 *
 * @module
 */
import type { SessionBuddyContract } from "../../../services/session-buddy/contract.ts";
import type { SessionBuddyManager } from "../../../services/session-buddy/manager.ts";
import { sessionBuddyService } from "../../../services/session-buddy/server.ts";
import { type Log, silentLog } from "../../../src/ports/log.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import * as generic from "../../support/started-manager.ts";

export type Started = generic.Started<SessionBuddyContract, SessionBuddyManager> & {
  readonly clock: FakeClock;
};

export async function startManager(log: Log = silentLog): Promise<Started> {
  const clock = new FakeClock();
  return Object.assign(await generic.startManager(sessionBuddyService, { clock, log }), { clock });
}
