/**
 * Hearing of channels that come and go: a look once a second, while somebody listens.
 *
 * @module
 */
import { kindOf } from "../protocol/channel-name.ts";
import type { McpHost } from "./host.ts";

const LOOK_MS = 1_000;
/** Channels that are looked at. Where there are more, only those that begin count, not those that go. */
const LOOKED_AT = 1_000;
/** Until it is looked again where there were too many, in looks. */
const LOOKS_BETWEEN = 30;

interface Listener {
  readonly kinds: ReadonlySet<string>;
  readonly changed: () => void;
}

export class ListChanges {
  readonly #host: McpHost;
  /** Kinds with an id. The others are one channel each, which is always there. */
  readonly #kinds: readonly string[];
  readonly #listeners = new Set<Listener>();
  /** Null where there were too many. */
  #known: ReadonlySet<string> | null = new Set();
  /** Kinds of channels that had their first event since the last time. */
  #begun = new Set<string>();
  #looks = 0;
  #stop: (() => void) | null = null;

  constructor(host: McpHost, kinds: readonly string[]) {
    this.#host = host;
    this.#kinds = kinds;
  }

  /**
   * @param kinds Channels of other kinds do not matter.
   * @param changed Called at most once a second. Must not throw.
   * @returns the way to stop; harmless twice
   */
  listen(kinds: ReadonlySet<string>, changed: () => void): () => void {
    const listener = { kinds, changed };
    this.#listeners.add(listener);
    this.#stop ??= this.#start();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      this.#stop?.();
      this.#stop = null;
    };
  }

  #start(): () => void {
    this.#known = this.#look();
    this.#begun = new Set();
    this.#looks = 0;
    const { watches, clock } = this.#host;
    const stops = this.#kinds.map((kind) =>
      watches.watch({ name: `${kind}:*`, kind, wildcard: true }, ({ prev, ephemeral }) => {
        if (prev === 0 && !ephemeral) this.#begun.add(kind);
      })
    );
    stops.push(clock.every(LOOK_MS, () => this.#compare()));
    return () => stops.forEach((stop) => stop());
  }

  #compare(): void {
    const changed = this.#known === null ? this.#begun : new Set<string>();
    this.#begun = new Set();
    if (this.#known !== null || ++this.#looks % LOOKS_BETWEEN === 0) {
      const before = this.#known;
      const now = this.#look();
      this.#known = now;
      if (before && now) {
        for (const name of before) if (!now.has(name)) changed.add(kindOf(name));
        for (const name of now) if (!before.has(name)) changed.add(kindOf(name));
      }
    }
    if (changed.size === 0) return;
    for (const listener of [...this.#listeners]) {
      if ([...changed].some((kind) => listener.kinds.has(kind))) listener.changed();
    }
  }

  #look(): ReadonlySet<string> | null {
    const names = this.#host.channels()?.list(this.#kinds, LOOKED_AT) ?? [];
    return names.length < LOOKED_AT ? new Set(names) : null;
  }
}
