/**
 * The channel and the names of events that a tool was given, checked as a subscribe checks them.
 *
 * @module
 */
import type { Identity } from "../ports/call.ts";
import type { Scope } from "../ports/journal.ts";
import { parseChannel } from "../protocol/channel-name.ts";
import type { ChannelKind, Contract } from "../protocol/contract.ts";
import type { Position } from "../protocol/event.ts";
import { stringifyJson } from "../protocol/json.ts";
import { nearest } from "../settings/nearest.ts";
import type { ChannelAccess } from "./channel-access.ts";
import { readCursor, type Since } from "./cursor.ts";
import type { McpHost } from "./host.ts";
import { refused } from "./tool-result.ts";
import type { ToolResult } from "./tool.ts";

export interface ReadablePlace {
  readonly channels: ChannelAccess;
  readonly name: string;
  readonly kind: string;
  readonly wildcard: boolean;
  readonly id: string | null;
  readonly scope: Scope;
  readonly spec: ChannelKind;
  /** Where to begin; null where the caller does not say it. */
  readonly since: Since | null;
  /** Null for all. */
  readonly names: ReadonlySet<string> | null;
}

export interface PlaceInput {
  readonly channel: string;
  readonly since?: string | number | undefined;
  readonly events?: readonly string[] | undefined;
}

export type PlaceResult = { readonly ok: true; readonly place: ReadablePlace } | {
  readonly ok: false;
  readonly refusal: ToolResult;
};

/** @param tool Its name, for the refusals. */
export function readablePlace(
  host: McpHost,
  tool: string,
  { channel: name, since, events }: PlaceInput,
  identity: Identity,
): PlaceResult {
  const refuse = (...why: Parameters<typeof refused>): PlaceResult => ({
    ok: false,
    refusal: refused(...why),
  });
  const parsed = parseChannel(host.contract.channels, name);
  if (!parsed.ok) return refuse("INVALID_CHANNEL", parsed.reason);
  const { kind, wildcard, id } = parsed;
  if (!host.mayRead(identity, kind)) return refuse("FORBIDDEN", `Not authorized to read ${name}`);
  const fault = faultOfNames(host.contract, events ?? []);
  if (fault) return refuse("INVALID_DATA", `Invalid data for ${tool}: ${fault}`);
  const channels = host.channels();
  if (!channels) return refuse("NOT_AVAILABLE", "The service is not up: try again in a moment");
  const begin = since === undefined ? null : readCursor(since, channels.position);
  if (begin === null && since !== undefined) {
    const expected = `a cursor of an earlier answer such as '${example(channels.position)}', or 'start'`;
    return refuse("INVALID_DATA", `Invalid data for ${tool}: since: expected ${expected}`);
  }
  return {
    ok: true,
    place: {
      ...{ channels, name, kind, wildcard, id },
      scope: wildcard ? { kind } : { channel: name },
      spec: (host.contract.channels as Readonly<Record<string, ChannelKind>>)[kind]!,
      since: begin,
      names: events ? new Set(events) : null,
    },
  };
}

function example({ epoch, seq }: Position): string {
  return `${epoch}:${seq}`;
}

function faultOfNames({ events: known }: Contract, names: readonly string[]): string | null {
  const index = names.findIndex((name) => !Object.hasOwn(known, name));
  if (index < 0) return null;
  const hint = nearest(names[index]!, Object.keys(known));
  const choices = hint ? `did you mean '${hint}'?` : `there are ${Object.keys(known).join(", ")}`;
  return `events.${index}: expected the name of an event of this service; ${choices}`;
}

/** How to learn the state of what a channel is about. */
export function howToReadState({ spec, id, wildcard }: ReadablePlace): string {
  if (spec.id === undefined || wildcard || id === null) {
    return "read the state again with the service's tools";
  }
  return `read the state again, such as with get_status ${stringifyJson({ [spec.id]: id })}`;
}
