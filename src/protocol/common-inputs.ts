/**
 * What the requests take that every service answers. One schema each, for the dispatch and for the MCP tools.
 *
 * @module
 */
import * as v from "valibot";

/** Events that one `get_history` answers at most. */
export const HISTORY_LIMIT = 1_000;
/** Bytes of the events that one `get_history` answers at most, so that the answer fits into a frame. */
export const HISTORY_BYTES = 900_000;

const ChannelName = v.pipe(v.string(), v.description("A channel's name, such as global"));

/** A position that a client comes back with. */
export const PositionInput = v.object({
  epoch: v.string(),
  seq: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});

export const PresenceInput = v.object({ channel: ChannelName });

export const HistoryInput = v.object({
  channel: ChannelName,
  since: v.optional(PositionInput),
  limit: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(HISTORY_LIMIT)), 100),
});

export const PublishInput = v.object({
  channel: v.optional(v.nullable(v.string())),
  event: v.string(),
  data: v.optional(v.record(v.string(), v.unknown()), {}),
});

/** With an id of the service, the state of that object is asked for. */
export const StatusInput = v.record(v.string(), v.unknown());

export type PresenceInput = v.InferOutput<typeof PresenceInput>;
export type HistoryInput = v.InferOutput<typeof HistoryInput>;
export type PublishInput = v.InferOutput<typeof PublishInput>;
