/**
 * The channels that somebody is in or that have a past, and the kinds that they are of.
 *
 * @module
 */
import type { Broker } from "../broker/broker.ts";
import type { Journal } from "../ports/journal.ts";
import { kindOf } from "../protocol/channel-name.ts";
import type { Contract } from "../protocol/contract.ts";
import type { JsonObject } from "../protocol/json.ts";
import type { Hub } from "../rooms/hub.ts";
import type { Settings } from "../settings/schema.ts";
import { retentionByKind } from "./retention.ts";

export interface ChannelListParts {
  readonly contract: Contract;
  readonly settings: Settings;
  readonly hub: Hub;
  readonly broker: Broker;
  readonly journal: Journal;
}

interface Row {
  readonly channel: string;
  readonly kind: string;
  /** Of its newest event that is or was kept; 0 for none. */
  readonly seq: number;
}

/** At most `limit` channels of the kinds: those with the newest events first, then those without any by name. */
export function listChannels(parts: ChannelListParts, kinds: readonly string[], limit: number): JsonObject {
  const { hub, broker } = parts;
  const { epoch, seq } = broker.position;
  const rows = rowsOf(parts, kinds, limit + 1);
  return {
    epoch,
    seq,
    has_more: rows.length > limit,
    channels: rows.slice(0, limit).map((row) => ({
      channel: row.channel,
      kind: row.kind,
      members: hub.audience(row.channel),
      seq: row.seq,
    })),
    kinds: describeKinds(parts, kinds),
  };
}

/** Names of them, in the same order. */
export function channelNames(parts: RowParts, kinds: readonly string[], limit: number): string[] {
  return rowsOf(parts, kinds, limit).map(({ channel }) => channel);
}

type RowParts = Pick<ChannelListParts, "journal" | "hub">;

function rowsOf({ journal, hub }: RowParts, kinds: readonly string[], most: number): Row[] {
  const newest = kinds
    .flatMap((kind) => journal.channels(most, kind).map((found) => ({ ...found, kind })))
    .sort((a, b) => b.seq - a.seq);
  // Then the journal may know more of them, and those are all before the ones that have no events.
  if (newest.length >= most) return newest.slice(0, most);
  const listed = new Set(newest.map(({ channel }) => channel));
  const silent: Row[] = [];
  for (const channel of hub.channels) {
    const kind = kindOf(channel);
    if (kinds.includes(kind) && !listed.has(channel)) silent.push({ channel, kind, seq: 0 });
  }
  silent.sort((a, b) => a.channel < b.channel ? -1 : 1);
  return [...newest, ...silent].slice(0, most);
}

function describeKinds(
  { contract, settings, hub }: ChannelListParts,
  kinds: readonly string[],
): JsonObject[] {
  const retention = retentionByKind(contract, settings);
  return kinds.map((name) => {
    const { description, id, ephemeral = false, snapshot } = contract.channels[name as "global"];
    const { events, ageMs, bytes } = retention.get(name)!;
    return {
      kind: name,
      description,
      id: id ?? null,
      ephemeral,
      snapshot: snapshot !== undefined,
      history: ephemeral ? null : { events, age_seconds: ageMs / 1_000, bytes },
      // Who is in all channels of the kind at once.
      wildcard_members: id === undefined ? 0 : hub.audience(`${name}:*`),
    };
  });
}
