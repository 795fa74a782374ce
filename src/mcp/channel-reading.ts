/**
 * What a resource says of its channel when it is read: the state, how far it goes, and what happened last, all of one
 * moment.
 *
 * @module
 */
import type { Scope } from "../ports/journal.ts";
import type { Position, SequencedEvent } from "../protocol/event.ts";
import { type JsonObject, stringifyJson } from "../protocol/json.ts";
import type { ChannelAccess } from "./channel-access.ts";
import { writeCursor } from "./cursor.ts";
import { NOTICE, tellEvent } from "./told-event.ts";
import type { WatchedPlace } from "./watches.ts";

const RECENT_EVENTS = 20;
/** Of the recent events as JSON, in UTF-16 units. */
const RECENT_CHARACTERS = 65_536;
/** A larger state is left out. */
const MAX_SNAPSHOT_BYTES = 900_000;
/** Looks at a history that grows while it is read. */
const MOST_LOOKS = 3;

/** @param service Its name. */
export async function readChannel(
  service: string,
  channels: ChannelAccess,
  place: WatchedPlace,
): Promise<JsonObject> {
  const { name, kind, wildcard } = place;
  const found = wildcard ? null : channels.snapshot(name);
  // A state may contain events that the broker has not brought yet; whoever goes on from here is not told them again.
  const position = found?.position ?? channels.position;
  const scope = wildcard ? { kind } : { channel: name };
  const past = await pastOf(channels, scope, position);
  const recent: JsonObject[] = [];
  let room = RECENT_CHARACTERS;
  for (const event of past.toReversed()) {
    const told = tellEvent(service, event, RECENT_CHARACTERS);
    if (told.characters > room) break;
    room -= told.characters;
    recent.unshift(told.event);
  }
  const [oldest] = await channels.read(scope, 0, 1);
  const firstShown = recent.length > 0 ? past.at(-recent.length)!.seq : position.seq + 1;
  return {
    notice: NOTICE,
    channel: name,
    ...stateOf(found?.state ?? null),
    epoch: position.epoch,
    seq: position.seq,
    cursor: writeCursor(position),
    recent,
    more_before: oldest !== undefined && oldest.seq < firstShown,
  };
}

function stateOf(state: JsonObject | null): JsonObject {
  const bytes = state === null ? 0 : new TextEncoder().encode(stringifyJson(state)).byteLength;
  if (bytes <= MAX_SNAPSHOT_BYTES) return { snapshot: state };
  const advice = `More than ${MAX_SNAPSHOT_BYTES} bytes: ask for parts of it by the service's tools`;
  return { snapshot: null, snapshot_too_large: { bytes, advice } };
}

/** The newest events of the scope that are not newer than a position. */
async function pastOf(
  channels: ChannelAccess,
  scope: Scope,
  { epoch, seq }: Position,
): Promise<readonly SequencedEvent[]> {
  let past: SequencedEvent[] = [];
  // Before a broker answers more may happen. It is not shown, but it takes places.
  for (let look = 1, newer = 0; look <= MOST_LOOKS; look++) {
    const events = await channels.last(scope, RECENT_EVENTS + newer, RECENT_CHARACTERS * look);
    past = events.filter((event) => event.epoch === epoch && event.seq <= seq).slice(-RECENT_EVENTS);
    newer = events.length - past.length;
    if (newer === 0 || past.length === RECENT_EVENTS) break;
  }
  return past;
}
