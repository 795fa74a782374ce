/**
 * A caller of the tools that wait for events and read them, in process, with a clock that the test moves.
 *
 * @module
 */
import type { ToolContext } from "../../src/mcp/tool.ts";
import { readEventsTool } from "../../src/mcp/read-events.ts";
import { ReadingTurns } from "../../src/mcp/reading-turns.ts";
import { waitForEventTool } from "../../src/mcp/wait-for-event.ts";
import { type WaitBounds, WaitPlaces } from "../../src/mcp/wait-places.ts";
import { ANONYMOUS, type Identity } from "../../src/ports/call.ts";
import { type JsonObject, parseJson } from "../../src/protocol/json.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { notesHost, type NotesOptions } from "./notes-service.ts";

export interface ToldNote {
  readonly id: string;
  readonly channel: string;
  readonly event: string;
  readonly data: JsonObject;
  readonly timestamp: string;
  readonly seq: number;
  readonly source: string;
  readonly repeated?: number;
}

export interface Missed {
  readonly from: number;
  readonly to: number;
  readonly cause: string;
}

/** What both tools answer, and the sentence of a refusal. */
export interface EventsAnswer {
  readonly notice: string;
  readonly outcome: string;
  readonly event?: ToldNote;
  readonly events: readonly ToldNote[];
  readonly cursor: string;
  readonly more?: boolean;
  readonly left_out: {
    readonly older: number;
    readonly folded: number;
    readonly filtered: number;
    readonly too_large: number;
  };
  readonly missed?: Missed;
  readonly advice?: string;
  readonly refusal?: string;
}

/** Timers stand still; the end of a tick comes by itself. */
export class RunningTicks extends FakeClock {
  override endOfTick(work: () => void): void {
    setImmediate(work);
  }
}

/** All that can go on without a timer has gone on. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}

export interface CallOptions {
  readonly identity?: Identity;
  readonly origin?: string | null;
  readonly signal?: AbortSignal;
  readonly progress?: ToolContext["progress"];
}

export interface ReaderOptions extends NotesOptions {
  readonly clock?: FakeClock;
  readonly bounds?: WaitBounds;
}

export function eventReader(options: ReaderOptions = {}) {
  const clock = options.clock ?? new RunningTicks();
  const host = notesHost({ ...options, clock });
  const { watches } = host;
  /** Watches and timers that wait now. */
  const held = { watches: 0 };
  for (const name of ["watch", "onStop"] as const) {
    const begin = watches[name].bind(watches) as (...args: unknown[]) => () => void;
    Object.assign(watches, {
      [name]: (...args: unknown[]) => {
        const stop = begin(...args);
        held.watches++;
        return () => {
          held.watches--;
          stop();
        };
      },
    });
  }
  const turns = new ReadingTurns(host.clock);
  const places = new WaitPlaces(options.bounds);
  const tools = [waitForEventTool(host, { places, turns }), readEventsTool(host, turns)];
  const timers = clock.pending;

  const call = async (name: string, data: object, by: CallOptions = {}): Promise<EventsAnswer> => {
    const { identity = ANONYMOUS, origin = null, progress = null } = by;
    const signal = by.signal ?? new AbortController().signal;
    const tool = tools.find(({ listing }) => listing.name === name)!;
    const result = await tool.call(data as JsonObject, { identity, origin }, {
      signal,
      progress,
      extra: null,
    });
    const text = String(result.content[0]!.text);
    if (result.isError) return { refusal: text } as EventsAnswer;
    return (parseJson(text) as { value: unknown }).value as EventsAnswer;
  };
  return {
    clock,
    host,
    publish: host.live!.publish,
    wait: (data: object, by?: CallOptions) => call("wait_for_event", data, by),
    read: (data: object, by?: CallOptions) => call("read_events", data, by),
    /** What calls under way hold: nothing where there are none. */
    held: () => held.watches + clock.pending - timers,
  };
}
