import { expect, it } from "vitest";
import type { BrokerStage } from "../../src/broker/broker.ts";
import { MemoryBroker } from "../../src/broker/memory.ts";
import { MemoryJournal } from "../../src/broker/memory-journal.ts";
import { FakeClock } from "../support/fake-clock.ts";

const draft = (channel = "a:1") => ({
  id: "1",
  channel,
  event: "e",
  data: {},
  timestamp: "",
  ephemeral: false,
});

function make() {
  const journal = new MemoryJournal({ clock: new FakeClock() });
  const errors: [unknown, BrokerStage][] = [];
  const broker = new MemoryBroker({
    journal,
    onError: (error, { stage }) => void errors.push([error, stage]),
  });
  const say = (count = 1, cause?: symbol) =>
    broker.publish(journal.append(Array(count).fill(draft())), cause);
  return { journal, broker, errors, say };
}

it("MemoryBroker delivers within publish(), in order, with the cause", () => {
  const { broker, say } = make();
  const cause = Symbol();
  const heard: unknown[] = [];
  broker.subscribe((event, by) => heard.push([event.seq, by]));
  say(2, cause);
  say();
  expect(heard).toEqual([[1, cause], [2, cause], [3, undefined]]);
});

it("MemoryBroker carries the trace context of an event to its listeners and into history", () => {
  const { broker, journal } = make();
  const traceparent = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
  const heard: unknown[] = [];
  broker.subscribe((event) => heard.push(event.traceparent));
  broker.publish(journal.append([{ ...draft(), traceparent }, draft()]));
  const kept = broker.read({ channel: "a:1" }, 0, 10) as { traceparent?: string }[];
  for (const told of [heard, kept.map((event) => event.traceparent)]) {
    expect(told).toEqual([traceparent, undefined]);
  }
});

it("MemoryBroker delivers what a listener publishes after the current event, to all in the same order", () => {
  const { broker, say } = make();
  const heard: string[] = [];
  broker.subscribe(({ seq }) => {
    heard.push(`first ${seq}`);
    if (seq < 3) say();
  });
  broker.subscribe(({ seq }) => heard.push(`second ${seq}`));
  say();
  expect(heard).toEqual(["first 1", "second 1", "first 2", "second 2", "first 3", "second 3"]);
});

it("MemoryBroker goes on when a listener throws, and tells of it", () => {
  const { broker, errors, say } = make();
  const heard: number[] = [];
  const fault = new Error("bad listener");
  broker.subscribe(() => {
    throw fault;
  });
  broker.subscribe(({ seq }) => heard.push(seq));
  say(2);
  expect(heard).toEqual([1, 2]);
  expect(errors).toEqual([[fault, "delivery"], [fault, "delivery"]]);
});

it("MemoryBroker moves its position on before the listeners hear", () => {
  const { journal, broker, say } = make();
  journal.append([draft(), draft()]);
  const late = new MemoryBroker({ journal, onError: () => {} });
  expect(late.position).toEqual(journal.head);
  expect(broker.position.seq).toBe(0);
  const positions: number[] = [];
  broker.subscribe(({ seq }) => positions.push(seq, broker.position.seq));
  say(2);
  expect(positions).toEqual([3, 3, 4, 4]);
});

it("MemoryBroker calls a listener no more that unsubscribed, and a new one from the next event on", () => {
  const { broker, say } = make();
  const heard: string[] = [];
  let stopLast = () => {};
  broker.subscribe(({ seq }) => {
    if (seq !== 1) return;
    stopLast();
    stopLast();
    broker.subscribe((event) => heard.push(`new ${event.seq}`));
  });
  stopLast = broker.subscribe(({ seq }) => heard.push(`last ${seq}`));
  say(2);
  expect(heard).toEqual(["new 2"]);
});

it("MemoryBroker reads history from its journal, and close() leaves that open", () => {
  const { journal, broker, say } = make();
  const heard: number[] = [];
  broker.subscribe(({ seq }) => heard.push(seq));
  say(3);
  expect(broker.read({ channel: "a:1" }, 1, 1).map(({ seq }) => seq)).toEqual([2]);
  expect(broker.last({ kind: "a" }, 1).map(({ seq }) => seq)).toEqual([3]);
  expect(broker.evicted({ kind: "a" })).toBe(0);
  broker.close();
  say();
  broker.subscribe(({ seq }) => heard.push(seq));
  say();
  expect(heard).toEqual([1, 2, 3]);
  expect(journal.head.seq).toBe(5);
});
