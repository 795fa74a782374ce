/**
 * What a run leaves behind for the judge: every frame of every connection, what each reader made of them, what was
 * asked of the service, and what was committed.
 *
 * @module
 */
import type { Committed } from "./committed.ts";

/** A frame as it was read. */
// deno-lint-ignore no-explicit-any
export type Heard = Record<string, any>;

/** Frames of one connection in the order in which the client saw them leave and come. */
export interface Transcript {
  readonly name: string;
  readonly entries: ({ readonly out: Heard } | { readonly in: Heard })[];
  /** How it ended; null while it is open. */
  end: { readonly code: number; readonly reason: string } | null;
  /** The client itself ended it. */
  own: boolean;
  /** The client had stopped reading at some time, so the server may have ended it for that. */
  stalled: boolean;
}

/** What a subscription told its owner, over all connections. */
export type Item =
  /** What comes after this seq is promised. */
  | { readonly is: "start"; readonly seq: number }
  | { readonly is: "event"; readonly channel: string; readonly seq: number; readonly id: string }
  /** What lies between, after `from` and up to `to`, is lost, or told of by a snapshot. */
  | {
    readonly is: "gap";
    readonly from: number;
    readonly to: number;
    readonly cause: string;
    /** Where it is not that of the stay: the channel that alone has lost something. */
    readonly channel?: string;
  }
  | { readonly is: "snapshot"; readonly seq: number; readonly state: Heard }
  /** Everything up to here has been seen. */
  | { readonly is: "position"; readonly seq: number };

/** One subscription of a reader, from its wish to its end. */
export interface Stay {
  readonly place: string;
  readonly filter: readonly string[] | null;
  readonly items: Item[];
  /** The reader has left, or asked for something else in the same place. */
  over: boolean;
  /** The position that it ended with, where it was told one: of other channels, later items may have come. */
  reached?: number | undefined;
}

/** Something asked of the service, until it was answered. */
export interface Operation {
  readonly n: number;
  /** Name of the reader that asked. */
  readonly reader: string;
  /** Request, or `publish`, or `event` for a frame of type event. */
  readonly by: string;
  readonly frame: Heard;
  /** Events that it causes when it is done: channel, event, and what their data holds. */
  readonly causes: readonly { readonly channel: string; readonly event: string; readonly data: Heard }[];
  /** Repeated with the same key over the next connection, where the first ended before the answer. */
  readonly keyed: boolean;
  answered: boolean;
  /** How often it was sent. */
  sent: number;
}

export interface ReaderRecord {
  readonly name: string;
  /** Each subscription for itself knows everything. Otherwise they know it together. */
  readonly isStrict: boolean;
  readonly transcripts: readonly Transcript[];
  readonly stays: readonly Stay[];
}

export interface RunRecord {
  readonly readers: readonly ReaderRecord[];
  readonly operations: readonly Operation[];
  readonly committed: Committed;
  /** The broker delivers within the commit, so what a subscribe can be given is known exactly. */
  readonly prompt: boolean;
}
