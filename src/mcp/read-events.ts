/**
 * The tool that reads what has happened, as much of it as the caller has room for.
 *
 * @module
 */
import * as v from "valibot";
import type { SequencedEvent } from "../protocol/event.ts";
import type { JsonObject } from "../protocol/json.ts";
import { SinceInput, writeCursor } from "./cursor.ts";
import { NamesInput } from "./event-match.ts";
import { exampleOf } from "./example-place.ts";
import { FoldedEvents } from "./folded-events.ts";
import type { McpHost } from "./host.ts";
import { beginningOf, PastEvents } from "./past-events.ts";
import { howToReadState, type ReadablePlace, readablePlace } from "./readable-place.ts";
import type { ReadingTurns } from "./reading-turns.ts";
import { serverTool } from "./server-tool.ts";
import { type Missed, MissedEvents, NOTICE, ToldEvent } from "./told-event.ts";
import { answered } from "./tool-result.ts";
import { type Caller, LOOKS, type Tool, type ToolResult } from "./tool.ts";

/** Pieces of the past that one call looks at. */
const MAX_PIECES = 80;
/** The newest events that are fetched; where all of these do not fill the answer, the next number of them. */
const WINDOWS = [{ events: 256, bytes: 1_048_576 }, { events: 4_096, bytes: 4_194_304 }] as const;

/** @param turns Shared by all who read the past of the service. */
export function readEventsTool(host: McpHost, turns: ReadingTurns): Tool {
  const { channel, names } = exampleOf(host.contract);
  const Input = v.strictObject({
    channel: v.pipe(
      v.string(),
      v.description(`Channel, or \`kind:*\` for all of a kind, such as ${channel}`),
    ),
    since: v.pipe(
      v.optional(SinceInput),
      v.description(
        "Read what came after this: the `cursor` of an earlier answer of this tool or of wait_for_event, or " +
          '"start" for the oldest that is kept. Without it: the newest events that fit',
      ),
    ),
    events: v.pipe(
      v.optional(NamesInput),
      v.description(`Names of events; default: all. There are ${names}`),
    ),
    max_chars: v.pipe(
      v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(500), v.maxValue(100_000)), 8_000),
      v.description("Room for the events, in characters; default: 8000"),
    ),
  });
  return serverTool(host, {
    name: "read_events",
    description:
      "Read what has happened in a channel, in bounded length, oldest first. To learn what is going on: call it without " +
      "`since` and get the newest. To go on: give the answer's `cursor` as `since`; with `more`, call again at once. " +
      "Repetitions are folded into one event (`repeated`), and `left_out` says how many events were not told and why. " +
      "To wait for something that has not happened yet, use wait_for_event instead. Example: " +
      `{"channel": "${channel}", "max_chars": 4000}`,
    access: "read",
    input: Input,
    output: Output,
    annotations: LOOKS,
    answer: (input, caller) => read(host, turns, input, caller),
  });
}

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const Output = v.object({
  notice: v.string(),
  events: v.array(v.object({
    ...ToldEvent.entries,
    repeated: v.pipe(
      v.optional(count),
      v.description("It happened so often with the same data; time and seq are of the last time"),
    ),
  })),
  cursor: v.pipe(
    v.string(),
    v.description("As `since` of the next call it brings what comes after this answer"),
  ),
  more: v.pipe(v.optional(v.boolean()), v.description("There are more already: call again with the cursor")),
  left_out: v.object({
    older: v.pipe(count, v.description("Older than the answer; at least so many")),
    folded: v.pipe(count, v.description("Others of the answer stand for them")),
    filtered: v.pipe(count, v.description("Not among the names in `events`")),
    too_large: v.pipe(count, v.description("Told, but without their data: a larger max_chars brings it")),
  }),
  missed: v.pipe(v.optional(MissedEvents), v.description("Events after `since` that cannot be had")),
  advice: v.optional(v.string()),
});

