/**
 * A service of the library that has nothing to say but what a record holds: its channels, and its events with the ids,
 * times and data that they had. It takes no requests of its own. Positions are new ones, in an epoch of its own, since
 * those of the record belong to the service that was recorded.
 *
 * @module
 */
import * as v from "valibot";
import type { Broker } from "../../broker/broker.ts";
import { MemoryBroker } from "../../broker/memory.ts";
import { type Clock, turnOfProcess } from "../../ports/clock.ts";
import type { Journal } from "../../ports/journal.ts";
import type { Log } from "../../ports/log.ts";
import type { Runtime } from "../../ports/runtime.ts";
import { type ChannelKind, type Contract, defineContract, type EventSpec } from "../../protocol/contract.ts";
import { type RecordedEvent, RecordError } from "../../recording/record.ts";
import { RealtimeServer } from "../../server/realtime-server.ts";
import { defineService, type Manager } from "../../service/define-service.ts";
import { pause } from "../pause.ts";
import { Readers } from "./readers.ts";
import type { Survey } from "./survey.ts";

export interface ReplayParts {
  readonly survey: Survey;
  readonly runtime: Runtime;
  readonly log: Log;
  readonly clock: Clock;
  /** 0 lets the system choose. */
  readonly ports: { readonly websocket: number; readonly http: number };
}

/** What clients may still read of the past, per channel and in all. */
const HISTORY = { events: 100_000, age_seconds: 31_536_000, bytes: 67_108_864, total_bytes: 268_435_456 };
/** Of what waits for one reader: less than would end its connection. */
const MAX_BACKLOG_BYTES = 262_144;
/** How long a reader that does not read may hold up the others, in milliseconds. */
const PATIENCE_MS = 5_000;
const LOOK_MS = 5;
/**
 * How far the newest event may be ahead of the oldest position that a reader goes on from: less than the history holds,
 * as some of what was sent has not arrived where it lets go.
 */
const AHEAD = { events: 20_000, bytes: 16_777_216 };
/** How far apart positions are whose bytes are remembered. */
const MARK_BYTES = 65_536;

export class ReplayServer {
  readonly server: RealtimeServer<Contract>;
  /** Resolves when a client has asked for a channel. */
  readonly asked: Promise<void>;
  readonly #clock: Clock;
  readonly #readers: Readers;
  #inner: { readonly journal: Journal; readonly broker: Broker } | null = null;
  /** What was brought up to some positions, the oldest first, and in all. */
  #marks: { readonly seq: number; readonly bytes: number }[] = [];
  #bytes = 0;

  /** @throws {RecordError} where names in the record are none that a service can have. */
  constructor({ survey, runtime, log, clock, ports }: ReplayParts) {
    this.#clock = clock;
    let heard: () => void = () => {};
    this.asked = new Promise((resolve) => heard = resolve);
    const manager: Manager = {
      onMessage: (id, { type, event, data }) => {
        const wish = [type, event].find((word) => word === "subscribe" || word === "unsubscribe");
        if (wish === "subscribe") heard();
        if (wish) this.#readers.heard(id, wish as "subscribe", data);
      },
    };
    const service = defineService({
      contract: contractOf(survey),
      createManager: () => manager,
      createHandlers: () => ({}),
    });
    this.server = new RealtimeServer<Contract>(service, {
      runtime,
      log,
      settings: {
        websocket: { host: "127.0.0.1", port: ports.websocket },
        http: { host: "127.0.0.1", port: ports.http },
        storage: { path: "none" },
        history: HISTORY,
        shutdown: { drain_ms: 0 },
      },
      createBroker: (parts) => {
        const broker = new MemoryBroker(parts);
        this.#inner = { journal: parts.journal, broker };
        return broker;
      },
    });
    const { connections } = this.server;
    this.#readers = new Readers({
      clock,
      head: () => this.#inner!.journal.head,
      isConnected: (id) => connections.has(id),
      isCatchingUp: (id, place) => connections.get(id)?.replaying(place, "join") !== undefined,
    });
  }

  /** Bring events again, as they are, of so many bytes in all. The server must run. */
  emit(events: readonly RecordedEvent[], bytes: number): void {
    const { journal, broker } = this.#inner!;
    this.#bytes += bytes;
    // Nothing comes between the two, so that positions go out in their order.
    void broker.publish(journal.append(events.map(({ id, channel, event, data, timestamp, traceparent }) => ({
      id,
      channel,
      event,
      data,
      timestamp,
      ephemeral: false,
      ...(traceparent === undefined ? {} : { traceparent }),
    }))));
    if (this.#bytes - (this.#marks.at(-1)?.bytes ?? 0) < MARK_BYTES) return;
    this.#marks.push({ seq: journal.head.seq, bytes: this.#bytes });
    while (this.#bytes - this.#marks[0]!.bytes > AHEAD.bytes) this.#marks.shift();
  }

  /**
   * Resolves when what was brought is on its way, and no reader is far behind, or one has been for too long: five
   * seconds where it does not read what is sent, ten minutes where it has let go of its channel.
   */
  async settled(): Promise<void> {
    const clock = this.#clock;
    await turnOfProcess();
    const late = clock.monotonic() + PATIENCE_MS;
    while (this.#isFarAhead() || (this.#isBehind() && clock.monotonic() < late)) {
      await pause(clock, LOOK_MS);
    }
  }

  /** Resolves when every reader has all, or has let go of its channel for too long. */
  async read(): Promise<void> {
    while (true) {
      const oldest = this.#readers.oldest();
      if (oldest === null || oldest === this.#inner!.journal.head.seq) return;
      await pause(this.#clock, LOOK_MS);
    }
  }

  #isFarAhead(): boolean {
    const oldest = this.#readers.oldest();
    if (oldest === null) return false;
    if (this.#inner!.journal.head.seq - oldest > AHEAD.events) return true;
    // What is remembered of is as much as may be ahead.
    const [first] = this.#marks;
    return this.#bytes > AHEAD.bytes && first !== undefined && oldest < first.seq;
  }

  #isBehind(): boolean {
    for (const { outboundBytes } of this.server.connections.values()) {
      if (outboundBytes > MAX_BACKLOG_BYTES) return true;
    }
    return false;
  }
}

function contractOf({ header, kinds, events }: Survey): Contract {
  const channels: Record<string, ChannelKind> = {};
  for (const [kind, hasId] of kinds) {
    if (kind === "global" && !hasId) continue;
    channels[kind] = { description: `Recorded from ${header.service}`, ...(hasId ? { id: "id" } : {}) };
  }
  const specs: Record<string, EventSpec> = {};
  for (const [event, kind] of events) {
    if (event === "system.announcement") continue;
    specs[event] = {
      description: `Recorded from ${header.service}`,
      channels: [kind],
      data: v.looseObject({}),
    };
  }
  try {
    return defineContract({
      name: header.service,
      greeting: `Connected to a replay of ${header.service}`,
      ports: { websocket: 0, http: 0 },
      channels,
      events: specs,
      requests: {},
    }) as unknown as Contract;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new RecordError(`Cannot replay the record: ${error.message}`, { cause: error });
  }
}
