/**
 * The tool that waits for an event, so that nobody needs to poll.
 *
 * @module
 */
import * as v from "valibot";
import type { Position } from "../protocol/event.ts";
import type { JsonObject } from "../protocol/json.ts";
import { awaitEvent, type WaitEnd } from "./await-event.ts";
import { SinceInput, writeCursor } from "./cursor.ts";
import { conditionsOf, isWanted, MatchInput, NamesInput } from "./event-match.ts";
import { exampleOf } from "./example-place.ts";
import type { McpHost } from "./host.ts";
import { howToReadState, type ReadablePlace, readablePlace } from "./readable-place.ts";
import type { ReadingTurns } from "./reading-turns.ts";
import { serverTool } from "./server-tool.ts";
import { type Missed, MissedEvents, NOTICE, tellEvent, ToldEvent } from "./told-event.ts";
import { answered, refused } from "./tool-result.ts";
import { type Caller, LOOKS, type Tool, type ToolContext, type ToolResult } from "./tool.ts";
import type { WaitPlaces } from "./wait-places.ts";

/** Seconds; clients give up on calls after a minute. */
const MAX_TIMEOUT = 45;
const DEFAULT_TIMEOUT = 30;
/** An event with more characters is told without its data. */
const MAX_CHARACTERS = 100_000;

/** What all who wait at a server share. */
export interface WaitParts {
  readonly places: WaitPlaces;
  readonly turns: ReadingTurns;
}

export function waitForEventTool(host: McpHost, parts: WaitParts): Tool {
  const { channel, event, names, forms } = exampleOf(host.contract);
  const Input = v.strictObject({
    channel: v.pipe(
      v.string(),
      v.description(`Where the event comes: one of ${forms}, or \`kind:*\` for all channels of a kind`),
    ),
    events: v.pipe(
      v.optional(NamesInput),
      v.description(`Names of the events to wait for; default: any. There are ${names}`),
    ),
    match: v.pipe(
      v.optional(MatchInput),
      v.description(
        "Fields that the event's `data` must have, all of them: name to value. Dots go down into objects " +
          '(`"error.code": 5`). A value must be equal; a list means one of these; null means that the field is there ' +
          "and null. At most 16 fields",
      ),
    ),
    since: v.pipe(
      v.optional(SinceInput),
      v.description(
        'Also look through what came after this: the `cursor` of an earlier answer, or "start" for all that is ' +
          "kept, which is right for what you have just started. Without it: only what happens from now on",
      ),
    ),
    timeout: v.pipe(
      v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(MAX_TIMEOUT)), DEFAULT_TIMEOUT),
      v.description("Seconds to wait, 0 to 45; 0 looks and answers at once. Default: 30"),
    ),
  });
  return serverTool(host, {
    name: "wait_for_event",
    description:
      "Wait for an event instead of polling: answers as soon as one in `channel` fits `events` and `match`. Look at " +
      "`outcome`. matched: `event` is it. timeout: nothing yet; call again with `since` set to the answer's `cursor`. " +
      "truncated: events that you have not seen are lost; read the state again, then call with `since` set to " +
      "`cursor`. With the last `cursor` as `since`, nothing is missed or repeated between two calls. Example, after " +
      `starting something: {"channel": "${channel}", "events": ["${event}"], "since": "start"}`,
    access: "read",
    input: Input,
    output: Output,
    annotations: LOOKS,
    answer: (input, caller, context) => wait(host, parts, input, caller, context),
  });
}

const Output = v.object({
  notice: v.string(),
  outcome: v.picklist(["matched", "timeout", "truncated"]),
  event: v.pipe(v.optional(ToldEvent), v.description("With outcome matched")),
  cursor: v.pipe(v.string(), v.description("`since` of the next call")),
  missed: v.pipe(v.optional(MissedEvents), v.description("Events after `since` that cannot be had")),
  advice: v.pipe(v.optional(v.string()), v.description("What to do next")),
});

interface Input {
  readonly channel: string;
  readonly events?: readonly string[] | undefined;
  readonly match?: v.InferOutput<typeof MatchInput> | undefined;
  readonly since?: string | number | undefined;
  readonly timeout: number;
}

async function wait(
  host: McpHost,
  { places, turns }: WaitParts,
  input: Input,
  caller: Caller,
  context: ToolContext,
): Promise<ToolResult> {
  const found = readablePlace(host, "wait_for_event", input, caller.identity);
  if (!found.ok) return found.refusal;
  const { place } = found;
  const giveBack = places.take(caller);
  if (typeof giveBack === "string") return refused("RATE_LIMIT_EXCEEDED", giveBack);
  const { epoch } = place.channels.position;
  const { match, timeout } = input;
  const conditions = match ? conditionsOf(match) : null;
  try {
    const end = await awaitEvent({
      ...{ host, place, turns, context, timeoutMs: timeout * 1000 },
      isWanted: (event) => isWanted(event, place.names, conditions),
    });
    if (end.outcome === "unavailable") {
      return refused("NOT_AVAILABLE", "The service is stopping, or its history cannot be read at present");
    }
    if (end.outcome === "cancelled") return refused("NOT_AVAILABLE", "The call was cancelled");
    return answered({ notice: NOTICE, ...answerOf(host.contract.name, epoch, place, end) });
  } finally {
    giveBack();
  }
}

type Outcome = Exclude<WaitEnd, { readonly outcome: "unavailable" | "cancelled" }>;

function answerOf(service: string, epoch: string, place: ReadablePlace, end: Outcome): JsonObject {
  const { outcome, missed } = end;
  const cursor = (seq: Position["seq"]) => writeCursor({ epoch, seq });
  const loss: JsonObject = missed ? { missed } : {};
  if (outcome === "matched") {
    const { event } = tellEvent(service, end.event, MAX_CHARACTERS);
    return { outcome, event, cursor: cursor(end.event.seq), ...loss };
  }
  if (outcome === "timeout") {
    const advice =
      "Nothing that fits has happened yet: to go on waiting, call again with this cursor as `since`";
    return { outcome, cursor: cursor(end.seq), ...loss, advice };
  }
  return { outcome, cursor: cursor(end.missed.to), ...loss, advice: afterLoss(place, end.missed) };
}

function afterLoss(place: ReadablePlace, { cause }: Missed): string {
  const why = {
    history: "Events after `since` are no longer kept",
    epoch: "The service has lost the history that `since` belongs to",
    ahead: "`since` lies ahead of all that has happened",
    ephemeral: "This kind of channel keeps no events",
  }[cause];
  return `${why}: ${howToReadState(place)}, then call again with this cursor as \`since\``;
}
