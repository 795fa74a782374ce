/**
 * Several subscriptions of one connection as one stream: what comes within a tick is put in the order of its positions,
 * which each subscription alone has already.
 *
 * @module
 */
import type { Item } from "../../client/mod.ts";
import type { Clock } from "../../ports/clock.ts";

/** More is not gathered: whoever brings it waits. */
const MAX_GATHERED = 1_000;

export class InOrder {
  readonly #clock: Pick<Clock, "endOfTick">;
  readonly #take: (items: readonly Item[]) => Promise<void>;
  #gathered: Item[] = [];
  #handing: Promise<void> | null = null;

  /** @param take Never called before the call before has settled. What it rejects with, `add` and `idle` reject with. */
  constructor(clock: Pick<Clock, "endOfTick">, take: (items: readonly Item[]) => Promise<void>) {
    this.#clock = clock;
    this.#take = take;
  }

  /** Resolves at once while there is room. */
  async add(item: Item): Promise<void> {
    this.#gathered.push(item);
    this.#handing ??= this.#hand();
    // Whoever waits hears of it; that nobody does is no fault.
    this.#handing.catch(() => {});
    if (this.#gathered.length >= MAX_GATHERED) await this.#handing;
  }

  /** Resolves when all has been taken. */
  async idle(): Promise<void> {
    await this.#handing;
  }

  async #hand(): Promise<void> {
    while (this.#gathered.length > 0) {
      await new Promise<void>((resolve) => this.#clock.endOfTick(resolve));
      const items = this.#gathered;
      this.#gathered = [];
      await this.#take(inOrder(items));
    }
    this.#handing = null;
  }
}

/** Only what has comparable positions is moved. */
function inOrder(items: readonly Item[]): readonly Item[] {
  const [first] = items;
  const epoch = first?.type === "event" ? first.epoch : undefined;
  const isComparable = epoch !== undefined &&
    items.every((item) => item.type === "event" && item.epoch === epoch && item.seq !== undefined);
  if (!isComparable) return items;
  return [...items].sort((a, b) => seqOf(a) - seqOf(b));
}

function seqOf(item: Item): number {
  return item.type === "event" ? item.seq ?? 0 : 0;
}
