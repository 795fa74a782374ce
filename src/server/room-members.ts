/**
 * Rooms as a host sees them, who knows connections by their ids.
 *
 * @module
 */
import { parseChannel } from "../protocol/channel-name.ts";
import type { Contract } from "../protocol/contract.ts";
import type { Position } from "../protocol/event.ts";
import type { Hub } from "../rooms/hub.ts";
import type { Member } from "../rooms/subscription.ts";

/** Channels and wildcards that somebody is in, with the ids of their members. */
export function idsByRoom(hub: Hub): ReadonlyMap<string, ReadonlySet<string>> {
  return new Map([...hub.rooms].map(([name, members]) => [name, new Set([...members].map(({ id }) => id))]));
}

/** Put a member into a channel or wildcard, as one that wants every event from now on. False where there is none such. */
export function joinByName(
  hub: Hub,
  channels: Contract["channels"],
  member: Member,
  name: string,
  { seq }: Position,
): boolean {
  const place = parseChannel(channels, name);
  if (!place.ok) return false;
  const { kind, wildcard } = place;
  hub.join(member, { name, kind, wildcard }, { filter: null, start: seq, joinedAt: seq }).live = true;
  return true;
}
