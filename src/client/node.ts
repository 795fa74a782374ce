/**
 * The client for Node, whose versions below 22 have no WebSocket of their own. Everywhere else the same import gives
 * `mod.ts`.
 *
 * @module
 */
// @ts-types="@types/ws"
import { WebSocket } from "ws";
import { Client as BaseClient, type ClientOptions } from "./client.ts";
import type { Contract } from "../protocol/contract.ts";
import { MAX_FRAME_BYTES } from "./frames.ts";
import type { WebSocketClass } from "./link.ts";

export * from "./mod.ts";

/** Without them a message may have 100 MiB, however small it comes. */
const BOUNDS = { maxPayload: MAX_FRAME_BYTES, perMessageDeflate: false };

class BoundedWebSocket extends WebSocket {
  constructor(url: string, protocols: string[] = []) {
    super(url, protocols, BOUNDS);
  }
}

/** See `Client` of `client.ts`. */
export class Client<C extends Contract = Contract> extends BaseClient<C> {
  constructor(options: ClientOptions) {
    super(
      options.WebSocket || "WebSocket" in globalThis
        ? options
        : { ...options, WebSocket: BoundedWebSocket as unknown as WebSocketClass },
    );
  }
}

/** See `createClient` of `client.ts`. */
export function createClient<C extends Contract = Contract>(options: ClientOptions): Client<C> {
  return new Client(options);
}
