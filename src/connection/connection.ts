/**
 * One connected client, from the open socket to the last clean-up. Everything that a client's frame sets in motion
 * goes through one guard: whatever throws, now or later, is logged and answered, and never ends the process.
 *
 * @module
 */
import { AbuseWatch } from "../limits/abuse.ts";
import { rateLimitMessage, TokenBucket } from "../limits/token-bucket.ts";
import { AUTH_TEXTS } from "../auth/authenticate.ts";
import type { Broker } from "../broker/broker.ts";
import { ANONYMOUS, type Identity } from "../ports/call.ts";
import type { Cancel } from "../ports/clock.ts";
import { Frame, type Socket, type SocketReader } from "../ports/socket.ts";
import { CLOSE_CODES } from "../protocol/close-codes.ts";
import { correlationOf, decodeFrame, encodeFrame } from "../protocol/codec.ts";
import { type InboundFrame, MAX_OUTBOUND_FRAME_BYTES } from "../protocol/envelope.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import { traceFields } from "../protocol/traceparent.ts";
import type { Place, Subscription } from "../rooms/subscription.ts";
import { Authentication } from "./authentication.ts";
import type { Client } from "./client.ts";
import type { Pulse } from "./heartbeat.ts";
import type { ConnectionHost } from "./host.ts";
import { exceeds, Inbox, type InboxOwner, type Message } from "./inbox.ts";
import { DeliveryLedger } from "./ledger.ts";
import { Outbox, type OutboxOwner } from "./outbox.ts";
import { outboundFrame, type ReplyParts, tooLarge } from "./replies.ts";
import { Replays } from "./replays.ts";
import { Requests } from "./requests.ts";
import { subscribe, unsubscribe } from "./subscribe.ts";
import { answeredBeforeWelcome, GREETED, type Greeter, greeterOf, greeting } from "./welcome.ts";

/** How long a peer may take to finish the closing handshake, in milliseconds. */
const CLOSE_GRACE_MS = 5_000;

/**
 * There are very many, and most only listen: parts that not every connection needs are null until it does, parts that are
 * done are let go of, and parts call the connection itself instead of functions made for each.
 */
export class Connection implements Client, SocketReader, Pulse, InboxOwner, OutboxOwner {
  readonly id: string;
  readonly host: ConnectionHost;
  welcome: Greeter;
  readonly ledger = new DeliveryLedger();
  /** Monotonic milliseconds. */
  readonly connectedAt: number;
  lastAlive: number;
  pingedAt: number | null = null;
  identity: Identity = ANONYMOUS;
  /** True once no more frames are sent. */
  over = false;

  readonly #socket: Socket;
  readonly #outbox: Outbox;
  readonly #inbox: Inbox;
  readonly #bucket: TokenBucket;
  /** Null before the first refusal. */
  #abuse: AbuseWatch | null = null;
  /** Null unless the client must still say who it is. */
  #authentication: Authentication | null = null;
  /** Null before the first request. */
  #requests: Requests | null = null;
  /** Null while nothing is replayed. */
  #replays: Replays | null = null;
  #expiresAt: number | null = null;
  #killer: Cancel | null = null;
  #cleaned = false;

  constructor(id: string, socket: Socket, host: ConnectionHost) {
    const { settings, clock } = host;
    this.id = id;
    this.host = host;
    this.#socket = socket;
    this.connectedAt = clock.monotonic();
    this.lastAlive = this.connectedAt;
    this.#outbox = new Outbox(socket, host.flusher, settings.outboundQueueBytes, this);
    this.#inbox = new Inbox(socket, this);
    this.#bucket = new TokenBucket(settings.messageRate, this.connectedAt, settings.messageBurst);
    this.welcome = greeterOf(host, () => {
      this.welcome = GREETED;
      this.reply(greeting(this));
    });
  }

  get userId(): string | null {
    return this.identity.userId;
  }

  /** Bytes on their way to the client. */
  get outboundBytes(): number {
    return this.#outbox.bytes;
  }

  get remoteAddress(): string | null {
    return this.#socket.remoteAddress;
  }

  /** Begin. `token` is what the upgrade request proved, if it carried a token. */
  start(token: { identity: Identity; expiresAt: number | null } | null): void {
    if (token) this.identify(token.identity, token.expiresAt);
    if (!this.host.settings.authRequired || this.identity.authenticated) return this.opened();
    this.#authentication = new Authentication(this);
    this.#authentication.start();
  }

  // --- what the runtime calls ---

