/**
 * Subscribe and unsubscribe, in every form that clients use: as a request, an event or a type of its own; the
 * channel in `data.channel`, `data.room` or the envelope's `room`.
 *
 * @module
 */
import * as v from "valibot";
import type { Broker } from "../broker/broker.ts";
import { Frame } from "../ports/socket.ts";
import { parseChannel } from "../protocol/channel-name.ts";
import { type InboundFrame, MAX_OUTBOUND_FRAME_BYTES } from "../protocol/envelope.ts";
import type { Position } from "../protocol/event.ts";
import { type JsonObject, stringifyJson } from "../protocol/json.ts";
import type { Subscription } from "../rooms/subscription.ts";
import type { Client } from "./client.ts";

/** What a reply that carries a snapshot may spend on it; the rest is for the envelope, ids and names. */
const MAX_SNAPSHOT_BYTES = MAX_OUTBOUND_FRAME_BYTES - 16_384;

const whole = (least: number) => {
  const message = `expected a whole number of at least ${least}`;
  return v.pipe(v.number(message), v.safeInteger(message), v.minValue(least, message));
};
const TYPES = "expected 1 to 64 event types";

/** What a subscribe may ask for besides the channel. The messages show nothing of what came. */
const Options = v.object({
  since: v.optional(
    v.object({ epoch: v.string("expected text"), seq: whole(0) }, "expected an object with epoch and seq"),
  ),
  last: v.optional(whole(1)),
  events: v.optional(
    v.pipe(v.array(v.string("expected text"), TYPES), v.minLength(1, TYPES), v.maxLength(64, TYPES)),
  ),
});

type Options = v.InferOutput<typeof Options>;

function channelOf(frame: InboundFrame): unknown {
  return frame.data["channel"] ?? frame.data["room"] ?? frame.room;
}

function placeOf({ host }: Client, frame: InboundFrame): ReturnType<typeof parseChannel> {
  const channel = channelOf(frame) ?? null;
  if (channel === null) return { ok: false, reason: "Expected the channel's name in data.channel, got none" };
  return parseChannel(host.channels, channel, host.settings.channelNameCharacters);
}

/** Resolves, where a replay or a distant broker must be waited for, when the client has been answered. */
export function subscribe(
  connection: Client,
  frame: InboundFrame,
  correlationId: string | null,
): void | Promise<void> {
  const { host } = connection;
  const { broker, hub } = host;
  if (!broker) {
    connection.fail(frame, correlationId, "NOT_AVAILABLE", "The service is not up: try again in a moment");
    return;
  }
  const parsed = placeOf(connection, frame);
  if (!parsed.ok) return connection.fail(frame, correlationId, "INVALID_CHANNEL", parsed.reason);
  const name = String(channelOf(frame));
  if (!host.mayJoin(connection.identity, parsed.kind)) {
    return connection.fail(frame, correlationId, "FORBIDDEN", `Not authorized to subscribe to ${name}`);
  }
  const options = v.safeParse(Options, frame.data);
  if (!options.success) {
    const [issue] = options.issues;
    const message = `Invalid data for subscribe: ${v.getDotPath(issue) ?? "data"}: ${issue.message}`;
    return connection.fail(frame, correlationId, "INVALID_DATA", message);
  }
  const unknown = options.output.events?.findIndex((event) => !host.hasEvent(event)) ?? -1;
  if (unknown >= 0) {
    const message =
      `Invalid data for subscribe: events.${unknown}: expected an event of this service, got another`;
    return connection.fail(frame, correlationId, "INVALID_DATA", message);
  }
  const limit = host.settings.channelsPerConnection;
  const mine = hub.subscriptions(connection);
  if (limit > 0 && !mine.has(name) && mine.size >= limit) {
    const message =
      `Cannot subscribe to ${name} as at most ${limit} channels are allowed: unsubscribe from one first`;
    return connection.fail(frame, correlationId, "TOO_MANY_CHANNELS", message);
  }
  const place = { name, kind: parsed.kind, wildcard: parsed.wildcard };
  const busy = connection.replaying(place, "join");
  if (busy) {
    return busy.then(() => connection.over ? undefined : subscribe(connection, frame, correlationId));
  }
  const wish = options.output;
  const entry: Entry = {
    place,
    wish,
    broker,
    ephemeral: host.channels[parsed.kind]?.ephemeral === true,
  };
  const scope = parsed.wildcard ? { kind: parsed.kind } : { channel: name };
  const evicted = wish.since ? broker.evicted(scope) : 0;
  const tail = wish.last && !wish.since && !entry.ephemeral ? broker.tail(scope, wish.last) : null;
  if (typeof evicted === "number" && (tail === null || typeof tail === "number")) {
    return enter(connection, frame, correlationId, entry, { evicted, tail });
  }
  return Promise.all([evicted, tail]).then(([evicted, tail]) => {
    if (connection.over) return;
    // Another subscribe may have waited beside this one, and have begun its replay.
    if (connection.replaying(place, "join")) return subscribe(connection, frame, correlationId);
    return enter(connection, frame, correlationId, entry, { evicted, tail });
  });
}

interface Entry {
  readonly place: { readonly name: string; readonly kind: string; readonly wildcard: boolean };
  readonly wish: Options;
  readonly broker: Broker;
  readonly ephemeral: boolean;
}

/**
 * Join, read the state, reply, then replay or go live. All up to the reply happens in one turn, so position and
 * snapshot are of the same moment, and the reply precedes everything that it causes.
 */
