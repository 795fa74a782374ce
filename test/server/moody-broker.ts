/**
 * The broker of one process, which loses events, keeps them waiting or refuses them as long as a test wants it to.
 *
 * @module
 */
import type { BrokerParts } from "../../src/broker/broker.ts";
import { MemoryBroker } from "../../src/broker/memory.ts";
import type { SequencedEvent } from "../../src/protocol/event.ts";

export type Mood = "good" | "loses" | "stuck";

export class MoodyBroker extends MemoryBroker {
  mood: Mood = "good";
  /** Events that it was given. */
  readonly given: SequencedEvent[] = [];
  #waiting: (() => void)[] = [];

  /** The `createBroker` of a server, and the broker that it made last. */
  static maker(): { createBroker: (parts: BrokerParts) => MoodyBroker; last: () => MoodyBroker } {
    const made: MoodyBroker[] = [];
    return {
      createBroker: (parts) => {
        made.push(new MoodyBroker(parts));
        return made.at(-1)!;
      },
      last: () => made.at(-1)!,
    };
  }

  override publish(events: readonly SequencedEvent[], cause?: symbol): void | Promise<void> {
    this.given.push(...events);
    if (this.mood === "loses") return;
    if (this.mood === "good") return super.publish(events, cause);
    return new Promise((resolve) =>
      this.#waiting.push(() => {
        super.publish(events, cause);
        resolve();
      })
    );
  }

  /** Be good again, and deliver what waits. */
  recover(): void {
    this.mood = "good";
    for (const deliver of this.#waiting.splice(0)) deliver();
  }
}
