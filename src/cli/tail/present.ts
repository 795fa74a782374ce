/**
 * What `tail` shows of an event: for a file or a pipe one plain line with all of it, for a person at a terminal a line with
 * the age and the fields that tell most.
 *
 * @module
 */
import { systemClock } from "../../ports/clock.ts";
import { isJsonObject } from "../../protocol/json-value.ts";
import type { EventItem, GapItem, SnapshotItem } from "../../client/mod.ts";
import { ago } from "../terminal/ago.ts";
import type { Paint, Style } from "../terminal/paint.ts";
import { cut, plainJson, plainText } from "../terminal/plain-text.ts";

/** The line of an item; `columns` are those of the terminal. */
export type Present = (item: EventItem | SnapshotItem, columns: number) => string;

/** Time, channel, event and data, in that order. */
export function asPlain(paint: Paint): Present {
  return (item) => {
    if (item.type === "snapshot") return `- ${plainText(item.channel)} snapshot ${plainJson(item.snapshot)}`;
    const { timestamp, channel, event, data } = item;
    const head = `${plainText(timestamp)} ${plainText(channel)} ${paint(styleOf(event), plainText(event))}`;
    return `${head} ${plainJson(data)}`;
  };
}

const AGE_WIDTH = 9;
/** A field's value is told up to here. */
const MOST_CHARACTERS = 60;

/** Age, event, channel, fields. Columns grow with what comes. */
export function asTold(paint: Paint): Present {
  let [eventWidth, channelWidth] = [12, 8];
  return (item, columns) => {
    const isEvent = item.type === "event";
    const event = plainText(isEvent ? item.event : "snapshot");
    const channel = plainText(item.channel);
    eventWidth = Math.min(32, Math.max(eventWidth, event.length));
    channelWidth = Math.min(40, Math.max(channelWidth, channel.length));
    const age = isEvent ? ago(systemClock.now() - Date.parse(item.timestamp)) : "";
    const head = [age.padStart(AGE_WIDTH), event.padEnd(eventWidth), channel.padEnd(channelWidth)];
    const width = head.reduce((sum, { length }) => sum + length + 2, 0);
    const fields = isEvent ? fieldsOf(item) : plainJson(item.snapshot);
    return [
      paint("dim", head[0]!),
      isEvent ? paint(styleOf(item.event), head[1]!) : paint("dim", head[1]!),
      paint("dim", head[2]!),
      cut(fields, Math.max(20, columns - width)),
    ].join("  ").trimEnd();
  };
}

/** Without what stands in the line already. */
function fieldsOf({ channel, data }: EventItem): string {
  const id = channel.slice(channel.indexOf(":") + 1);
  if (!isJsonObject(data)) return plainJson(data);
  return Object.entries(data)
    .filter(([name, value]) => name !== "timestamp" && value !== id && value !== null)
    .map(([name, value]) => `${plainText(name)}=${valueText(value)}`)
    .join(" ");
}

function valueText(value: unknown): string {
  if (typeof value !== "string") return cut(plainJson(value), MOST_CHARACTERS);
  const text = cut(plainText(value), MOST_CHARACTERS);
  return /^[^\s"=]+$/.test(text) ? text : `"${text}"`;
}

export function gapSentence({ channel, from, to, cause }: GapItem): string {
  const which = from === null || to === null ? "" : ` after ${from}, up to ${to}`;
  return `Gap: events of ${plainText(channel)}${which} cannot be had any more (${plainText(cause)})`;
}

function styleOf(event: string): Style {
  if (/fail|error|crash|corrupt|anomaly/.test(event)) return "red";
  return /complet|checkpoint|distributed/.test(event) ? "green" : "cyan";
}
