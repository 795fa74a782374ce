/**
 * A contract, as the types of a client see it.
 *
 * @module
 */
import type * as v from "valibot";
import type { Contract, EventName, EventSpec, RequestName } from "../protocol/contract.ts";
import type { EventItem, GapItem, SnapshotItem } from "./subscription.ts";

type KindName<C extends Contract> = keyof C["channels"] & string;

/** What a client may subscribe to: `global`, `session:01J…`, `session:*`. */
export type ChannelName<C extends Contract> = {
  [K in KindName<C>]: C["channels"][K] extends { readonly id: string } ? `${K}:${string}`
    : string extends K ? string
    : K;
}[KindName<C>];

/** The kind of a channel. */
export type KindOf<C extends Contract, Name extends string> = Name extends
  `${infer K extends KindName<C>}:${string}` ? K
  : Name extends KindName<C> ? Name
  : KindName<C>;

/** Events that come over a kind of channel, as far as the contract's types tell. */
export type EventsOf<C extends Contract, Kind extends string> = {
  [E in EventName<C>]: C["events"][E] extends { readonly channels: infer Channels }
    ? Channels extends readonly (infer Target)[] ? Kind extends Target ? E : never : E
    : never;
}[EventName<C>];

/** An event of the contract, with its data. */
export type TypedEvent<C extends Contract, E extends EventName<C>> = E extends EventName<C>
  ? Omit<EventItem, "event" | "data"> & {
    readonly event: E;
    readonly data: v.InferOutput<C["events"][E]["data"]> & { readonly timestamp: string };
  }
  : never;

type Snapshot<C extends Contract, Kind extends KindName<C>> = string extends KindName<C> ? SnapshotItem
  : Kind extends KindName<C>
    ? C["channels"][Kind] extends { readonly snapshot: infer S extends v.GenericSchema }
      ? Omit<SnapshotItem, "snapshot"> & { readonly snapshot: v.InferOutput<S> }
    : never
  : never;

/** What a subscription to a channel of the kind brings. */
export type ItemOf<C extends Contract, Kind extends KindName<C>, E extends EventName<C> = EventsOf<C, Kind>> =
  | TypedEvent<C, E>
  | GapItem
  | Snapshot<C, Kind>;

/** Events that a client may publish. */
export type PublishableName<C extends Contract> = {
  [E in EventName<C>]: C["events"][E] extends { readonly publishable: string } ? E
    : EventSpec extends C["events"][E] ? E
    : never;
}[EventName<C>];

/** What a client publishes an event with. */
export type PublishData<C extends Contract, E extends EventName<C>> = v.InferInput<
  C["events"][E] extends { readonly published: infer P extends v.GenericSchema } ? P : C["events"][E]["data"]
>;

/** Requests that every service answers, besides those of its contract. */
// deno-lint-ignore no-explicit-any
type AnyData = Record<string, any>;
export interface CommonRequests {
  readonly ping: [input: Record<string, never>, output: AnyData];
  readonly auth: [input: { readonly token: string }, output: AnyData];
  readonly refresh_token: [input: { readonly token: string }, output: AnyData];
  readonly get_status: [input: AnyData, output: AnyData];
  readonly get_presence: [input: { readonly channel: string }, output: AnyData];
  readonly get_history: [input: AnyData & { readonly channel: string }, output: AnyData];
}

export type AskName<C extends Contract> = RequestName<C> | keyof CommonRequests;

export type AskInput<C extends Contract, R extends AskName<C>> = R extends RequestName<C>
  ? v.InferInput<C["requests"][R]["input"]>
  : R extends keyof CommonRequests ? CommonRequests[R][0]
  : never;

export type AskOutput<C extends Contract, R extends AskName<C>> = R extends RequestName<C>
  ? v.InferOutput<C["requests"][R]["output"]>
  : R extends keyof CommonRequests ? CommonRequests[R][1]
  : never;
