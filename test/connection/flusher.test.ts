import { describe, expect, test } from "vitest";
import { type Flushable, Flusher, type Turn } from "../../src/connection/flusher.ts";
import { createBench } from "../support/connection-bench.ts";
import { SteppedClock } from "../support/stepped-clock.ts";

/** An outbox whose writing takes a time, and when it was written. */
class SlowOutbox implements Flushable {
  readonly written: [turn: Turn, at: number][] = [];
  readonly #clock: SteppedClock;
  readonly #ms: number;

  constructor(clock: SteppedClock, ms: number) {
    this.#clock = clock;
    this.#ms = ms;
  }

  flush(turn: Turn): void {
    this.written.push([turn, this.#clock.monotonic()]);
    this.#clock.advance(this.#ms);
  }

  flushEarly(): boolean {
    this.flush("now");
    return true;
  }

  unpark(): boolean {
    return false;
  }
}

/** A clock that can go on within a tick. */
class WorkingClock extends SteppedClock {
  #workedMs = 0;

  work(milliseconds: number): void {
    this.#workedMs += milliseconds;
  }

  override monotonic(): number {
    return super.monotonic() + this.#workedMs;
  }
}

/** How often it writes at once, one time after the other, before it lets events wait. */
const TIMES = 3;

/** A flusher that has done nothing but write for some time. */
function busyFor(ms: number) {
  const clock = new SteppedClock();
  const flusher = new Flusher(clock);
  const outbox = new SlowOutbox(clock, ms);
  const start = clock.monotonic();
  const written = [];
  for (let time = 0; time < TIMES; time++) {
    flusher.add(outbox);
    clock.tick();
    written.push(["events", start + time * ms]);
  }
  expect(outbox.written).toEqual(written);
  outbox.written.length = 0;
  return { clock, flusher, outbox, end: start + TIMES * ms };
}

describe("Flusher", () => {
  test("Flusher writes events at the end of their tick where it has rested half as long as it wrote", () => {
    const { clock, flusher, outbox, end } = busyFor(4);
    clock.advance(2);
    flusher.add(outbox);
    expect(outbox.written).toEqual([]);
    clock.tick();
    expect(outbox.written).toEqual([["events", end + 2]]);
  });

  test("Flusher lets events that come sooner wait for twice the time that it wrote, and writes them together", () => {
    const { clock, flusher, outbox, end } = busyFor(4);
    clock.advance(1);
    flusher.add(outbox);
    const other = new SlowOutbox(clock, 0);
    clock.tick();
    clock.advance(6);
    flusher.add(other);
    clock.tick();
    expect(outbox.written).toEqual([]);
    clock.advance(1);
    clock.tick();
    expect(outbox.written).toEqual([["events", end + 8]]);
    expect(other.written).toHaveLength(1);
  });

  test("Flusher lets nobody wait longer than 10 ms", () => {
    const { clock, flusher, outbox, end } = busyFor(300);
    flusher.add(outbox);
    clock.tick();
    clock.advance(9);
    expect(outbox.written).toEqual([]);
    clock.advance(1);
    clock.tick();
    expect(outbox.written).toEqual([["events", end + 10]]);
  });

  test("Flusher never lets an outbox wait in which something is said to one client", () => {
    const { clock, flusher, outbox, end } = busyFor(4);
    flusher.add(outbox);
    flusher.addUrgent(outbox);
    clock.tick();
    expect(outbox.written).toEqual([["now", end]]);
  });

  test("Flusher lets answers leave before the end of a tick that is long in coming, once each", () => {
    const clock = new WorkingClock();
    const flusher = new Flusher(clock);
    const outbox = new SlowOutbox(clock, 0);
    const begun = clock.monotonic();
    flusher.addUrgent(outbox);
    clock.work(0.4);
    flusher.answered();
    expect(outbox.written).toEqual([]);
    clock.work(0.2);
    flusher.answered();
    expect(outbox.written).toEqual([["now", begun + 0.4 + 0.2]]);
    clock.tick();
    expect(outbox.written).toHaveLength(1);
  });

  test("Flusher lets the answers of some clients leave while others are still answered", () => {
    const clock = new WorkingClock();
    const flusher = new Flusher(clock);
    const outboxes = [0, 0, 0].map(() => new SlowOutbox(clock, 0));
    for (const outbox of outboxes) {
      flusher.addUrgent(outbox);
      clock.work(0.3);
    }
    expect(outboxes.map(({ written }) => written.length)).toEqual([1, 1, 1]);
  });

  test("Flusher sends the first answers of a long tick before its last requests are handled", () => {
    const clock = new WorkingClock();
    const bench = createBench({ clock });
    const client = bench.connect();
    bench.host.received = () => clock.work(0.3);
    const sizes = () => client.socket.writes.map((texts) => texts.length);
    for (let id = 0; id < 4; id++) client.send({ type: "ping", id: `${id}` });
    expect(sizes()).toEqual([3]);
    clock.tick();
    expect(sizes()).toEqual([3, 1]);
  });

  test("Flusher lets who has not taken a burst yet be answered at the end of the tick, and counts none of it against it", async () => {
    const clock = new WorkingClock();
    const bench = createBench({ clock, settings: { outboundQueueBytes: 100_000 } });
    const client = bench.connect();
    await bench.ask(client, { type: "subscribe", room: "global" });
    bench.publish("system.announcement", { message: "x".repeat(200_000) });
    clock.step();
    expect(client.unread).toBeGreaterThan(200_000);
    bench.host.received = () => clock.work(0.3);
    for (let id = 0; id < 4; id++) client.send({ type: "ping", id: `${id}` });
    await bench.settle();
    expect(client.close).toBeNull();
    expect(client.take()).toHaveLength(5);
    expect(client.socket.writes.at(-1)).toHaveLength(4);
  });

  test("Flusher counts one tick, whatever is written at its end", () => {
    const { clock, flusher, outbox } = busyFor(4);
    clock.advance(2);
    const before = flusher.tick;
    flusher.add(outbox);
    flusher.addUrgent(outbox);
    flusher.addUrgent(new SlowOutbox(clock, 1));
    clock.step();
    expect(outbox.written.map(([turn]) => turn)).toEqual(["now", "events"]);
    expect(flusher.tick).toBe(before + 1);
  });

  test("Flusher sends an answer at the end of its tick, behind the events that wait before it", async () => {
    const bench = createBench();
    const client = bench.connect();
    await bench.ask(client, { type: "subscribe", room: "doc:a" });
    const { socket } = client;
    const write = socket.write.bind(socket);
    socket.write = (batch) => {
      write(batch);
      bench.clock.advance(4);
    };
    for (let n = 0; n <= TIMES; n++) {
      bench.change("a", n);
      bench.clock.tick();
    }
    expect(client.take()).toHaveLength(TIMES);
    const before = socket.writes.length;
    await bench.ask(client, { type: "ping" });
    expect(socket.writes).toHaveLength(before + 1);
    const kinds = socket.writes.at(-1)!.map((text) => JSON.parse(text).type);
    expect(kinds).toEqual(["event", "pong"]);
    bench.clock.advance(20);
    bench.clock.tick();
    expect(socket.writes).toHaveLength(before + 1);
  });
});
