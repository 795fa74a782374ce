/**
 * Requests that every service answers the same way: publish, get_history, get_presence, get_status.
 *
 * @module
 */
import * as v from "valibot";
import type { Broker } from "../broker/broker.ts";
import type { Call, Identity } from "../ports/call.ts";
import {
  HISTORY_BYTES,
  HistoryInput,
  PresenceInput,
  PublishInput,
  StatusInput,
} from "../protocol/common-inputs.ts";
import { channelsOf, parseChannel } from "../protocol/channel-name.ts";
import type { Access, ChannelKind, Contract, DataSchema } from "../protocol/contract.ts";
import { Refusal } from "../protocol/errors.ts";
import type { Position, SequencedEvent } from "../protocol/event.ts";
import type { JsonObject, JsonValue } from "../protocol/json.ts";
import type { Hub } from "../rooms/hub.ts";
import type { Commit, Manager, Present } from "./define-service.ts";
import type { Route } from "./dispatch.ts";
import { explainIssues } from "./issues.ts";

export interface CommonParts {
  readonly contract: Contract;
  readonly commit: Commit<Contract>;
  readonly broker: Broker;
  readonly hub: Hub;
  readonly manager: Manager;
  readonly mayAccess: (identity: Identity, access: Access) => boolean;
  readonly mayJoin: (identity: Identity, kind: string) => boolean;
  /** Who is in the channels whose kind tells of it; answers null for others. Absent or null: no kind does. */
  readonly presence?: { users(channel: string): readonly Present[] | null } | null;
  /** The server's own figures, and those of the connection that asks. */
  readonly status: (call: Call) => JsonObject;
  /** What events mean that are not simply handed on when a client publishes them. Default: none. */
  readonly relays?: Readonly<Record<string, Relay | undefined>>;
}

type Relay = (data: Record<string, unknown>, call: Call) => JsonObject;

export function commonRoutes(parts: CommonParts): ReadonlyMap<string, Route> {
  const query = <Input>(
    input: DataSchema,
    handle: (parts: CommonParts, input: Input, call: Call) => unknown,
  ): Route => {
    return {
      access: "read",
      changesState: false,
      input,
      handle: (data: Input, call) => handle(parts, data, call),
    };
  };
  return new Map([
    // The contract says for each event who may publish it.
    ["publish", { ...query(PublishInput, publish), access: "any", changesState: true }],
    ["get_history", query(HistoryInput, history)],
    ["get_presence", query(PresenceInput, presence)],
    ["get_status", query(StatusInput, status)],
  ]);
}

/** A channel that the caller may be in. */
function channelFor(parts: CommonParts, name: string, call: Call): { kind: string; wildcard: boolean } {
  const place = parseChannel(parts.contract.channels, name);
  if (!place.ok) throw new Refusal("INVALID_CHANNEL", place.reason);
  if (!parts.mayJoin(call.identity, place.kind)) {
    throw new Refusal("FORBIDDEN", `Not authorized to read ${name}`);
  }
  return place;
}

function publish(parts: CommonParts, input: PublishInput, call: Call): JsonObject {
  const { contract } = parts;
  const spec = Object.hasOwn(contract.events, input.event) ? contract.events[input.event] : undefined;
  if (!spec) {
    throw new Refusal(
      "INVALID_DATA",
      `Invalid data for publish: event: '${input.event}' is not in the contract`,
    );
  }
  if (spec.publishable === undefined) {
    throw new Refusal(
      "FORBIDDEN",
      `Not authorized to publish ${input.event}: only ${contract.name} itself publishes it`,
    );
  }
  if (!parts.mayAccess(call.identity, spec.publishable)) {
    throw new Refusal(
      "FORBIDDEN",
      `Not authorized to publish ${input.event}: needs ${contract.name}:${spec.publishable}`,
    );
  }
  const parsed = v.safeParse(spec.published ?? spec.data, input.data);
  if (!parsed.success) {
    throw new Refusal("INVALID_DATA", explainIssues(`publish of ${input.event}`, parsed.issues));
  }
  const channels = routed(contract, input.event, parsed.output);
  if (typeof input.channel === "string" && !channels.includes(input.channel)) {
    const message = `Cannot publish ${input.event} to '${input.channel}': with this data it goes to ${
      channels.join(", ")
    }`;
    throw new Refusal("INVALID_CHANNEL", message);
  }
  const relay = parts.relays?.[input.event];
  if (relay) {
    return relayed(parts, call, { event: input.event, channels }, (inner) => relay(parsed.output, inner));
  }
  return parts.commit((transaction) => {
    // As it came: emit checks it again, and a schema may turn it into something that it would not take.
    transaction.emit(input.event, input.data);
    return { status: "published", event: input.event, channels };
  }, call);
}

