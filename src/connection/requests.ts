/**
 * Requests of one client, and the order between an answer and what the request has caused: the answer leaves before
 * the events of its own request reach the same connection, or in the same write.
 *
 * @module
 */
import type { Frame } from "../ports/socket.ts";
import type { InboundFrame } from "../protocol/envelope.ts";
import type { Client } from "./client.ts";
import type { Answer } from "./host.ts";
import type { Outbox } from "./outbox.ts";

/** Bytes of events kept back for an answer that is not there yet; above it they go first. */
const HELD_BYTES = 262_144;

export class Requests {
  readonly #connection: Client;
  readonly #outbox: Outbox;
  /** Requests that are not answered yet. */
  readonly #open = new Set<symbol>();
  #held: Frame[] = [];
  #heldBytes = 0;

  constructor(connection: Client, outbox: Outbox) {
    this.#connection = connection;
    this.#outbox = outbox;
  }

  /** Send an event's frame, or keep it until the request that caused it has been answered. */
  deliver(frame: Frame, cause: symbol | undefined): void {
    if (this.#held.length === 0 && (cause === undefined || !this.#open.has(cause))) {
      this.#outbox.push(frame);
      return;
    }
    this.#held.push(frame);
    this.#heldBytes += frame.bytes;
    if (this.#heldBytes > HELD_BYTES) this.#release();
  }

  /** Pass a request, or an event that a client may publish, to the service and answer it. */
  async handle(frame: InboundFrame, correlationId: string | null): Promise<void> {
    const connection = this.#connection;
    const { host } = connection;
    const isEvent = frame.type === "event";
    const published = isEvent && frame.event !== null && host.hasEvent(frame.event);
    if (isEvent && !published && (frame.event === null || !host.hasRequest(frame.event))) {
      connection.fail(frame, correlationId, "UNKNOWN_REQUEST", `Unknown event: ${frame.event ?? "None"}`);
      return;
    }
    const cause = Symbol(frame.event ?? "");
    this.#open.add(cause);
    try {
      const answer = await host.dispatch({
        name: published ? "publish" : frame.event,
        data: published ? { event: frame.event!, data: frame.data } : frame.data,
        call: { identity: connection.identity, door: "websocket", connectionId: connection.id, cause },
      });
      this.#answer(frame, correlationId, answer, published);
    } finally {
      this.#open.delete(cause);
      if (this.#open.size === 0) this.#release();
    }
  }

  close(): void {
    this.#held = [];
  }

  #answer(frame: InboundFrame, correlationId: string | null, answer: Answer, published: boolean): void {
    if (!answer.ok) return this.#connection.fail(frame, correlationId, answer.code, answer.message);
    this.#connection.reply({
      type: published ? "ack" : "response",
      event: frame.event,
      correlationId,
      data: answer.data,
      traceparent: frame.traceparent,
    });
  }

  #release(): void {
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    for (const frame of held) this.#outbox.push(frame);
  }
}
