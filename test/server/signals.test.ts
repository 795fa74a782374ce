import { describe, expect, test } from "vitest";
import { listenToSignals } from "../../src/server/signals.ts";

/** Signals that a test sends. */
function makeSignals() {
  const stops = new Set<() => void>();
  const hangups = new Set<(meaning: "reload" | "gone") => void>();
  const signals = listenToSignals({
    onStopSignal: (work) => {
      const listener = () => work("SIGTERM");
      stops.add(listener);
      return () => void stops.delete(listener);
    },
    onHangup: (work) => {
      hangups.add(work);
      return () => void hangups.delete(work);
    },
  });
  return {
    signals,
    stop: () => stops.forEach((work) => work()),
    hangup: (meaning: "reload" | "gone") => hangups.forEach((work) => work(meaning)),
    get listeners() {
      return stops.size + hangups.size;
    },
  };
}

/** A reload that lasts until the test ends it. */
function makeReload() {
  const ends: (() => void)[] = [];
  return { ends, work: () => new Promise<void>((resolve) => ends.push(resolve)) };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("listenToSignals", () => {
  test("stops at the first signal, and ends with 1 at the second", async () => {
    const { signals, stop } = makeSignals();
    stop();
    await signals.stop;
    expect(await Promise.race([signals.secondStop, turn().then(() => "waits")])).toBe("waits");
    stop();
    expect(await signals.secondStop).toBe(1);
  });

  test("reloads once at a time, and once more for all that came meanwhile", async () => {
    const { signals, hangup } = makeSignals();
    const { ends, work } = makeReload();
    signals.onReload(work);
    for (let n = 0; n < 3; n++) hangup("reload");
    expect(ends).toHaveLength(1);
    ends[0]!();
    await turn();
    expect(ends).toHaveLength(2);
    ends[1]!();
    await turn();
    expect(ends).toHaveLength(2);
    hangup("reload");
    expect(ends).toHaveLength(3);
  });

  test("keeps a reload that is asked for before it can be done", () => {
    const { signals, hangup } = makeSignals();
    const { ends, work } = makeReload();
    hangup("reload");
    signals.onReload(work);
    expect(ends).toHaveLength(1);
  });

  test("stops when the terminal is gone, and reloads nothing once it stops", async () => {
    const { signals, hangup } = makeSignals();
    const { ends, work } = makeReload();
    signals.onReload(work);
    hangup("gone");
    await signals.stop;
    const { signals: stopping, stop, hangup: reload } = makeSignals();
    stopping.onReload(work);
    stop();
    reload("reload");
    expect(ends).toEqual([]);
  });

  test("takes the end of the terminal, however often it is told, for no wish to end without waiting", async () => {
    const { signals, stop, hangup } = makeSignals();
    hangup("gone");
    hangup("gone");
    stop();
    expect(await Promise.race([signals.secondStop, turn().then(() => "waits")])).toBe("waits");
    stop();
    expect(await signals.secondStop).toBe(1);
  });

  test("forgets", () => {
    const made = makeSignals();
    expect(made.listeners).toBe(2);
    made.signals.forget();
    expect(made.listeners).toBe(0);
  });
});
