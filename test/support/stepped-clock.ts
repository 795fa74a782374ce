/**
 * A fake clock that can run the end of one tick alone, without what that leaves for the next.
 *
 * @module
 */
import { FakeClock } from "./fake-clock.ts";

export class SteppedClock extends FakeClock {
  #due: (() => void)[] = [];

  override endOfTick(work: () => void): void {
    this.#due.push(work);
  }

  /** End one tick. False where nothing waited for it. */
  step(): boolean {
    const due = this.#due;
    this.#due = [];
    for (const work of due) work();
    return due.length > 0;
  }

  override tick(): void {
    while (this.step());
  }
}