  message(data: Message): void {
    if (this.over) return;
    this.ledger.received++;
    const now = this.host.clock.monotonic();
    this.lastAlive = now;
    // The sweep comes once a second: what is asked in between would still be answered.
    if (this.#isExpired()) return this.sweep();
    if (exceeds(data, this.host.settings.messageBytes)) {
      this.host.metrics.tooLarge.add();
      return this.end(CLOSE_CODES.TOO_LARGE.code, "Message too large");
    }
    const admitted = this.#bucket.take(now);
    if (admitted === true) this.#inbox.push(data);
    else this.#refuseRate(data, admitted, now);
  }

  alive(): void {
    this.lastAlive = this.host.clock.monotonic();
  }

  closed(code: number, reason: string): void {
    this.over = true;
    this.#cleanUp(code, reason);
  }

  // --- what the heartbeat calls ---

  ping(): boolean {
    return this.#socket.ping();
  }

  dead(): void {
    if (!this.over) this.host.metrics.dead.add();
    this.end(CLOSE_CODES.INTERNAL.code, "No answer to ping");
    this.#socket.terminate();
  }

  sweep(): void {
    // Its answer to a ping would wait behind what we do not read.
    if (this.#inbox.paused) this.alive();
    if (this.#isExpired()) this.end(CLOSE_CODES.TOKEN_EXPIRED.code, "Token expired");
  }

  // --- sending ---

  /** Answer or tell the client something; one that does not fit into a frame becomes an error that says so. */
  reply(parts: ReplyParts): void {
    if (this.over) return;
    const frame = new Frame(encodeFrame(outboundFrame(parts, this.host.clock), parts.dataText));
    if (frame.bytes > MAX_OUTBOUND_FRAME_BYTES) {
      this.host.metrics.sendErrors.add();
      return this.reply(tooLarge(parts, frame.bytes));
    }
    this.host.metrics.sent[parts.type].add();
    this.#outbox.push(frame, "reply");
  }

  fail(frame: InboundFrame | null, correlationId: string | null, code: ErrorCode, message: string): void {
    this.host.metrics.error(code).add();
    this.reply({
      type: "error",
      event: frame?.event ?? null,
      correlationId,
      error: { code, message },
      traceparent: frame?.traceparent,
    });
  }

  deliver(frame: Frame, cause: symbol | undefined): void {
    if (this.over) return;
    if (this.#requests === null) this.#outbox.push(frame, "event");
    else this.#requests.deliver(frame, cause);
  }

  filtered(): void {
    this.ledger.filtered++;
  }

  settle(): void {
    this.#requests?.release();
    this.#outbox.release();
  }

  replay(subscription: Subscription, after: number, broker: Broker): void {
    const replays = this.#replays ??= new Replays(this, this.#outbox);
    void replays.start(subscription, after, broker).then(() => {
      // Only then, since what they may do in a tick they count over all that there are in it.
      this.host.clock.endOfTick(() => {
        if (this.#replays?.isIdle) this.#replays = null;
      });
    });
  }

  replayed(frame: Frame): void {
    if (this.#requests === null) this.#outbox.push(frame, "replay");
    else this.#requests.replayed(frame);
  }

  replaying(place: Place, wish: "join" | "leave"): Promise<unknown> | undefined {
    return this.#replays?.busy(place, wish);
  }

  gap(subscription: Subscription, gap: { from: number; to: number; cause: string }): void {
    this.host.metrics.gaps.add();
    this.ledger.gaps++;
    const position = this.host.broker?.position;
    this.reply({ type: "event", event: "gap", room: subscription.name, data: gap, ...position, seq: gap.to });
  }

  /** Tell a subscriber that filters how far it has seen everything. */
  position(subscription: Subscription, seq: number): void {
    if (this.#requests?.holds || this.#outbox.parks) {
      // It has not seen them yet: next time.
      subscription.unseen = Math.max(subscription.unseen, seq);
      return;
    }
    const { epoch = "" } = this.host.broker?.position ?? {};
    const room = subscription.name;
    this.reply({ type: "event", event: "position", room, data: { epoch, seq }, epoch, seq });
  }

  /** Take nothing more from the client. True while there is an answer to come. */
  finishing(): boolean {
    this.#inbox.hold();
    return this.#requests?.isAnswering ?? false;
  }

  /** End the connection from our side: what is pending is sent first, then the close frame. */
  end(code: number, reason: string): void {
    if (this.over) return;
    this.#outbox.close();
    // The last write may have found the reader too slow, which has ended the connection already.
    if (this.over) return;
    this.over = true;
    this.#socket.close(code, reason);
    this.#killer = this.host.clock.after(CLOSE_GRACE_MS, () => {
      this.#socket.terminate();
      this.#cleanUp(code, reason);
    });
    this.#release();
  }

  // --- what the outbox calls ---

  folded(): void {
    this.host.metrics.folded.add();
  }

  slow(leftoverBytes: number): void {
    this.host.metrics.slowConsumers.add();
    this.host.log.warn("Connection is too slow", { connection: this.id, leftover_bytes: leftoverBytes });
    this.end(CLOSE_CODES.SLOW_CONSUMER.code, "Too slow: resume from your last position");
  }

  // --- identity ---

  identify(identity: Identity, expiresAt: number | null): void {
    this.identity = identity;
    this.#expiresAt = expiresAt;
    this.host.hub.identified(this);
  }

  #isExpired(): boolean {
    return this.#expiresAt !== null && this.host.clock.now() >= this.#expiresAt;
  }

  opened(): void {
    this.#authentication = null;
    this.host.opened(this.id);
    this.welcome.start();
  }

  /** Leave the channels that the client's new token does not reach. */
  leaveForbidden(): void {
    for (const subscription of [...this.host.hub.subscriptions(this).values()]) {
      if (this.host.mayJoin(this.identity, subscription.kind)) continue;
      this.settle();
      this.host.hub.leave(this, subscription.name);
      const message = `Not authorized to subscribe to ${subscription.name}`;
      this.reply({ type: "error", room: subscription.name, error: { code: "FORBIDDEN", message } });
    }
  }

  // --- handling ---

  handle(message: Message): void {
    const decoded = decodeFrame(message);
    if (!decoded.ok) {
      this.host.metrics.decodeErrors.add();
      if (this.#authentication) return this.#authentication.refuse(AUTH_TEXTS.undecodable, null);
      this.welcome.now();
      return this.fail(null, decoded.id, "DECODE_ERROR", decoded.reason);
    }
    const frame = decoded.frame;
    const correlationId = correlationOf(frame, this.host.settings.correlation);
    this.host.metrics.received[frame.type].add();
    // Whatever throws, now or later, is answered.
    try {
      this.#take(frame, correlationId)?.catch((error) => this.#fault(frame, correlationId, error));
    } catch (error) {
      this.#fault(frame, correlationId, error);
    }
  }

  #take(frame: InboundFrame, correlationId: string | null): void | Promise<void> {
    if (this.#authentication) return this.#inOrder(this.#authentication.first(frame, correlationId));
    this.host.received(this.id, frame);
    return this.#route(frame, correlationId);
  }

  #route(frame: InboundFrame, correlationId: string | null): void | Promise<void> {
    const { type, event } = frame;
    if (type === "response" || type === "ack" || type === "pong" || type === "error") return;
    this.welcome.hold();
    const isAuth = type === "request" && event === "auth";
    if (!isAuth && !answeredBeforeWelcome(frame)) this.welcome.now();
    const name = type === "subscribe" || type === "unsubscribe" ? type : event;
    if (type === "ping") {
      this.reply({ type: "pong", event: "ping", correlationId, traceparent: frame.traceparent });
    } else if (name === "subscribe" || name === "unsubscribe") {
      const work = name === "subscribe" ? subscribe : unsubscribe;
      const answered = work(this, frame, correlationId);
      if (answered) return this.#inOrder(answered.then(() => this.welcome.now()));
    } else if (name === "ping") {
      this.reply({ type: "response", event: "ping", correlationId, traceparent: frame.traceparent });
    } else if (name === "auth") {
      return this.#inOrder(new Authentication(this).again(frame, correlationId, "authenticated"));
    } else if (name === "refresh_token") {
      return this.#inOrder(new Authentication(this).again(frame, correlationId, "refreshed"));
    } else {
      this.#requests ??= new Requests(this, this.#inbox, this.#outbox);
      return this.#requests.handle(frame, correlationId);
    }
    this.welcome.now();
  }

  /** Later frames of the client wait until this one has been dealt with. */
  #inOrder(work: Promise<void>): Promise<void> {
    this.#inbox.hold();
    return work.finally(() => this.#inbox.release());
  }

  #fault(frame: InboundFrame, correlationId: string | null, error: unknown): void {
    const id = crypto.randomUUID();
    const facts = { connection: this.id, fault: id, ...traceFields(frame.traceparent), error };
    this.host.log.error("A frame could not be handled", facts);
    this.fail(frame, correlationId, "SERVER_ERROR", `Internal error: the log explains it under ${id}`);
    this.welcome.now();
  }

  #refuseRate(data: Message, retryAfterSeconds: number, now: number): void {
    this.host.metrics.rateLimited.add();
    const decoded = decodeFrame(data);
    const correlationId = decoded.ok
      ? correlationOf(decoded.frame, this.host.settings.correlation)
      : decoded.id;
    this.fail(null, correlationId, "RATE_LIMIT_EXCEEDED", rateLimitMessage(retryAfterSeconds));
    const { abuseSeconds, messageRate } = this.host.settings;
    this.#abuse ??= new AbuseWatch(abuseSeconds, messageRate);
    if (!this.#abuse.refused(now)) return;
    this.host.metrics.abuse.add();
    this.end(CLOSE_CODES.ABUSE.code, "Message rate abused");
  }

  /** Let go of all that others hold of this connection. */
  #release(): void {
    this.welcome.stop();
    this.#authentication?.stop();
    this.#inbox.close();
    this.#requests?.close();
    this.host.hub.leaveAll(this);
  }

  #cleanUp(code: number, reason: string): void {
    if (this.#cleaned) return;
    this.#cleaned = true;
    this.#killer?.();
    this.#release();
    this.#outbox.discard();
    const lifetimeMs = this.host.clock.monotonic() - this.connectedAt;
    this.host.metrics.lifetime.observe(lifetimeMs / 1_000);
    const seconds = Math.round(lifetimeMs / 100) / 10;
    this.host.log.info("Client disconnected", {
      connection: this.id,
      code,
      reason,
      seconds,
      ...this.ledger.summary(),
    });
    this.host.closed(this.id);
  }
}
