/**
 * The client of a service, for browsers, Node, Deno and Bun: subscriptions that resume where they were, requests that
 * are done once, typed by the service's contract.
 *
 * @module
 */
export { Client, type ClientOptions, type ClientState, createClient, type RequestOptions } from "./client.ts";
export { ClientError, type ClientErrorReason, RequestError } from "./errors.ts";
export type { JsonCodec } from "./frames.ts";
export type { TokenSource, WebSocketClass, WebSocketLike } from "./link.ts";
export type {
  EventItem,
  GapItem,
  Item,
  SnapshotItem,
  Subscribed,
  SubscribeOptions,
  Subscription,
} from "./subscription.ts";
export type {
  AskInput,
  AskName,
  AskOutput,
  ChannelName,
  EventsOf,
  ItemOf,
  KindOf,
  PublishableName,
  PublishData,
  TypedEvent,
} from "./typed.ts";
