/**
 * A record: what came over some channels of a service, in a file that can be read, searched and replayed. One JSON
 * object per line: a header, then what came, in the order in which it came. The format is described in
 * docs/record-format.md.
 *
 * @module
 */
import type { JsonObject } from "../protocol/json.ts";

/** What `format` says of every record. */
export const RECORD_FORMAT = "mcp-realtime-record";
/** The version that is written, and the latest that can be read. Grows when older readers would misunderstand. */
export const RECORD_VERSION = 1;

/** The first line. */
export interface RecordHeader {
  readonly format: typeof RECORD_FORMAT;
  readonly version: number;
  /** Name of the service. */
  readonly service: string;
  /** Where it was heard, without user, password and query. */
  readonly url: string;
  /** As they were subscribed to: names, or `kind:*`. */
  readonly channels: readonly string[];
  /** UTC, ISO 8601: the moment from which `at` counts. */
  readonly started_at: string;
  /** Of the service's positions at the start; null where the server keeps none. */
  readonly epoch: string | null;
}

/** Milliseconds since the start, by a clock that never goes back. */
interface Moment {
  readonly at: number;
}

/** An event as it was delivered. Positions are missing where the server keeps none. */
export interface RecordedEvent {
  readonly type: "event";
  readonly channel: string;
  readonly event: string;
  readonly id: string;
  readonly data: JsonObject;
  readonly timestamp: string;
  readonly seq?: number | undefined;
  readonly prev?: number | undefined;
  readonly epoch?: string | undefined;
  readonly traceparent?: string | undefined;
}

/** Events that could not be had: those after `from`, up to `to`. */
export interface RecordedGap {
  readonly type: "gap";
  readonly channel: string;
  readonly from: number | null;
  readonly to: number | null;
  readonly cause: string;
}

/** The state behind a channel: contains every event up to `seq`. */
export interface RecordedSnapshot {
  readonly type: "snapshot";
  readonly channel: string;
  readonly snapshot: JsonObject;
  readonly seq: number;
  readonly epoch: string;
}

/** The connection to the service was lost, or is back. What was missed meanwhile follows as events, or as a gap. */
export interface RecordedConnection {
  readonly type: "connection";
  readonly state: "lost" | "restored";
}

/** The last line of a record that was ended in order. One that lacks it was cut off. */
export interface RecordedEnd {
  readonly type: "end";
  /** Why: `events` and `duration` are the limits that were asked for, `stopped` somebody's wish, `closed` the server's. */
  readonly reason: "events" | "duration" | "stopped" | "closed";
  /** How many were recorded. */
  readonly events: number;
}

export type RecordItem =
  | RecordedEvent
  | RecordedGap
  | RecordedSnapshot
  | RecordedConnection
  | RecordedEnd;

/** A line after the header. */
export type RecordEntry = RecordItem & Moment;

/** A file that is no record, or a damaged one. The message names file and line, what was expected and what came. */
export class RecordError extends Error {
  override readonly name = "RecordError";
}

/** An address as a header may hold it. */
export function publicAddress(url: string): string {
  const address = new URL(url);
  address.username = "";
  address.password = "";
  address.search = "";
  address.hash = "";
  return address.href;
}
