import { expect, test } from "vitest";
import { LoopDelay } from "../../src/metrics/loop-delay.ts";
import type { Cancel } from "../../src/ports/clock.ts";
import { FakeClock } from "../support/fake-clock.ts";

/** A clock whose timers run late. */
class LateClock extends FakeClock {
  lateMs = 0;

  override after(delayMs: number, work: () => void): Cancel {
    return super.after(delayMs + this.lateMs, work);
  }
}

function watched() {
  const clock = new LateClock();
  const seen: number[] = [];
  return { clock, seen, delay: new LoopDelay(clock, { observe: (seconds) => void seen.push(seconds) }) };
}

test("LoopDelay tells twice a second how late its timer ran", () => {
  const { clock, seen, delay } = watched();
  clock.lateMs = 1_500;
  delay.start();
  clock.advance(2_000);
  expect(seen).toEqual([1.5]);
  clock.lateMs = 0;
  clock.advance(2_000);
  clock.advance(1_000);
  expect(seen).toEqual([1.5, 1.5, 0, 0]);
  delay.stop();
});

test("LoopDelay that is stopped tells nothing more, and may be started again", () => {
  const { clock, seen, delay } = watched();
  delay.start();
  delay.start();
  clock.advance(1_000);
  delay.stop();
  clock.advance(10_000);
  expect(seen).toEqual([0, 0]);
  expect(clock.pending).toBe(0);
  delay.start();
  clock.advance(500);
  expect(seen).toHaveLength(3);
  delay.stop();
});