function enter(
  connection: Client,
  frame: InboundFrame,
  correlationId: string | null,
  entry: Entry,
  history: { readonly evicted: number; readonly tail: number | null },
): void {
  const { host } = connection;
  const { place, wish, broker } = entry;
  const past = pastOf(entry, broker.position, history, coverOf(connection, place));
  // Before the client is a member: a snapshot that throws leaves nothing behind.
  const snapshot = past.recovered === true || place.wildcard ? null : host.snapshot(place.name);
  const snapshotBytes = snapshot ? new Frame(stringifyJson(snapshot.state)).bytes : 0;
  const fits = snapshotBytes < MAX_SNAPSHOT_BYTES;
  settleOverlap(connection, place);
  if (connection.over) return;
  const joined = broker.position;
  // A state may contain events that the broker has not brought yet; they are not told again.
  const known = snapshot?.position ?? joined;
  const subscription = host.hub.join(connection, place, {
    filter: wish.events ? new Set(wish.events) : null,
    start: past.from ?? known.seq,
    joinedAt: joined.seq,
  });
  if (past.recovered !== null) host.metrics.recovery(past.recovered).add();
  const data: JsonObject = {
    status: "subscribed",
    channel: place.name,
    epoch: known.epoch,
    seq: known.seq,
    ...(past.recovered === null ? {} : { recovered: past.recovered }),
    // Where the replay begins, for a client that has not said it.
    ...(wish.last && !wish.since ? { from: past.from ?? known.seq } : {}),
    ...(snapshot && fits ? { snapshot: snapshot.state } : {}),
  };
  answer(connection, frame, correlationId, "subscribe", data);
  if (!fits) {
    const message = `The state of ${place.name} has ${snapshotBytes} bytes and a frame holds ` +
      `${MAX_OUTBOUND_FRAME_BYTES}: ask for it over HTTP at /api/requests/get_status`;
    connection.reply({ type: "error", room: place.name, error: { code: "MESSAGE_TOO_LARGE", message } });
  }
  connection.welcome.now();
  if (past.lost !== null && wish.since) {
    // Of another epoch nothing can be said but that all of this one is new; what lies ahead has never been given.
    const from = past.lost === "epoch" ? 0 : Math.min(wish.since.seq, known.seq);
    connection.gap(subscription, { from, to: known.seq, cause: past.lost });
  }
  if (past.from === null) subscription.live = true;
  else connection.replay(subscription, past.from, broker);
}

/**
 * The client may be in channels of the place already: what waits of them leaves before the answer, since to the client
 * everything up to the position in the answer is the past.
 */
function settleOverlap(connection: Client, place: Entry["place"]): void {
  for (const { name, kind, wildcard } of connection.host.hub.subscriptions(connection).values()) {
    if (name !== place.name && !(kind === place.kind && (wildcard || place.wildcard))) continue;
    connection.settle();
    return;
  }
}

interface Past {
  /** Replay what comes after this seq; null for none. */
  readonly from: number | null;
  /** Whether the client misses nothing; null where it did not say where it was. */
  readonly recovered: boolean | null;
  /** Why it cannot be brought up to date; null where it can. */
  readonly lost: string | null;
}

/** A wildcard by which the client gets all that happens in the place already. */
function coverOf(connection: Client, { name, kind, wildcard }: Entry["place"]): Subscription | undefined {
  const mine = connection.host.hub.subscriptions(connection);
  const cover = wildcard || mine.has(name) ? undefined : mine.get(`${kind}:*`);
  return cover?.live && cover.filter === null ? cover : undefined;
}

function pastOf(
  entry: Entry,
  joined: Position,
  history: { readonly evicted: number; readonly tail: number | null },
  cover: Subscription | undefined,
): Past {
  const { since } = entry.wish;
  if (!since) {
    // The history may be ahead of what the broker has brought here: that comes live.
    const from = history.tail === null ? null : Math.min(history.tail, joined.seq);
    return { from, recovered: null, lost: null };
  }
  const lost = lossOf(entry, joined, history.evicted);
  if (lost !== null) return { from: null, recovered: false, lost };
  // It has brought all since then. A replay beside it would bring nothing, and hold events of this channel back while
  // those of others go on, so that a reader of both would lose its place.
  if (cover && cover.start <= since.seq) return { from: null, recovered: true, lost: null };
  return { from: entry.ephemeral ? null : since.seq, recovered: true, lost: null };
}

function lossOf(entry: Entry, joined: Position, evicted: number): string | null {
  const since = entry.wish.since!;
  if (since.epoch !== joined.epoch) return "epoch";
  if (since.seq > joined.seq) return "ahead";
  if (entry.ephemeral) return since.seq === joined.seq ? null : "ephemeral";
  return evicted > since.seq ? "history" : null;
}

export function unsubscribe(
  connection: Client,
  frame: InboundFrame,
  correlationId: string | null,
): void | Promise<void> {
  const { host } = connection;
  const place = placeOf(connection, frame);
  if (!place.ok) return connection.fail(frame, correlationId, "INVALID_CHANNEL", place.reason);
  const name = String(channelOf(frame));
  const busy = connection.replaying({ name, kind: place.kind, wildcard: place.wildcard }, "leave");
  if (busy) {
    return busy.then(() => connection.over ? undefined : unsubscribe(connection, frame, correlationId));
  }
  settleOverlap(connection, { name, kind: place.kind, wildcard: place.wildcard });
  host.hub.leave(connection, name);
  answer(connection, frame, correlationId, "unsubscribe", { status: "unsubscribed", channel: name });
}

function answer(
  connection: Client,
  frame: InboundFrame,
  correlationId: string | null,
  event: string,
  data: JsonObject,
): void {
  const type = frame.type === "request" ? "response" : "ack";
  connection.reply({ type, event, data, correlationId, traceparent: frame.traceparent });
}
