/**
 * The subscriptions of one client, as they come and go: what each has brought is kept, to be judged.
 *
 * @module
 */
import type { Client, Item, SubscribeOptions, Subscription } from "../../src/client/mod.ts";
import { isOf, type Said, type Stay } from "./judge-stay.ts";

export class OverlapStays {
  readonly #client: Client;
  readonly #onItem: () => void;
  /** All that there have ever been, by name, the present or last one at the end. */
  readonly #all = new Map<string, Listening[]>();

  /** @param onItem called whenever one has been told something */
  constructor(client: Client, onItem: () => void) {
    this.#client = client;
    this.#onItem = onItem;
  }

  /** Names of those that are open. */
  get open(): string[] {
    return [...this.#all.keys()].filter((name) => this.isOpen(name));
  }

  isOpen(name: string): boolean {
    return this.#last(name)?.isOpen === true;
  }

  /** Null where there was none of this name, or where it was never told its position. */
  position(name: string): Subscription["position"] {
    return this.#last(name)?.subscription.position ?? null;
  }

  begin(name: string, options: SubscribeOptions = {}): void {
    const subscription = this.#client.subscribe(name, options) as Subscription<Item>;
    const listening = new Listening(name, subscription, options.since?.seq ?? null, this.#onItem);
    this.#all.set(name, [...this.#all.get(name) ?? [], listening]);
  }

  end(name: string): void {
    this.#last(name)!.end();
  }

  /** Whether those that are open have got the events, or what tells that they are over. */
  have(events: readonly Said[]): boolean {
    return this.open.every((name) => {
      const listening = this.#last(name)!;
      return events.every((event) => !isOf(name, event) || listening.has(event));
    });
  }

  /**
   * Ends those that are open, which must have got everything. Those that were never told their position have brought
   * nothing that could be judged.
   */
  async finish(): Promise<Stay[]> {
    for (const name of this.open) this.#last(name)!.end(Infinity);
    const finished = await Promise.all([...this.#all.values()].flat().map((listening) => listening.finished));
    return finished.filter((stay) => stay !== null);
  }

  #last(name: string): Listening | undefined {
    return this.#all.get(name)?.at(-1);
  }
}

class Listening {
  readonly name: string;
  readonly subscription: Subscription<Item>;
  readonly finished: Promise<Stay | null>;
  readonly #items: Item[] = [];
  readonly #seqs = new Set<number>();
  #start: number | null;
  #end: number | null = null;

  constructor(name: string, subscription: Subscription<Item>, start: number | null, onItem: () => void) {
    this.name = name;
    this.subscription = subscription;
    this.#start = start;
    // Nothing has been read yet then.
    subscription.ready.then(() => {
      this.#start ??= subscription.position!.seq;
      onItem();
    }, () => {});
    this.finished = this.#listen(onItem);
  }

  get isOpen(): boolean {
    return this.#end === null;
  }

  /** @param end all up to here must have come. Default: up to the position */
  end(end = this.subscription.position?.seq ?? 0): void {
    this.#end = end;
    this.subscription.close();
  }

  has({ seq }: Said): boolean {
    // What has come by way of another subscription can be ahead of the position.
    return this.#seqs.has(seq) || seq <= (this.subscription.position?.seq ?? 0);
  }

  async #listen(onItem: () => void): Promise<Stay | null> {
    for await (const item of this.subscription) {
      this.#items.push(item);
      if (item.type === "event") this.#seqs.add(item.seq!);
      onItem();
    }
    const { name } = this;
    return this.#start === null ? null : { name, start: this.#start, end: this.#end!, items: this.#items };
  }
}