function relayed(
  parts: CommonParts,
  call: Call,
  published: { event: string; channels: string[] },
  relay: (call: Call) => JsonObject,
): JsonObject {
  // Without a key to remember the answer under, an ephemeral event need not touch the database.
  const work = () => ({ status: "published", ...published, result: relay({ ...call, once: null }) });
  return call.once ? parts.commit(work, call) : work();
}

/** Where a client's event goes. An id that gives no channel is the client's fault. */
function routed(contract: Contract, event: string, data: Record<string, unknown>): string[] {
  try {
    return channelsOf(contract, event, data);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new Refusal("INVALID_DATA", error.message);
  }
}

async function history(
  parts: CommonParts,
  input: HistoryInput,
  call: Call,
): Promise<JsonObject> {
  const place = channelFor(parts, input.channel, call);
  const { broker } = parts;
  const channels: Readonly<Record<string, ChannelKind>> = parts.contract.channels;
  const scope = place.wildcard ? { kind: place.kind } : { channel: input.channel };
  const head = broker.position;
  const { since, limit } = input;
  if (!since) {
    const events = await broker.last(scope, limit, HISTORY_BYTES);
    const [oldest] = events.length > 0 ? await broker.read(scope, 0, 1) : [];
    return historyAnswer(input.channel, head, events, { hasMore: oldest?.seq !== events[0]?.seq });
  }
  const isKept = channels[place.kind]?.ephemeral !== true;
  const recovered = since.epoch === head.epoch && since.seq <= head.seq &&
    (isKept ? await broker.evicted(scope) <= since.seq : since.seq === head.seq);
  const events = await broker.read(scope, since.epoch === head.epoch ? since.seq : 0, limit, HISTORY_BYTES);
  const last = events.at(-1);
  const hasMore = last !== undefined && (await broker.read(scope, last.seq, 1)).length > 0;
  // Whoever comes back with the answer's position misses nothing: it is no newer than what the answer holds.
  const seq = hasMore ? last.seq : head.seq;
  return historyAnswer(input.channel, { epoch: head.epoch, seq }, events, { recovered, hasMore });
}

function historyAnswer(
  channel: string,
  position: Position,
  events: readonly SequencedEvent[],
  { recovered, hasMore }: { readonly recovered?: boolean; readonly hasMore: boolean },
): JsonObject {
  return {
    channel,
    epoch: position.epoch,
    seq: position.seq,
    ...(recovered === undefined ? {} : { recovered }),
    has_more: hasMore,
    events: events.map(({ id, channel, event, data, timestamp, seq, prev, traceparent }) => {
      const told = { id, channel, event, data, timestamp, seq, prev };
      return traceparent === undefined ? told : { ...told, traceparent };
    }),
  };
}

function presence(parts: CommonParts, input: PresenceInput, call: Call): JsonObject {
  const { kind, wildcard } = channelFor(parts, input.channel, call);
  const id = wildcard ? null : input.channel.slice(kind.length + 1) || null;
  const told = wildcard ? null : parts.presence?.users(input.channel);
  const present = told ?? parts.manager.presence?.(kind, id);
  if (present) {
    const count = present.reduce((sum, { connections }) => sum + connections, 0);
    return { channel: input.channel, count, users: present as unknown as JsonValue };
  }
  const members = parts.hub.members(input.channel);
  const users = new Map<string, number>();
  for (const { userId } of members) if (userId !== null) users.set(userId, (users.get(userId) ?? 0) + 1);
  return {
    channel: input.channel,
    count: members.length,
    users: [...users].map(([user_id, connections]) => ({ user_id, connections })),
  };
}

async function status(parts: CommonParts, input: JsonObject, call: Call): Promise<JsonObject> {
  const state = await parts.manager.getStatus?.(input) ?? {};
  const asksForObject = Object.values(parts.contract.channels)
    .some((kind) => kind.id !== undefined && Object.hasOwn(input, kind.id));
  return asksForObject ? state : { ...parts.status(call), manager: state };
}
