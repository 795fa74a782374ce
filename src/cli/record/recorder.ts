/**
 * Writes down what comes over channels of a service, over as many connections as that takes, until there is enough.
 *
 * @module
 */
import { ClientError, type Item, RequestError } from "../../client/mod.ts";
import type { Clock } from "../../ports/clock.ts";
import type { RecordedEnd, RecordItem } from "../../recording/record.ts";
import type { RecordWriter } from "../../recording/write-record.ts";
import { EXIT_CODES } from "../../server/exit-codes.ts";
import { withoutCovered } from "../channels.ts";
import { CommandFailure } from "../command.ts";
import { within } from "../pause.ts";
import type { Connected, Notes } from "../reach/connect.ts";
import { plainText } from "../terminal/plain-text.ts";
import { InOrder } from "./in-order.ts";

/** How long the service may take to answer, once it is connected, and the output to take the rest, in milliseconds. */
const ANSWER_MS = 10_000;
const REST_MS = 5_000;

export interface RecorderOptions {
  readonly connect: (notes: Notes) => Promise<Connected>;
  readonly service: string;
  readonly url: string;
  /** As they were asked for. One that a `kind:*` among them covers is left out. */
  readonly channels: readonly string[];
  /** Begin with the newest so many events of each. @default from now on */
  readonly last?: number | undefined;
  readonly writer: RecordWriter;
  /** End after so many events. @default no limit */
  readonly maxEvents?: number | undefined;
  /** End so many milliseconds after the service has answered. @default no limit */
  readonly durationMs?: number | undefined;
  /** Somebody wishes it to end. */
  readonly stopped: Promise<void>;
  readonly clock: Clock;
  /** The service has answered, and the header is written. */
  readonly onBegin?: () => void;
  readonly notes?: Partial<Notes>;
}

/** What a record came to. */
export interface Recorded {
  /** Null where it was stopped before the service answered: nothing is written. */
  readonly reason: RecordedEnd["reason"] | null;
  /** Why the service has ended it, where it has. */
  readonly error: Error | null;
  readonly gaps: number;
  readonly interruptions: number;
}

/**
 * Record until one of the limits is reached, somebody wishes it, or the service ends it for good.
 *
 * @throws {CommandFailure} where the service does not answer, or nobody takes what is written.
 * @throws {RequestError} where the service refuses a channel.
 * @throws {Error} what `connect` fails with before the service has answered, and what the writer's `write` rejects with.
 */
export async function recordChannels(options: RecorderOptions): Promise<Recorded> {
  const { service, url, last, writer, maxEvents = Infinity, durationMs, stopped, clock, notes = {} } =
    options;
  const channels = withoutCovered(options.channels);
  let finish: (reason: RecordedEnd["reason"]) => void = () => {};
  let fail: (error: unknown) => void = () => {};
  const finished = new Promise<RecordedEnd["reason"]>((resolve, reject) =>
    [finish, fail] = [resolve, reject]
  );
  // Awaited further below; until then nobody hears of a failure.
  finished.catch(() => {});
  const counts = { gaps: 0, interruptions: 0 };
  let ended: Error | null = null;
  let isRecording = false;
  const note = (item: RecordItem) => void (isRecording && writer.add(item).catch(fail));
  const closed = (error: Error): void => {
    ended ??= error;
    finish("closed");
  };
  const { client, opened, failed } = await options.connect({
    said: (sentence) => notes.said?.(sentence),
    lost() {
      if (isRecording) counts.interruptions++;
      note({ type: "connection", state: "lost" });
      notes.lost?.();
    },
    back() {
      note({ type: "connection", state: "restored" });
      notes.back?.();
    },
  });
  try {
    const subscriptions = channels.map((name) => client.subscribe(name, last === undefined ? {} : { last }));
    const answered = opened.then(() =>
      within(clock, ANSWER_MS, Promise.all(subscriptions.map(({ ready }) => ready)), () => {
        const seconds = `${ANSWER_MS / 1_000} seconds`;
        return failure(`${service} did not answer within ${seconds} at ${url}: nothing is recorded`);
      })
    );
    const answers = await Promise.race([answered, stopped.then(() => null), failed]);
    if (answers === null) return { reason: null, error: null, ...counts };
    await writer.begin({ service, url, channels, epoch: answers[0]?.position?.epoch ?? null });
    isRecording = true;
    options.onBegin?.();
    failed.catch(closed);
    writer.failed.catch(fail);
    void stopped.then(() => finish("stopped"));
    const cancel = durationMs === undefined ? () => {} : clock.after(durationMs, () => finish("duration"));
    const order = new InOrder(clock, async (items) => {
      for (const item of items) {
        if (writer.events >= maxEvents) break;
        if (item.type === "gap") counts.gaps++;
        await writer.add(recorded(item));
      }
      if (writer.events >= maxEvents) finish("events");
    });
    const hearing = subscriptions.map(async (subscription) => {
      try {
        for await (const item of subscription) await order.add(item);
      } catch (error) {
        if (error instanceof ClientError || error instanceof RequestError) closed(error);
        else fail(error);
      }
    });
    try {
      const reason = await finished;
      isRecording = false;
      client.close();
      // What has come already belongs to it.
      const rest = Promise.all(hearing).then(() => order.idle()).then(() => writer.end(reason));
      await within(clock, REST_MS, rest, () => failure("The rest could not be written: nobody reads it"));
      return { reason, error: ended, ...counts };
    } finally {
      cancel();
    }
  } finally {
    client.close();
  }
}

function failure(sentence: string): CommandFailure {
  return new CommandFailure(EXIT_CODES.error, plainText(sentence));
}

function recorded(item: Item): RecordItem {
  if (item.type === "gap") {
    const { type, channel, from, to, cause } = item;
    return { type, channel, from, to, cause };
  }
  if (item.type === "snapshot") {
    const { type, channel, snapshot, seq, epoch } = item;
    return { type, channel, snapshot, seq, epoch };
  }
  const { type, channel, event, id, data, timestamp, seq, prev, epoch } = item;
  const { traceparent } = item as { readonly traceparent?: string };
  return { type, channel, event, id, data, timestamp, seq, prev, epoch, traceparent };
}
