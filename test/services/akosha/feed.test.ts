import { describe, expect, it } from "vitest";
import { Feed } from "../../../services/akosha/domain/feed.ts";
import type { ChannelFrame } from "../../../services/akosha/domain/feed-batch.ts";
import { readFrame } from "../../../services/akosha/domain/feed-frames.ts";
import { applyRules } from "../../../services/akosha/domain/feed-rules.ts";
import type { Dial, DialOptions } from "../../../src/ports/dial.ts";
import type { Log } from "../../../src/ports/log.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const RULE = { event: "count.changed", metric: "m", value: "/count", factor: 1, labels: {} };
const EPOCH = "epoch-1";

/** A feed on a line whose other end is the test's. */
class Bench {
  readonly clock = new FakeClock();
  readonly taken: ChannelFrame[] = [];
  readonly lines: string[] = [];
  readonly dialed: number[] = [];
  /** Frames that the feed has sent on the present line. */
  sent: { type: string; id: string; data: Record<string, unknown> }[] = [];
  garbage = 0;
  closes = 0;
  failing = false;
  position: { epoch: string; seq: number } | null = null;
  #line: DialOptions | null = null;
  readonly feed: Feed;

  constructor(random = 1) {
    const dial: Dial = {
      connect: (_url, options) => {
        this.#line = options;
        this.sent = [];
        this.dialed.push(this.clock.monotonic());
        return { send: (text) => void this.sent.push(JSON.parse(text)), close: () => void this.closes++ };
      },
    };
    const say = (level: string) => (message: string) => void this.lines.push(`${level} ${message}`);
    const log: Log = { debug: say("debug"), info: say("info"), warn: say("warn"), error: say("error") };
    this.feed = new Feed({
      name: "other",
      settings: { url: "ws://other", channels: { news: [RULE] } },
      dial,
      clock: this.clock,
      log,
      random: () => random,
      position: () => this.position,
      countGarbage: () => void this.garbage++,
      take: (frames) => {
        if (this.failing) throw new Error("disk full");
        this.taken.push(...frames);
      },
    });
    this.feed.start();
  }

  open(): void {
    this.#line!.onOpen();
  }

  hear(frame: object | string): void {
    this.#line!.onText(typeof frame === "string" ? frame : JSON.stringify(frame));
  }

  hangUp(): void {
    this.#line!.onClose(1006, "");
  }

  /** Wait until the feed dials again. @returns for how long, in steps of 250 ms */
  redialed(): number {
    const { length } = this.dialed;
    const before = this.clock.monotonic();
    while (this.dialed.length === length && this.clock.monotonic() - before <= 60_000) {
      this.clock.advance(250);
    }
    expect(this.dialed).toHaveLength(length + 1);
    return this.clock.monotonic() - before;
  }

  /** Answer the subscription. */
  answer(data: object = {}): void {
    const { id } = this.sent.find(({ type }) => type === "request")!;
    const reply = { status: "subscribed", channel: "news", epoch: EPOCH, seq: 10, ...data };
    this.hear({ type: "response", event: "subscribe", correlation_id: id, room: null, data: reply });
  }

  event(seq: number, count: unknown = seq): void {
    this.hear({
      type: "event",
      event: "count.changed",
      room: "news",
      data: { count },
      timestamp: "2026-01-01T00:00:00Z",
      seq,
      epoch: EPOCH,
    });
  }
}

