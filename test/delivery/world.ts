/**
 * The server's side of a run: where clients connect, how it goes down and comes back, and how time passes.
 *
 * @module
 */
import type { Clock } from "../../src/ports/clock.ts";
import type { Committed } from "./committed.ts";
import type { Heard } from "./record.ts";

/** A connection as its client holds it. Calls after its end do nothing. */
export interface Line {
  send(frame: Heard): void;
  /** Vanish without a word. */
  cut(): void;
  hangUp(): void;
  /** Stop reading. */
  stall(): void;
  /** Read again. */
  flow(): void;
}

export interface LineOwner {
  heard(frame: Heard): void;
  /** Once, and nothing is heard after it. Also where the client ended it. */
  ended(code: number, reason: string): void;
}

export interface World {
  /** Null where it is the machine's. */
  readonly clock: Clock | null;
  connect(owner: LineOwner): Line;
  /** Stop the server as an operator does, and start it again with the same database. */
  restart(): Promise<void>;
  /** End the server in the middle of whatever it does, and start it again. Whoever is connected is told before. */
  crash(told: () => void): Promise<void>;
  /** Let what is under way go on, and where the clock can be moved, move it. */
  wait(ms: number): Promise<void>;
  /** Go on until something is so, or for as long as that can reasonably take. */
  settle(until: () => boolean): Promise<void>;
  /** Stop the server, and say what was committed. */
  finish(): Promise<Committed>;
  /** Let go of everything, whatever has come of the run. */
  close(): Promise<void>;
}
