/**
 * What the suite has to know of a service. Everything else it asks the service itself.
 *
 * @module
 */
import type { JsonObject } from "../../src/protocol/json.ts";
import type { ServerOptions } from "../../src/server/realtime-server.ts";
import type { RealtimeServer } from "../../src/server/realtime-server.ts";

/** A request as it stands in a frame. */
export interface SampleRequest {
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface ServiceDescription {
  readonly name: string;
  // deno-lint-ignore no-explicit-any
  readonly Server: new (options?: ServerOptions<any>) => RealtimeServer<any, any>;
  /** Its two ports, where nobody says otherwise. */
  readonly ports: { readonly http: number; readonly websocket: number };
  /** Name of the welcome event. */
  readonly welcome: string;
  /** A channel with an id. */
  readonly channel: string;
  /** The service's own block of the settings, given a temporary folder that it may fill. Default: nothing is said. */
  readonly own?: (folder: string) => JsonObject | Promise<JsonObject>;
  /** What must have happened before `trigger` can succeed. */
  readonly prepare: readonly SampleRequest[];
  /** The nth request that makes one `event` happen on `channel`, once each. */
  readonly trigger: (n: number) => SampleRequest;
  readonly event: string;
  /** Fields that the nth event's data has, with these values. */
  readonly shows: (n: number) => Readonly<Record<string, unknown>>;
}
