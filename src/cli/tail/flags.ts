/**
 * What the flags and words of `tail` say, checked against the contract before anybody waits.
 *
 * @module
 */
import { parseChannel } from "../../protocol/channel-name.ts";
import type { Contract } from "../../protocol/contract.ts";
import type { Position } from "../../protocol/event.ts";
import { meantHint, nearest } from "../../settings/nearest.ts";
import { quoted, SettingsError } from "../../settings/settings-error.ts";
import type { ServiceFlags } from "../reach/reach.ts";

export interface TailFlags extends ServiceFlags {
  readonly since?: Position;
  readonly last?: number;
  readonly until?: readonly string[];
  /** Milliseconds. */
  readonly timeout?: number;
  readonly json?: boolean;
}

/** @throws {SettingsError} */
export function readPosition(text: string): Position {
  const [, epoch = "", digits] = /^(.{1,255}):(\d{1,16})$/s.exec(text) ?? [];
  const seq = Number(digits);
  if (epoch !== "" && Number.isSafeInteger(seq)) return { epoch, seq };
  throw new SettingsError([
    `--since: expected EPOCH:SEQ, as an event or an earlier tail told it, got ${quoted(text)}`,
  ]);
}

export function writePosition({ epoch, seq }: Position): string {
  return `${epoch}:${seq}`;
}

/** @throws {SettingsError} */
export function readCount(text: string): number {
  const count = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (count > 0) return count;
  throw new SettingsError([`--last: expected a whole number from 1, got ${quoted(text)}`]);
}

/** Channels and events that nobody could wait for are told at once. @throws {SettingsError} with every fault. */
export function checkPlaces(
  contract: Contract | null,
  channels: readonly string[],
  { since, last, until = [] }: TailFlags,
): void {
  const problems: string[] = [];
  if (since && last !== undefined) problems.push("--last: expected without --since: leave one of them out");
  if (contract) {
    problems.push(...channels.flatMap((name) => channelFault(contract, name)));
    if (problems.length === 0) {
      problems.push(...until.flatMap((event) => eventFault(contract, event, channels)));
    }
  }
  if (problems.length > 0) throw new SettingsError(problems);
}

function channelFault(contract: Contract, name: string): string[] {
  const place = parseChannel(contract.channels, name);
  if (place.ok) return [];
  const colon = name.indexOf(":");
  const known = Object.keys(contract.channels);
  const kind = colon < 0 ? name : name.slice(0, colon);
  const isKnown = known.includes(kind);
  const meant = isKnown ? undefined : nearest(kind, known);
  const all = isKnown && colon < 0 ? `; '${kind}:*' is all of them` : "";
  return [`tail: ${place.reason}${all}${meantHint(meant)}`];
}

function eventFault(
  { name, channels: kinds, events }: Contract,
  event: string,
  channels: readonly string[],
): string[] {
  const spec = Object.hasOwn(events, event) ? events[event] : undefined;
  if (!spec) {
    const known = Object.keys(events);
    const hint = meantHint(nearest(event, known), `: ${known.join(", ")}`);
    return [`--until: expected an event of ${name}, got ${quoted(event)}${hint}`];
  }
  if (typeof spec.channels === "function") return [];
  const targets = spec.channels;
  const heard = channels.some((channel) => targets.includes(channel.split(":", 1)[0]!));
  if (heard) return [];
  const where = targets.map((kind) => kinds[kind]?.id === undefined ? kind : `${kind}:*`).join(" or ");
  return [
    `--until: expected an event of ${channels.join(", ")}, got ${quoted(event)}, which goes to ${where}`,
  ];
}
