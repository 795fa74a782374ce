/**
 * Requests of one client, and the order between an answer and what the request has caused: the answer leaves before
 * the events of its own request reach the same connection, or in the same write.
 *
 * @module
 */
import type { Frame } from "../ports/socket.ts";
import type { InboundFrame } from "../protocol/envelope.ts";
import type { JsonObject } from "../protocol/json.ts";
import type { Client } from "./client.ts";
import type { Answer } from "./host.ts";
import type { Inbox } from "./inbox.ts";
import type { Origin, Outbox } from "./outbox.ts";

/** Bytes of events kept back for an answer that is not there yet; above it they go first. */
const HELD_BYTES = 262_144;

export class Requests {
  readonly #connection: Client;
  readonly #outbox: Outbox;
  readonly #inbox: Pick<Inbox, "hold" | "release">;
  /** The request that the service has just been asked. */
  #asked: symbol | null = null;
  /** Requests that the service has been asked before, and has not answered yet. */
  readonly #open = new Set<symbol>();
  /** Events that the client published itself, as events: they go to the others and not back to it. Null before the first. */
  #relayed: WeakSet<symbol> | null = null;
  /** Whether any of these may keep an event from going out at once. Most clients only listen. */
  #minds = false;
  #held: { frame: Frame; cause: symbol | undefined; origin: Origin }[] = [];
  #heldBytes = 0;

  /** @param inbox Waits while there are as many requests as there may be. */
  constructor(connection: Client, inbox: Pick<Inbox, "hold" | "release">, outbox: Outbox) {
    this.#connection = connection;
    this.#inbox = inbox;
    this.#outbox = outbox;
  }

  /** Whether an answer is still to come. */
  get isAnswering(): boolean {
    return this.#open.size > 0;
  }

  /** Whether events are kept back. */
  get holds(): boolean {
    return this.#held.length > 0;
  }

  /** Send an event's frame, or keep it until the request that caused it has been answered. */
  deliver(frame: Frame, cause: symbol | undefined): void {
    if (!this.#minds) {
      this.#outbox.push(frame, "event");
      return;
    }
    if (cause !== undefined && this.#relayed?.has(cause)) {
      this.#connection.ledger.own++;
      return;
    }
    if (this.#held.length === 0 && !this.#isOpen(cause)) {
      this.#outbox.push(frame, "event");
      return;
    }
    this.#hold(frame, cause, "event");
  }

  /** Send an event of the past. Behind what is kept back: who is cut off in between comes back from its newest event. */
  replayed(frame: Frame): void {
    if (this.#held.length === 0) this.#outbox.push(frame, "replay");
    else this.#hold(frame, undefined, "replay");
  }

  #hold(frame: Frame, cause: symbol | undefined, origin: Origin): void {
    this.#held.push({ frame, cause, origin });
    this.#heldBytes += frame.bytes;
    if (this.#heldBytes > HELD_BYTES) this.release();
  }

  /** Pass a request, or an event that a client may publish, to the service and answer it. */
  handle(frame: InboundFrame, correlationId: string | null): void | Promise<void> {
    const connection = this.#connection;
    const { host } = connection;
    const isEvent = frame.type === "event";
    const published = isEvent && frame.event !== null && host.hasEvent(frame.event);
    if (isEvent && !published && (frame.event === null || !host.hasRequest(frame.event))) {
      connection.fail(frame, correlationId, "UNKNOWN_REQUEST", `Unknown event: ${frame.event ?? "None"}`);
      return;
    }
    const cause = Symbol(frame.event ?? "");
    this.#minds = true;
    this.#asked = cause;
    if (published) (this.#relayed ??= new WeakSet()).add(cause);
    let later: Promise<void> | undefined;
    try {
      const answer = host.dispatch({
        name: published ? "publish" : frame.event,
        data: published ? publication(frame) : frame.data,
        call: {
          identity: connection.identity,
          door: "websocket",
          connectionId: connection.id,
          cause,
          traceparent: frame.traceparent,
        },
      });
      if (answer instanceof Promise) later = this.#later(frame, correlationId, answer, cause, published);
      else this.#answer(frame, correlationId, answer, published);
    } finally {
      this.#asked = null;
      if (!later) this.#done();
    }
    return later;
  }

  async #later(
    frame: InboundFrame,
    correlationId: string | null,
    answer: Promise<Answer>,
    cause: symbol,
    published: boolean,
  ): Promise<void> {
    const { host } = this.#connection;
    this.#open.add(cause);
    if (this.#open.size === host.settings.concurrentRequests) {
      host.metrics.limit("concurrent_requests").add();
      this.#inbox.hold();
    }
    try {
      this.#answer(frame, correlationId, await answer, published);
    } finally {
      const wasFull = this.#open.size === host.settings.concurrentRequests;
      this.#open.delete(cause);
      this.#done();
      if (wasFull) this.#inbox.release();
    }
  }

  /** Send what was kept back for an answer that is out now. */
  #done(): void {
    if (this.#held.length > 0) {
      const blocked = this.#held.findIndex((held) => this.#isOpen(held.cause));
      this.#release(blocked < 0 ? this.#held.length : blocked);
    }
    this.#minds = this.#open.size > 0 || this.#held.length > 0 || this.#relayed !== null;
  }

  /** Send what is kept back, whether it was answered or not. */
  release(): void {
    this.#release(this.#held.length);
  }

  close(): void {
    this.#connection.ledger.ended += this.#held.length;
    this.#held = [];
    this.#heldBytes = 0;
  }

  #isOpen(cause: symbol | undefined): boolean {
    return cause !== undefined && (cause === this.#asked || this.#open.has(cause));
  }

  #answer(frame: InboundFrame, correlationId: string | null, answer: Answer, published: boolean): void {
    if (!answer.ok) return this.#connection.fail(frame, correlationId, answer.code, answer.message);
    this.#connection.reply({
      type: published ? "ack" : "response",
      event: frame.event,
      correlationId,
      data: answer.data,
      dataText: answer.text,
      traceparent: frame.traceparent,
    });
  }

  /** Send the first `count` of what is held. */
  #release(count: number): void {
    for (const { frame, origin } of this.#held.splice(0, count)) {
      this.#heldBytes -= frame.bytes;
      this.#outbox.push(frame, origin);
    }
  }
}

/** An event frame as the request that it stands for. */
function publication(frame: InboundFrame): JsonObject {
  const { idempotency_key: key, ...data } = frame.data;
  return { event: frame.event!, data, ...(key === undefined ? {} : { idempotency_key: key }) };
}
