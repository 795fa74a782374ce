/**
 * A manager of excalidraw on a clock that tests move. See `test/support/started-manager.ts`.
 *
 * @module
 */
import type { ExcalidrawContract } from "../../../services/excalidraw/contract.ts";
import type { ExcalidrawManager } from "../../../services/excalidraw/manager.ts";
import { excalidrawService } from "../../../services/excalidraw/server.ts";
import { ANONYMOUS, type Call, type Identity, localCall } from "../../../src/ports/call.ts";
import { lineLog } from "../../../src/ports/log.ts";
import type { JsonObject } from "../../../src/protocol/json.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import * as generic from "../../support/started-manager.ts";

export interface Started extends generic.Started<ExcalidrawContract, ExcalidrawManager> {
  readonly clock: FakeClock;
  /** Lines of the log so far. */
  readonly log: readonly string[];
  /** Events since the last call, as `event user_id` of a user's coming and going. */
  cameAndLeft(): string[];
}

export async function startManager(
  settings: JsonObject = {},
  { authRequired = false }: { readonly authRequired?: boolean } = {},
): Promise<Started> {
  const clock = new FakeClock();
  const log: string[] = [];
  const started = await generic.startManager(excalidrawService, {
    clock,
    authRequired,
    log: lineLog({ level: "debug", write: (line) => log.push(line) }),
    settings: () => settings,
  });
  return Object.assign(started, {
    clock,
    log,
    cameAndLeft: () =>
      started.told().filter(({ event }) => event.startsWith("user."))
        .map(({ event, data }) => `${event.slice(5)} ${data.user_id}`),
  });
}

/** A call of a connection that nobody has named, or of a user. */
export function callOf(connectionId: string | null, userId: string | null = null): Call {
  const identity: Identity = userId === null ? ANONYMOUS : { userId, permissions: [], authenticated: true };
  return { ...localCall(), identity, connectionId, door: connectionId === null ? "http" : "websocket" };
}

/** An element as editors make them. */
export function box(id: string, version = 1, more: JsonObject = {}) {
  return { id, type: "rectangle", x: 0, y: 0, version, versionNonce: version, isDeleted: false, ...more };
}