describe("Feed", () => {
  it("asks for its channels from where it was, only for events that its rules name", () => {
    const bench = new Bench();
    bench.position = { epoch: EPOCH, seq: 7 };
    bench.open();
    expect(bench.sent).toMatchObject([{
      type: "request",
      event: "subscribe",
      data: { channel: "news", events: ["count.changed"], since: { epoch: EPOCH, seq: 7 } },
    }]);
    bench.answer({ recovered: true });
    bench.event(8);
    bench.clock.tick();
    expect(bench.feed.connected).toBe(true);
    expect(bench.taken).toMatchObject([{ type: "event", seq: 8 }]);
  });

  it("takes over what comes in one tick together, and begins where it has joined when it is new", () => {
    const bench = new Bench();
    bench.open();
    expect(bench.sent[0]!.data.since).toBeUndefined();
    bench.answer();
    bench.event(11);
    expect(bench.taken).toEqual([]);
    bench.clock.tick();
    expect(bench.taken).toMatchObject([{ type: "position", seq: 10 }, { type: "event", seq: 11 }]);
  });

  it("waits longer and longer where nobody listens, at most 20 s, and says nothing of it", () => {
    const bench = new Bench();
    const waits = Array.from({ length: 9 }, () => {
      bench.hangUp();
      return bench.redialed();
    });
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000, 20_000]);
    expect(bench.lines.filter((line) => !line.startsWith("debug"))).toEqual([]);
    expect(bench.lines).toHaveLength(1);
  });

  it.each([[0, 250], [0.5, 4_000], [1, 8_000]])(
    "spreads its attempts over the whole wait: %d of it",
    (random, wait) => {
      const bench = new Bench(random);
      for (let attempt = 0; attempt < 4; attempt++) {
        bench.hangUp();
        bench.redialed();
      }
      bench.hangUp();
      expect(bench.redialed()).toBe(wait);
    },
  );

  it("tells once that it was cut off, and that it is back", () => {
    const bench = new Bench();
    for (let round = 0; round < 2; round++) {
      bench.open();
      bench.answer();
      bench.hangUp();
      for (let attempt = 0; attempt < 3; attempt++) {
        bench.redialed();
        bench.hangUp();
      }
      bench.redialed();
    }
    const told = bench.lines.filter((line) => !line.startsWith("debug"));
    expect(told).toEqual([
      "info Feed is connected",
      "info Feed was cut off",
      "info Feed is connected",
      "info Feed was cut off",
    ]);
  });

  it("begins anew from where it was when what it has heard cannot be stored", () => {
    const bench = new Bench();
    bench.open();
    bench.answer();
    bench.clock.tick();
    bench.failing = true;
    bench.event(11);
    bench.clock.tick();
    expect(bench.closes).toBe(1);
    bench.event(12);
    bench.clock.tick();
    bench.failing = false;
    bench.position = { epoch: EPOCH, seq: 10 };
    bench.redialed();
    bench.open();
    expect(bench.sent[0]!.data.since).toEqual({ epoch: EPOCH, seq: 10 });
    expect(bench.taken.map(({ seq }) => seq)).toEqual([10]);
  });

  it("asks a silent line whether anybody is there, and gives it up where nobody is", () => {
    const bench = new Bench();
    bench.open();
    bench.answer();
    bench.clock.advance(60_000);
    expect(bench.sent.filter(({ type }) => type === "ping")).toHaveLength(1);
    bench.hear({ type: "pong", event: "ping", data: {}, room: null, correlation_id: "feed-ping" });
    bench.clock.advance(30_000);
    expect(bench.closes).toBe(0);
    bench.clock.advance(60_000);
    expect(bench.closes).toBe(1);
  });

  it("gives up a line on which the subscription is not answered, or refused", () => {
    const bench = new Bench();
    bench.open();
    bench.clock.advance(15_000);
    expect(bench.closes).toBe(1);
    bench.redialed();
    bench.open();
    const { id } = bench.sent[0]!;
    const refusal = { correlation_id: id, error_code: "FORBIDDEN", error_message: "Not authorized" };
    bench.hear({ type: "error", event: null, data: {}, room: null, ...refusal });
    expect(bench.closes).toBe(2);
    expect(bench.lines.filter((line) => line.startsWith("warn"))).toEqual(["warn Feed is refused"]);
  });

  it("counts what is no frame, tells of it once, and ends a line that has nothing else to say", () => {
    const bench = new Bench();
    bench.open();
    bench.answer();
    const garbage = [
      "",
      "{",
      "[]",
      "null",
      '"text"',
      '{"type":5}',
      '{"type":"event","data":[]}',
      '{"type":"event","event":"count.changed","room":"news","data":{},"seq":-1,"epoch":"e"}',
      '{"type":"event","event":"count.changed","room":"news","data":{},"seq":1.5,"epoch":"e"}',
      '{"type":"event","event":"count.changed","room":"news","data":{},"seq":11}',
      '{"type":"event","event":7,"room":"news","data":{},"seq":11,"epoch":"e"}',
      "[".repeat(10_000),
    ];
    for (const text of garbage) bench.hear(text);
    expect(bench.garbage).toBe(garbage.length);
    bench.event(11);
    bench.clock.tick();
    expect(bench.taken.at(-1)).toMatchObject({ seq: 11 });
    for (let count = garbage.length; count < 100; count++) bench.hear("?");
    expect(bench.closes).toBe(1);
    expect(bench.lines.filter((line) => line.startsWith("warn"))).toHaveLength(1);
  });

  it("says and hears nothing more once it was stopped", () => {
    const bench = new Bench();
    bench.open();
    bench.answer();
    bench.event(11);
    bench.feed.stop();
    bench.event(12);
    bench.hangUp();
    bench.clock.advance(120_000);
    expect(bench.taken).toEqual([]);
    expect(bench.dialed).toHaveLength(1);
    expect(bench.clock.pending).toBe(0);
  });
});

