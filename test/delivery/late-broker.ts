/**
 * A broker that takes its time: events come back some time after they were committed, and what is asked of its history
 * is answered later, as over a network.
 *
 * @module
 */
import type { Broker, CreateBroker } from "../../src/broker/broker.ts";
import { MemoryBroker } from "../../src/broker/memory.ts";
import type { Clock } from "../../src/ports/clock.ts";

const PUBLISH_MS = 8;
const READ_MS = 3;

export function lateBroker(clock: Clock): CreateBroker {
  const after = <T>(ms: number, work: () => T): Promise<T> =>
    new Promise((resolve) => clock.after(ms, () => resolve(work())));
  return (parts) => {
    const inner = new MemoryBroker(parts);
    const broker: Broker = {
      get position() {
        return inner.position;
      },
      publish: (events, cause) => after(PUBLISH_MS, () => inner.publish(events, cause)),
      subscribe: (listener) => inner.subscribe(listener),
      read: (scope, from, limit, maxBytes) => after(READ_MS, () => inner.read(scope, from, limit, maxBytes)),
      last: (scope, count, maxBytes) => after(READ_MS, () => inner.last(scope, count, maxBytes)),
      tail: (scope, count) => after(READ_MS, () => inner.tail(scope, count)),
      evicted: (scope) => after(READ_MS, () => inner.evicted(scope)),
      close: () => inner.close(),
    };
    return broker;
  };
}
