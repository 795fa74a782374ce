import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { linkSignals } from "../../src/ports/linked-signal.ts";

test("linkSignals gives a signal that is aborted with the first of the others, for its reason", () => {
  const [first, second] = [new AbortController(), new AbortController()];
  const { signal } = linkSignals(first.signal, second.signal);
  expect(signal.aborted).toBe(false);
  second.abort("late");
  first.abort("later");
  expect([signal.aborted, signal.reason]).toEqual([true, "late"]);
});

test("linkSignals gives an aborted signal where one of the others is aborted", () => {
  const open = new AbortController();
  const { signal } = linkSignals(open.signal, AbortSignal.abort("before"), AbortSignal.abort("after"));
  expect([signal.aborted, signal.reason]).toEqual([true, "before"]);
  expect(getEventListeners(open.signal, "abort")).toEqual([]);
});

test("linkSignals leaves nothing behind in a signal that goes on", () => {
  const lasting = new AbortController();
  const bare = Reflect.ownKeys(lasting.signal);
  for (let n = 0; n < 100; n++) {
    const { signal, release } = linkSignals(lasting.signal);
    release();
    lasting.signal.dispatchEvent(new Event("abort"));
    expect(signal.aborted).toBe(false);
  }
  expect(getEventListeners(lasting.signal, "abort")).toEqual([]);
  expect(Reflect.ownKeys(lasting.signal)).toEqual(bare);
});