interface Input {
  readonly channel: string;
  readonly since?: string | number | undefined;
  readonly events?: readonly string[] | undefined;
  readonly max_chars: number;
}

interface Page {
  readonly events: FoldedEvents;
  /** All up to this seq was looked at. */
  readonly seq: number;
  readonly more: boolean;
  readonly older: number;
  readonly filtered: number;
  readonly missed: Missed | null;
}

async function read(
  host: McpHost,
  turns: ReadingTurns,
  input: Input,
  { identity }: Caller,
): Promise<ToolResult> {
  const found = readablePlace(host, "read_events", input, identity);
  if (!found.ok) return found.refusal;
  const { place } = found;
  const { epoch } = place.channels.position;
  const events = new FoldedEvents({
    service: host.contract.name,
    latestBy: place.spec.latestBy,
    maxCharacters: input.max_chars,
  });
  const page = await (place.since === null ? newest(place, events) : onward(turns, place, events));
  return answered({
    notice: NOTICE,
    events: events.list(),
    cursor: writeCursor({ epoch, seq: page.seq }),
    ...(page.more ? { more: true } : {}),
    left_out: { older: page.older, folded: events.folded, filtered: page.filtered, too_large: events.cut },
    ...lossOf(place, page.missed),
  });
}

function lossOf(place: ReadablePlace, missed: Missed | null): JsonObject {
  if (!missed) return {};
  const advice = missed.cause === "ephemeral"
    ? "This kind of channel keeps no events: wait_for_event hears them as they come"
    : `Some events are lost: ${howToReadState(place)}`;
  return { missed, advice };
}

function isNamed({ event }: SequencedEvent, { names }: ReadablePlace): boolean {
  return names === null || names.has(event);
}

/** From the newest backwards, as far as there is room. */
async function newest(place: ReadablePlace, events: FoldedEvents): Promise<Page> {
  const { channels, scope } = place;
  const { seq } = channels.position;
  let older = 0;
  let filtered = 0;
  /** All from this seq on has been looked at. */
  let reached = Infinity;
  for (const window of place.spec.ephemeral ? [] : WINDOWS) {
    const fetched = await channels.last(scope, window.events, window.bytes);
    const [oldest] = await channels.read(scope, 0, 1);
    // What lies ahead of the position is for the next call.
    const unseen = fetched.filter((event) => event.seq <= seq && event.seq < reached);
    for (const event of unseen.toReversed()) {
      if (!isNamed(event, place)) filtered++;
      else if (!events.add(event)) break;
      reached = event.seq;
    }
    const left = unseen.filter((event) => event.seq < reached).length;
    const isWhole = oldest === undefined || oldest.seq >= (fetched[0]?.seq ?? 0);
    older = left + (isWhole ? 0 : 1);
    if (left > 0 || isWhole) break;
  }
  return { events, seq, more: false, older, filtered, missed: null };
}

/** From `since` towards the present, as far as there is room. */
async function onward(turns: ReadingTurns, place: ReadablePlace, events: FoldedEvents): Promise<Page> {
  const beginning = await beginningOf(place);
  const past = new PastEvents(place, beginning, turns);
  let { missed } = beginning;
  let seq = beginning.after;
  let filtered = 0;
  let pieces = 0;
  const pageTo = (more: boolean): Page => ({ events, seq, more, older: 0, filtered, missed });
  for (let piece = await past.next(); piece; piece = await past.next()) {
    if ("missed" in piece) {
      // Told by the next call, which begins before it.
      if (pieces > 0) return pageTo(true);
      seq = piece.missed.to;
      if (place.since !== "start") missed = { ...(missed ?? piece.missed), to: seq };
      continue;
    }
    for (const event of piece.events) {
      if (!isNamed(event, place)) filtered++;
      else if (!events.add(event)) return pageTo(true);
      seq = event.seq;
    }
    if (++pieces >= MAX_PIECES && past.cursor < beginning.until) return pageTo(true);
  }
  seq = beginning.until;
  return pageTo(false);
}
