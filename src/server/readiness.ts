/**
 * `/ready`: whether the service can do its work now, which is more than being alive.
 *
 * @module
 */
import type { Canary } from "../broker/canary.ts";
import { type Clock, timestamp } from "../ports/clock.ts";
import type { JsonObject } from "../protocol/json.ts";

export interface ReadinessParts {
  readonly server: string;
  readonly clock: Clock;
  /** From the moment a stop begins until the service is open again. */
  readonly stopping: () => boolean;
  /** Null until the service is up. */
  readonly open: () => { readonly canary: Pick<Canary, "check">; isDiskFull(): boolean } | null;
}

export interface Readiness {
  readonly ready: boolean;
  readonly body: JsonObject;
}

export async function readinessOf(parts: ReadinessParts): Promise<Readiness> {
  const reason = await hindrance(parts);
  const told = { server: parts.server, timestamp: timestamp(parts.clock) };
  return reason === null
    ? { ready: true, body: { status: "ready", ...told } }
    : { ready: false, body: { status: "not_ready", reason, ...told } };
}

async function hindrance({ stopping, open }: ReadinessParts): Promise<string | null> {
  const core = open();
  if (!core) return stopping() ? "The service has stopped" : "The service is not up yet";
  if (stopping()) return "The service is stopping";
  if (core.isDiskFull()) return "Nothing can be kept: the disk is full";
  const verdict = await core.canary.check();
  // It may have begun to stop meanwhile.
  if (stopping()) return "The service is stopping";
  return verdict.alive ? null : verdict.reason;
}
