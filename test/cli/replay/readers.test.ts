import { describe, expect, test } from "vitest";
import { Readers } from "../../../src/cli/replay/readers.ts";
import { FakeClock } from "../../support/fake-clock.ts";

function readers() {
  const clock = new FakeClock();
  const state = { seq: 100, gone: new Set<string>(), catchingUp: new Set<string>() };
  const made = new Readers({
    clock,
    head: () => ({ epoch: "e", seq: state.seq }),
    isConnected: (id) => !state.gone.has(id),
    isCatchingUp: (id, { name }) => state.catchingUp.has(`${id} ${name}`),
  });
  return { clock, state, readers: made };
}

describe("Readers", () => {
  test("waits for nobody who is up to date, and for who has let go of a channel until he is back", () => {
    const { state, readers: all } = readers();
    expect(all.oldest()).toBeNull();
    all.heard("a", "subscribe", { channel: "test:*" });
    expect(all.oldest()).toBeNull();
    all.heard("a", "unsubscribe", { channel: "test:*" });
    state.seq = 500;
    expect(all.oldest()).toBe(100);
    // On the way from where it says that it was.
    state.catchingUp.add("a test:*");
    all.heard("a", "subscribe", { channel: "test:*", since: { epoch: "e", seq: 70 } });
    expect(all.oldest()).toBe(70);
    // It let go again before it had the present.
    all.heard("a", "unsubscribe", { channel: "test:*" });
    state.catchingUp.clear();
    expect(all.oldest()).toBe(70);
    all.heard("a", "subscribe", { channel: "test:*", since: { epoch: "e", seq: 480 } });
    expect(all.oldest()).toBeNull();
  });

  test("knows the oldest of several, and where a reader of the newest events begins", () => {
    const { state, readers: all } = readers();
    state.catchingUp.add("a x").add("b y");
    all.heard("a", "subscribe", { room: "x", since: { epoch: "e", seq: 60 } });
    all.heard("b", "subscribe", { channel: "y", last: 70 });
    expect(all.oldest()).toBe(30);
    all.heard("b", "subscribe", { channel: "y", since: { epoch: "another", seq: 1 } });
    expect(all.oldest()).toBe(60);
    all.heard("a", "subscribe", {});
    all.heard("c", "unsubscribe", { channel: "x" });
    expect(all.oldest()).toBe(60);
  });

  test("forgets who is gone, and after ten minutes who has not come back", () => {
    const { clock, state, readers: all } = readers();
    for (const id of ["a", "b"]) {
      all.heard(id, "subscribe", { channel: "x" });
      all.heard(id, "unsubscribe", { channel: "x" });
      state.seq++;
    }
    expect(all.oldest()).toBe(100);
    state.gone.add("a");
    expect(all.oldest()).toBe(101);
    clock.advance(600_000);
    expect(all.oldest()).toBe(101);
    clock.advance(1);
    expect(all.oldest()).toBeNull();
  });
});
