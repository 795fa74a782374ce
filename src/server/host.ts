/**
 * What a server's HTTP routes need of it.
 *
 * @module
 */
import type { OriginRule } from "../auth/origin.ts";
import type { Verify } from "../auth/token.ts";
import type { Identity } from "../ports/call.ts";
import type { Log } from "../ports/log.ts";
import type { Runtime } from "../ports/runtime.ts";
import type { Accept } from "../ports/socket.ts";
import type { Access, Contract } from "../protocol/contract.ts";
import type { JsonObject } from "../protocol/json.ts";
import type { McpEndpoint } from "../mcp/transport.ts";
import type { Dispatch } from "../service/dispatch.ts";
import type { HttpRoute } from "../service/http-route.ts";
import type { Settings } from "../settings/schema.ts";
import type { Caller } from "./identify.ts";

export interface AppHost {
  readonly contract: Contract;
  readonly settings: Settings;
  readonly log: Log;
  readonly verify: Verify | null;
  /** @throws {TypeError} where the server was given none. */
  runtime(): Runtime;
  /** Changes when the ports are known. */
  originRule(): OriginRule;
  /** Null until the service is up. */
  dispatch(): Dispatch | null;
  /** Routes of the service itself. */
  readonly routes: readonly HttpRoute<unknown>[];
  /** What these are handled by; null until the service is up. */
  manager(): unknown;
  mayAccess(identity: Identity, access: Access): boolean;
  /** Another one after each start. */
  mcp(): McpEndpoint;
  /** Takes an upgraded socket over. */
  accept(caller: Caller): Accept;
  health(): JsonObject;
  metrics(): Promise<{ text: string; contentType: string }>;
}
