/**
 * A client of a run: one that speaks the protocol by itself, or the library's.
 *
 * @module
 */
import type { ReaderRecord } from "./record.ts";

export interface Reader extends ReaderRecord {
  /** False where it must be told to come back. */
  readonly connected: boolean;
  connect(backwards?: boolean): void;
  cut(): void;
  hangUp(): void;
  /** The server is about to be killed: whatever the connection ends with is right. */
  expectEnd(): void;
  stall(): void;
  flow(): void;
  join(place: string, options: { filter: readonly string[] | null; last: number | null }): void;
  leave(place: string): void;
  /** Whether all is answered, and the last event of every channel that it is in has come. */
  caughtUp(seals: ReadonlyMap<string, number>): boolean;
  /** What comes from here on is no part of the run. */
  done(): void;
}
