/**
 * What a server's HTTP routes need of it.
 *
 * @module
 */
import type { OriginRule } from "../auth/origin.ts";
import type { Verify } from "../auth/token.ts";
import type { Prometheus } from "../metrics/prometheus.ts";
import type { Identity } from "../ports/call.ts";
import type { Log } from "../ports/log.ts";
import type { Runtime } from "../ports/runtime.ts";
import type { Accept } from "../ports/socket.ts";
import type { Access, Contract } from "../protocol/contract.ts";
import type { JsonObject } from "../protocol/json.ts";
import type { McpEndpoint } from "../mcp/transport.ts";
import type { Hub } from "../rooms/hub.ts";
import type { HttpRoute } from "../service/http-route.ts";
import type { Settings } from "../settings/schema.ts";
import type { OpenService } from "./core.ts";
import type { HttpLimitsHost } from "./http-limits.ts";
import type { Caller, TurnsAway } from "./identify.ts";
import type { Readiness } from "./readiness.ts";

export interface AppHost extends HttpLimitsHost, TurnsAway {
  readonly contract: Contract;
  readonly settings: Settings;
  readonly log: Log;
  readonly hub: Hub;
  readonly verify: Verify | null;
  /** @throws {TypeError} where the server was given none. */
  runtime(): Runtime;
  /** Changes when the ports are known. */
  originRule(): OriginRule;
  /** Null until the service is up. */
  open(): OpenService | null;
  /** Routes of the service itself. */
  readonly routes: readonly HttpRoute<unknown>[];
  mayAccess(identity: Identity, access: Access): boolean;
  mayJoin(identity: Identity, kind: string): boolean;
  /** Another one after each start. */
  mcp(): McpEndpoint;
  /** Takes an upgraded socket over. */
  accept(caller: Caller): Accept;
  health(): JsonObject;
  readiness(): Promise<Readiness>;
  readonly prometheus: Pick<Prometheus, "text" | "contentType">;
}