describe("readFrame()", () => {
  it("leaves the welcome, pongs and what else belongs to no channel aside", () => {
    const welcome = { type: "event", event: "session.created", data: {}, room: null };
    expect(readFrame(JSON.stringify(welcome))).toEqual({ type: "other" });
    expect(readFrame('{"type":"pong","data":{}}')).toEqual({ type: "other" });
  });

  it("cuts the words of a refusal, which are a stranger's", () => {
    const text = JSON.stringify({ type: "error", data: {}, error_code: 5, error_message: "x".repeat(999) });
    expect(readFrame(text)).toEqual({ type: "refused", id: null, code: "", message: "x".repeat(200) });
  });
});

describe("applyRules()", () => {
  const now = Date.UTC(2026, 0, 1);
  const apply = (rule: object, data: object, timestamp = "2026-01-01T00:00:00Z") =>
    applyRules([{ ...RULE, ...rule }], { event: "count.changed", data: data as never, timestamp }, {
      source: "other",
      now,
      futureMs: 1_000,
    });

  it("finds value and labels by their pointers, and multiplies", () => {
    const labels = { project: "/project", deep: "/a/b~1c", none: "/none", flag: "/flag" };
    const data = { project: "shop", a: { "b/c": 7, ms: 1_500 }, flag: true };
    const { observations, ignored } = apply({ value: "/a/ms", factor: 0.001, labels }, data);
    expect(ignored).toBe(0);
    expect(observations).toMatchObject([{
      value: 1.5,
      at: now,
      series: { metric: "m", source: "other", labels: { deep: "7", flag: "true", project: "shop" } },
    }]);
  });

  it("takes nothing from other events", () => {
    expect(apply({ event: "other.event" }, { count: 1 })).toEqual({ observations: [], ignored: 0 });
  });

  it.each([
    ["null", { count: null }, undefined],
    ["text", { count: "5" }, undefined],
    ["a number past all bounds", { count: 1e101 }, undefined],
    ["a number that is none", { count: NaN }, undefined],
    ["an integer past what a number holds", { count: 10n ** 30n }, undefined],
    ["nothing", {}, undefined],
    ["what every object has", { toString: undefined }, undefined],
    ["a time that is none", { count: 1 }, "soon"],
    ["a time in the future", { count: 1 }, "2026-01-01T00:00:02Z"],
  ])("counts as ignored: %s", (_, data, timestamp) => {
    expect(apply({}, data, timestamp)).toEqual({ observations: [], ignored: 1 });
  });

  it("cuts label values that are too long", () => {
    const { observations } = apply({ labels: { name: "/name" } }, { count: 1, name: "x".repeat(9_999) });
    expect(observations[0]!.series.labels.name).toHaveLength(256);
  });
});
