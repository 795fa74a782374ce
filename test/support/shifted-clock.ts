/**
 * The machine's clock, which a test can put forward: timers run as ever, what is read off the clock jumps.
 *
 * @module
 */
import { type Clock, systemClock } from "../../src/ports/clock.ts";

export class ShiftedClock implements Clock {
  #shiftMs = 0;

  now(): number {
    return systemClock.now() + this.#shiftMs;
  }

  monotonic(): number {
    return systemClock.monotonic() + this.#shiftMs;
  }

  readonly after: Clock["after"] = systemClock.after;
  readonly every: Clock["every"] = systemClock.every;
  readonly endOfTick: Clock["endOfTick"] = systemClock.endOfTick;

  forward(ms: number): void {
    this.#shiftMs += ms;
  }
}
