/**
 * Makes drafts of an event: data checked by the contract's schema, timestamp added, one draft per channel.
 *
 * @module
 */
import * as v from "valibot";
import { type Clock, timestamp } from "../ports/clock.ts";
import { channelsOf, kindOf, parseChannel } from "../protocol/channel-name.ts";
import type { Contract, EventSpec } from "../protocol/contract.ts";
import { MAX_OUTBOUND_FRAME_BYTES } from "../protocol/envelope.ts";
import { Refusal } from "../protocol/errors.ts";
import type { EventDraft } from "../protocol/event.ts";
import { utf8Length } from "../protocol/utf8.ts";
import { settle, textOf } from "./data-text.ts";

export interface DrafterOptions {
  readonly contract: Contract;
  readonly clock: Clock;
  /** Makes the id of an event. @default random UUIDs */
  readonly newId?: () => string;
  /** Largest event as a frame, in bytes. @default MAX_OUTBOUND_FRAME_BYTES */
  readonly maxEventBytes?: number;
}

/** All of an event frame but data, event and channel, at its longest: keys, ids, numbers, timestamp. */
const ENVELOPE_BYTES = 512;

type Data = Record<string, unknown>;

export class Drafter {
  readonly #contract: Contract;
  readonly #clock: Clock;
  readonly #newId: () => string;
  readonly #maxBytes: number;

  constructor(options: DrafterOptions) {
    this.#contract = options.contract;
    this.#clock = options.clock;
    this.#newId = options.newId ?? (() => crypto.randomUUID());
    this.#maxBytes = options.maxEventBytes ?? MAX_OUTBOUND_FRAME_BYTES;
  }

  /**
   * One draft for each channel that the contract routes the event to.
   *
   * @param traceparent Of the request that the event comes of.
   * @throws {TypeError} where the event is not in the contract, its data does not fit, or it cannot be routed.
   * @throws {Refusal} MESSAGE_TOO_LARGE.
   */
  routed(event: string, data: unknown, traceparent: string | undefined): EventDraft[] {
    const valid = this.#validated(event, data);
    return this.#drafts(event, valid, channelsOf(this.#contract, event, valid), traceparent);
  }

  /** One draft for the channel named, or null where there cannot be such a channel. Throws as `routed` does. */
  addressed(
    event: string,
    data: unknown,
    channel: string,
    traceparent: string | undefined,
  ): EventDraft | null {
    const valid = this.#validated(event, data);
    const parsed = parseChannel(this.#contract.channels, channel);
    if (!parsed.ok || parsed.wildcard) return null;
    return this.#drafts(event, valid, [channel], traceparent)[0]!;
  }

  #validated(event: string, data: unknown): Data {
    const { events } = this.#contract;
    const spec: EventSpec | undefined = Object.hasOwn(events, event)
      ? (events as Record<string, EventSpec>)[event]
      : undefined;
    if (!spec) throw new TypeError(`Cannot emit '${event}': the contract has no event of this name`);
    const result = v.safeParse(spec.data, data, { abortEarly: true });
    if (result.success) return result.output;
    const [issue] = result.issues;
    const path = v.getDotPath(issue);
    throw new TypeError(
      `Cannot emit '${event}': ${path === null ? "its data" : `field '${path}' of its data`} does not fit: ` +
        (issue.expected === null ? issue.message : `expected ${issue.expected}, got ${issue.received}`),
    );
  }

  #drafts(
    event: string,
    valid: Data,
    channels: readonly string[],
    traceparent: string | undefined,
  ): EventDraft[] {
    const at = timestamp(this.#clock);
    const id = this.#newId();
    const data = this.#settled(event, { ...valid, timestamp: at });
    const envelopeBytes = ENVELOPE_BYTES + (traceparent?.length ?? 0);
    return channels.map((channel) => {
      const bytes = textOf(data).bytes + utf8Length(channel) + utf8Length(event) + envelopeBytes;
      if (bytes > this.#maxBytes) {
        throw new Refusal(
          "MESSAGE_TOO_LARGE",
          `Event '${event}' would have ${bytes} bytes as a frame, at most ${this.#maxBytes} can be sent: ` +
            "send less at a time",
        );
      }
      const ephemeral = this.#isEphemeral(channel);
      return { id, channel, event, data, timestamp: at, ephemeral, traceparent };
    });
  }

  #settled(event: string, data: Data): EventDraft["data"] {
    try {
      return settle(data);
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      throw new TypeError(`Cannot emit '${event}': its data cannot be written as JSON: ${detail}`, {
        cause: error,
      });
    }
  }

  #isEphemeral(channel: string): boolean {
    return this.#contract.channels[kindOf(channel) as "global"]?.ephemeral === true;
  }
}
