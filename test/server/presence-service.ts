/**
 * A service whose channels tell who is in them, and a clock that its clients can move, so that a lease ends when a test
 * wants it to.
 *
 * @module
 */
import * as v from "valibot";
import { createToken } from "../../src/auth/token.ts";
import { type Clock, systemClock } from "../../src/ports/clock.ts";
import { type Log, silentLog } from "../../src/ports/log.ts";
import { defineContract } from "../../src/protocol/contract.ts";
import { detectRuntime } from "../../src/runtimes/detect.ts";
import { RealtimeServer } from "../../src/server/realtime-server.ts";
import { defineService } from "../../src/service/define-service.ts";
import type { SettingsPart } from "../../src/settings/schema.ts";

const inDesk = v.object({ desk_id: v.string(), user_id: v.string() });

const contract = defineContract({
  name: "office",
  ports: { http: 18_770, websocket: 18_780 },
  channels: {
    desk: {
      description: "One desk, and who sits at it",
      id: "desk_id",
      presence: { joined: "desk.taken", left: "desk.left" },
    },
    board: { description: "A board that everybody may read", id: "board_id" },
  },
  events: {
    "desk.taken": { description: "A user has come to the desk", channels: ["desk"], data: inDesk },
    "desk.left": { description: "A user has left the desk", channels: ["desk"], data: inDesk },
  },
  requests: {
    pass_time: {
      description: "Move the monotonic clock on",
      access: "read",
      input: v.object({ seconds: v.number() }),
      output: v.object({}),
    },
  },
});

export const SECRET = "a secret of thirty-two characters";

/** Time that leases have to come back: long enough for any machine, since tests move the clock. */
export const LEASE_SECONDS = 60;

export async function startOffice(
  { settings = {}, log = silentLog }: { settings?: SettingsPart; log?: Log } = {},
) {
  let ahead = 0;
  const clock: Clock = {
    ...systemClock,
    monotonic: () => systemClock.monotonic() + ahead,
    // So that no test waits long for what is looked after from time to time.
    every: (intervalMs, work) => systemClock.every(intervalMs / 20, work),
  };
  const service = defineService({
    contract,
    createManager: () => ({}),
    createHandlers: () => ({
      pass_time({ seconds }) {
        ahead += seconds * 1_000;
        return {};
      },
    }),
  });
  const server = new RealtimeServer(service, {
    runtime: await detectRuntime({ log }),
    log,
    clock,
    settings: {
      ...settings,
      websocket: { port: 0, welcome: "off", message_rate_limit: 0, ...settings.websocket },
      http: { port: 0, ...settings.http },
      auth: { secret: SECRET, ...settings.auth },
      storage: { path: "none", ...settings.storage },
      presence: { lease_seconds: LEASE_SECONDS, ...settings.presence },
      // Whoever moves the clock on must not be taken for silent.
      heartbeat: { interval_ms: 3_600_000, timeout_ms: 3_600_000 },
      shutdown: { drain_ms: 200 },
    },
  });
  await server.start();
  return server;
}

export function tokenOf(userId: string, permissions: string[] = ["office:read"]): Promise<string> {
  return createToken({
    secret: SECRET,
    userId,
    permissions,
    expiresInSeconds: 3_600,
    clock: systemClock,
  });
}
