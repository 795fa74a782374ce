/**
 * Whether a record has what is wanted of it, told before anybody waits.
 *
 * @module
 */
import { kindOf } from "../../protocol/channel-name.ts";
import { meantHint, nearest } from "../../settings/nearest.ts";
import { quoted, SettingsError } from "../../settings/settings-error.ts";
import { span } from "../terminal/ago.ts";
import { plainText } from "../terminal/plain-text.ts";
import type { Part } from "./selection.ts";
import { MAX_NAMES, type Survey } from "./survey.ts";

/** Channels that a message names. */
const MOST_TOLD = 20;

/** @throws {SettingsError} where nothing could be replayed of a channel, or from there on. */
export function checkPart(survey: Survey, { from, channels = [] }: Part): void {
  const problems = channels.filter((name) => !isThere(survey, name)).map((name) => {
    const known = [...survey.kinds].map(([kind, hasId]) => hasId ? `${kind}:*` : kind);
    const meant = nearest(name, name.endsWith(":*") ? known : [...survey.channels, ...known]);
    const hint = meantHint(meant && plainText(meant));
    const all = known.slice(0, MOST_TOLD).map(plainText).join(", ");
    return `--channel: expected a channel of the record, which has ${all}, got ${quoted(name)}${hint}`;
  });
  if (problems.length === 0 && from && survey.wanted === 0 && survey.last) {
    const { at, seq } = survey.last;
    const moment = new Date(Date.parse(survey.header.started_at) + at).toISOString();
    const places = [span(at), ...seq === undefined ? [] : [`seq ${seq}`], moment].join(", ");
    const which = channels.length > 0 ? "of --channel" : "of the record";
    problems.push(`--from: expected a place up to the last event ${which} (${places}), got one behind it`);
  }
  if (problems.length > 0) throw new SettingsError(problems);
}

function isThere({ header, kinds, channels }: Survey, name: string): boolean {
  if (header.channels.includes(name) || channels.has(name)) return true;
  if (name.endsWith(":*")) return kinds.has(kindOf(name));
  return channels.size >= MAX_NAMES && kinds.has(kindOf(name));
}
