/**
 * A feed with its client on a clock that stands still. The service at the other end is the test.
 *
 * @module
 */
import { expect } from "vitest";
import { Feed } from "../../../services/akosha/domain/feed.ts";
import type { Heard } from "../../../services/akosha/domain/feed-batch.ts";
import { createClient } from "../../../src/client/mod.ts";
import type { Log } from "../../../src/ports/log.ts";
import type { Position } from "../../../src/protocol/event.ts";
import { type ScriptedSocket, scriptedSockets, type Sent } from "../../client/scripted-socket.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const RULE = { event: "count.changed", metric: "m", value: "/count", factor: 1, labels: {} };
export const EPOCH = "epoch-1";

export interface FeedBenchOptions {
  readonly random?: number;
  readonly settings?: object;
  /** Where the feed was. */
  readonly position?: Position | null;
}

export class FeedBench {
  readonly clock = new FakeClock();
  readonly taken: Heard[] = [];
  readonly lines: string[] = [];
  /** What was told beside each of them. */
  readonly reasons: unknown[] = [];
  readonly sockets = scriptedSockets();
  readonly feed: Feed;
  garbage = 0;
  failing = false;
  position: Position | null;

  constructor({ random = 1, settings = {}, position = null }: FeedBenchOptions = {}) {
    this.position = position;
    const say = (level: string): Log["info"] => (message, { reason } = {}) => {
      this.lines.push(`${level} ${message}`);
      this.reasons.push(reason);
    };
    const log: Log = { debug: say("debug"), info: say("info"), warn: say("warn"), error: say("error") };
    this.feed = new Feed({
      name: "other",
      settings: { url: "ws://other", channels: { news: [RULE] }, ...settings },
      createClient: (options) => createClient({ ...options, WebSocket: this.sockets.WebSocket }),
      clock: this.clock,
      log,
      random: () => random,
      position: () => {
        if (this.failing) throw new Error("disk full");
        return this.position;
      },
      countGarbage: () => void this.garbage++,
      take: (heard) => {
        if (this.failing) throw new Error("disk full");
        this.taken.push(...heard);
      },
    });
    this.feed.start();
  }

  get line(): ScriptedSocket {
    return this.sockets.newest();
  }

  /** Lines of the log above `debug`. */
  get told(): string[] {
    return this.lines.filter((line) => !line.startsWith("debug"));
  }

  /** Open the connection. @returns the subscription */
  open(): Sent {
    this.line.open();
    return this.line.take().find(({ event }) => event === "subscribe")!;
  }

  /** Open the connection, and subscribe. */
  async join(data: object = {}): Promise<void> {
    this.line.answers(this.open(), { status: "subscribed", channel: "news", epoch: EPOCH, seq: 10, ...data });
    await this.settle();
  }

  /** The end of a tick. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 3; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
      this.clock.tick();
    }
  }

  hangUp(): void {
    this.line.ends(1006);
  }

  /** Wait until the feed connects again. @returns for how long, in steps of 250 ms */
  async redialed(): Promise<number> {
    const { length } = this.sockets.made;
    const before = this.clock.monotonic();
    await this.settle();
    while (this.sockets.made.length === length && this.clock.monotonic() - before <= 60_000) {
      this.clock.advance(250);
    }
    expect(this.sockets.made).toHaveLength(length + 1);
    return this.clock.monotonic() - before;
  }

  says(event: string, seq: number, data: object, more: object = {}): void {
    this.line.says({
      type: "event",
      event,
      room: "news",
      data,
      timestamp: "2026-01-01T00:00:00Z",
      seq,
      epoch: EPOCH,
      ...more,
    });
  }

  event(seq: number, count: unknown = seq): void {
    this.says("count.changed", seq, { count }, { prev: seq - 1 });
  }
}

export const at = (seq: number) => ({ epoch: EPOCH, seq });
