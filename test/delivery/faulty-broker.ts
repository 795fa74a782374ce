/**
 * A broker that is broken on purpose, in one way, with every few events.
 *
 * @module
 */
import type { Broker, CreateBroker, Listener } from "../../src/broker/broker.ts";
import { MemoryBroker } from "../../src/broker/memory.ts";
import type { SequencedEvent } from "../../src/protocol/event.ts";

/** `forget`: it says that nothing was ever let go of. The others are done to events on their way. */
export type Fault = "drop" | "repeat" | "swap" | "wrong epoch" | "forget";

export const FAULTS: readonly Fault[] = ["drop", "repeat", "swap", "wrong epoch", "forget"];

/** Every so many events one goes wrong. */
const EVERY = 5;

type Hand = (event: SequencedEvent, cause: symbol | undefined) => void;

/** What becomes of an event that is to go wrong; `next` hands it on, `later` after the one that follows. */
const MISHAPS: Readonly<
  Record<Fault, (event: SequencedEvent, next: Hand, later: Hand, cause?: symbol) => void>
> = {
  drop() {},
  repeat(event, next, _later, cause) {
    next(event, cause);
    next(event, cause);
  },
  swap: (event, _next, later, cause) => later(event, cause),
  "wrong epoch": (event, next, _later, cause) => next({ ...event, epoch: "another" }, cause),
  forget: (event, next, _later, cause) => next(event, cause),
};

function breaking(fault: Fault, listener: Listener): Listener {
  let count = 0;
  let waiting: (() => void) | null = null;
  return (event, cause) => {
    if (++count % EVERY === 0) {
      const later: Hand = (event, cause) => void (waiting = () => listener(event, cause));
      return MISHAPS[fault](event, listener, later, cause);
    }
    listener(event, cause);
    waiting?.();
    waiting = null;
  };
}

/** @param fault Null: it is as good as the one that it stands before. */
export function faultyBroker(fault: Fault | null): CreateBroker {
  return (parts) => {
    const inner = new MemoryBroker(parts);
    const broker: Broker = {
      get position() {
        return inner.position;
      },
      publish: (events, cause) => inner.publish(events, cause),
      subscribe: (listener) => inner.subscribe(fault ? breaking(fault, listener) : listener),
      read: (scope, after, limit, maxBytes) => inner.read(scope, after, limit, maxBytes),
      last: (scope, count, maxBytes) => inner.last(scope, count, maxBytes),
      tail: (scope, count) => inner.tail(scope, count),
      evicted: (scope) => fault === "forget" ? 0 : inner.evicted(scope),
      close: () => inner.close(),
    };
    return broker;
  };
}
