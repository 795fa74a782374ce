/**
 * How much one client, one address and all together may ask for: the block `limits` of the settings.
 *
 * @module
 */
import { toggle, whole } from "./setting.ts";

const MIB = 1_048_576;
const ANY_COUNT = { min: 0, max: 1_000_000 };

/**
 * Room for those who are told that there is no room, for HTTP beside the WebSockets, and for connections that begin or
 * end: a client that is cut without a word learns nothing.
 */
const fourTimes = (connections: number) => connections === 0 ? 0 : Math.max(100, 4 * connections);

/** By path, as in `SETTINGS`. */
export const LIMIT_SETTINGS = {
  "limits.loopback_exempt": toggle({
    default: true,
    meaning: "Clients of this machine are not held to the limits per address",
  }),
  "limits.connections_per_address": whole(ANY_COUNT, {
    default: 100,
    unit: "connections",
    meaning:
      "WebSocket connections of one address at a time; one more is closed with 1013. Of IPv6, 64 bits are one address",
    zero: "no limit",
  }),
  "limits.tcp_connections": whole({ min: 0, max: 4_000_000 }, {
    default: 4_000,
    defaultText: "4 times websocket.max_connections, at least 100",
    unit: "connections",
    meaning: "TCP connections of one port at a time, whatever they are for; one more is cut. Not on Bun",
    zero: "no limit",
    follows: (valueOf) => fourTimes(valueOf("websocket.max_connections") as number),
  }),
  "limits.tcp_connections_per_address": whole({ min: 0, max: 4_000_000 }, {
    default: 400,
    defaultText: "4 times connections_per_address, at least 100",
    unit: "connections",
    meaning: "The same of one address. Not on Bun",
    zero: "no limit",
    follows: (valueOf) => fourTimes(valueOf("limits.connections_per_address") as number),
  }),
  "limits.head_seconds": whole({ min: 1, max: 3_600 }, {
    default: 10,
    unit: "seconds",
    meaning:
      "Time for a request's head to come, from the connection's beginning or the request's first byte. About 12 on Bun, whatever is set",
    zero: "no limit",
  }),
  "limits.request_seconds": whole({ min: 1, max: 86_400 }, {
    default: 300,
    unit: "seconds",
    meaning:
      "Time for a request to come, head and body. On Bun at most 255, the making of the answer included",
    zero: "no limit",
  }),
  "limits.idle_seconds": whole({ min: 1, max: 86_400 }, {
    default: 75,
    unit: "seconds",
    meaning: "How long an HTTP connection stays open for a next request. On Bun at most 255",
    zero: "no limit",
  }),
  "limits.header_bytes": whole({ min: 1_024, max: MIB }, {
    default: 16_384,
    unit: "bytes",
    meaning: "Largest head of a request; a larger one is answered with 431. On Bun 16,384, whatever is set",
  }),
  "limits.http_rate": whole(ANY_COUNT, {
    default: 200,
    unit: "requests per second",
    meaning:
      "HTTP and MCP requests and upgrades of one user or, where nobody has authenticated, of one address, in the long run; one more is answered with 429",
    zero: "no limit",
  }),
  "limits.http_burst": whole({ min: 1, max: 2_000_000 }, {
    default: 400,
    defaultText: "2 times http_rate",
    unit: "requests",
    meaning: "Such requests that may come at once after a rest",
    follows: (valueOf) => Math.max(1, 2 * (valueOf("limits.http_rate") as number)),
  }),
  "limits.http_requests": whole(ANY_COUNT, {
    default: 1_000,
    unit: "requests",
    meaning:
      "HTTP and MCP requests that are being answered at a time; one more is answered with 503. A stream counts until it begins",
    zero: "no limit",
  }),
  "limits.http_requests_per_address": whole(ANY_COUNT, {
    default: 100,
    unit: "requests",
    meaning: "The same of one address",
    zero: "no limit",
  }),
  "limits.concurrent_requests": whole({ min: 0, max: 100_000 }, {
    default: 64,
    unit: "requests",
    meaning:
      "Requests of one WebSocket connection that are being answered at a time. With so many it is not read until one has its answer",
    zero: "no limit",
  }),
  "limits.fragments": whole(ANY_COUNT, {
    default: 1_024,
    unit: "fragments",
    meaning:
      "Fragments of one message; one more ends its connection with 1008. Not on Bun, where message_bytes alone bounds them",
    zero: "no limit",
  }),
  "limits.channels_per_connection": whole({ min: 0, max: 100_000 }, {
    default: 128,
    unit: "channels",
    meaning: "Channels that one connection may be in; a wildcard counts as one",
    zero: "no limit",
  }),
  "limits.message_bytes": whole({ min: 1_024, max: 64 * MIB }, {
    default: MIB,
    unit: "bytes",
    meaning:
      "Largest message that a client may send; a larger one ends its connection with 1009, a larger body of a request is answered with 413",
  }),
  "limits.outbound_queue_bytes": whole({ min: 65_536, max: 1_024 * MIB }, {
    default: MIB,
    unit: "bytes",
    meaning: "What may wait for one slow reader; more ends its connection with 4000",
    zero: "no limit, and memory is at the mercy of slow readers",
  }),
  "limits.channel_name_characters": whole({ min: 1, max: 4_096 }, {
    default: 255,
    unit: "characters",
    meaning: "Length of a channel's name",
  }),
  "limits.abuse_seconds": whole({ min: 0, max: 86_400 }, {
    default: 10,
    unit: "seconds",
    meaning:
      "How long a client may send above its rate before it is closed with 4500; with pauses, three times as long in all",
    zero: "it is never closed for that",
  }),
  "limits.frames_per_tick": whole({ min: 1, max: 100_000 }, {
    default: 64,
    unit: "frames",
    meaning: "Frames of one connection that are handled before others have their turn",
  }),
  "limits.publish_window": whole({ min: 1, max: 1_024 }, {
    default: 16,
    unit: "publishes",
    meaning: "Unanswered publishes that a publisher should keep at most; the welcome tells it",
  }),
} as const;
