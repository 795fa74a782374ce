/**
 * A connection, as its own parts see it: who it is, how to answer it, how to end it.
 *
 * @module
 */
import type { Broker } from "../broker/broker.ts";
import type { Identity } from "../ports/call.ts";
import type { Frame } from "../ports/socket.ts";
import type { InboundFrame } from "../protocol/envelope.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import type { Member, Place, Subscription } from "../rooms/subscription.ts";
import type { ConnectionHost } from "./host.ts";
import type { DeliveryLedger } from "./ledger.ts";
import type { ReplyParts } from "./replies.ts";
import type { Greeter } from "./welcome.ts";

export interface Client extends Member {
  readonly host: ConnectionHost;
  readonly identity: Identity;
  readonly welcome: Greeter;
  readonly ledger: DeliveryLedger;
  /** True once no more frames are sent. */
  readonly over: boolean;
  reply(parts: ReplyParts): void;
  /** Answer with an error. `frame` is what it is about, null where that is nobody's business. */
  fail(frame: InboundFrame | null, correlationId: string | null, code: ErrorCode, message: string): void;
  /** Send every event that waits for an answer or for a slow reader, before the client is told of its place. */
  settle(): void;
  /** Bring a subscription from a seq to the present and let it go live: see `Replays.start`. */
  replay(subscription: Subscription, after: number, broker: Broker): void;
  /** Send an event of the past. */
  replayed(frame: Frame): void;
  /** Resolves when no replay is under way that joining or leaving a place would disturb: see `Replays.busy`. */
  replaying(place: Place, wish: "join" | "leave"): Promise<unknown> | undefined;
  /** Say that events of a subscription cannot be had any more. */
  gap(subscription: Subscription, gap: { from: number; to: number; cause: string }): void;
  identify(identity: Identity, expiresAt: number | null): void;
  /** The client may take part. */
  opened(): void;
  /** Leave the channels that the client's identity does not reach. */
  leaveForbidden(): void;
  end(code: number, reason: string): void;
}
