/**
 * Every setting: one table that the schema, the loader, the flags, the shipped files and `docs/settings.md` are made
 * from. Only settings that have an effect are in it.
 *
 * @module
 */
import { kindBounds } from "./kind-bounds.ts";
import { choice, list, optionalText, text, toggle, whole } from "./setting.ts";
import type { SettingsOwner } from "./setting.ts";

const MIB = 1_048_576;
const HOST = { expected: "a host name or an IP address", pattern: /^[A-Za-z0-9_.:%-]+$/ };

/** The secret that existing services fall back to. Everybody knows it, so it protects nothing. */
export const DEVELOPMENT_SECRET = "dev-secret-change-in-production";

const HISTORY = {
  events: whole({ min: 0, max: 1_000_000 }, {
    default: 256,
    unit: "events",
    meaning: "Events kept per channel",
    zero: "no history",
  }),
  age_seconds: whole({ min: 0, max: 31_536_000 }, {
    default: 600,
    unit: "seconds",
    meaning: "How long an event is kept",
    zero: "no history",
  }),
  bytes: whole({ min: 0, max: 1_024 * MIB }, {
    default: 4 * MIB,
    unit: "bytes",
    meaning: "Size of one channel's history",
    zero: "no history",
  }),
};

/** By path: block and key. The order is that of the shipped files. */
export const SETTINGS = {
  "websocket.enabled": toggle({
    default: true,
    meaning: "Open the WebSocket port. Without it HTTP and MCP still run",
  }),
  "websocket.host": text(HOST, {
    default: "127.0.0.1",
    meaning: "Address that the WebSocket port listens on",
    environment: "HOST",
    flag: "--host",
  }),
  "websocket.port": whole({ min: 0, max: 65_535 }, {
    default: (owner: SettingsOwner) => owner.ports.websocket,
    defaultText: "from the contract",
    meaning: "WebSocket port",
    zero: "the system chooses a free port",
    environment: "PORT",
    flag: "--port",
  }),
  "websocket.max_connections": whole({ min: 0, max: 1_000_000 }, {
    default: 1_000,
    unit: "connections",
    meaning: "Connections at a time; one more is closed with 1013",
    zero: "no limit",
    environment: "MAX_CONNECTIONS",
  }),
  "websocket.message_rate_limit": whole({ min: 0, max: 1_000_000 }, {
    default: 100,
    unit: "frames per second",
    meaning: "Frames per second of one connection, in the long run",
    zero: "no limit",
    environment: "RATE_LIMIT",
  }),
  "websocket.message_burst": whole({ min: 1, max: 1_500_000 }, {
    default: 150,
    defaultText: "1.5 times message_rate_limit",
    unit: "frames",
    meaning: "Frames that one connection may send at once after a rest",
  }),
  "websocket.welcome": choice(["deferred", "immediate", "off"], {
    default: "deferred",
    meaning: "When the welcome frame goes out: around the client's first frame, at once, or never",
  }),
  "websocket.welcome_event": text({ expected: "an event's name", pattern: /^[A-Za-z0-9_.:-]{1,255}$/ }, {
    default: "session.created",
    defaultText: "session.created, on session-buddy welcome",
    meaning: "Event name of the welcome frame",
  }),
  "websocket.welcome_grace_ms": whole({ min: 0, max: 60_000 }, {
    default: 50,
    unit: "milliseconds",
    meaning: "How long a deferred welcome waits for the client's first frame",
    zero: "it does not wait",
  }),
  "websocket.correlation": choice(["compatible", "strict"], {
    default: "compatible",
    meaning:
      "Which id a reply carries as correlation_id: the one that existing clients look for, or always the request's correlation_id",
  }),
  "http.host": text(HOST, {
    default: "127.0.0.1",
    meaning: "Address that the port for HTTP and MCP listens on",
    environment: "HOST",
    flag: "--host",
  }),
  "http.port": whole({ min: 0, max: 65_535 }, {
    default: (owner: SettingsOwner) => owner.ports.http,
    defaultText: "from the contract",
    meaning: "Port for HTTP and MCP",
    zero: "the system chooses a free port",
    environment: "HTTP_PORT",
    flag: "--http-port",
  }),
  "auth.required": toggle({
    default: false,
    meaning: "Refuse whoever brings no valid token, on WebSocket, HTTP and MCP",
    environment: "AUTH_ENABLED",
  }),
  "auth.secret": optionalText("a text that is not empty", {
    default: undefined,
    defaultText: "none",
    meaning: "Secret that HS256 tokens are signed with. Better kept in the environment than in a file",
    environment: "JWT_SECRET",
    secret: true,
  }),
  "auth.deadline_ms": whole({ min: 100, max: 600_000 }, {
    default: 10_000,
    unit: "milliseconds",
    meaning: "Time that a client has for its auth frame where authentication is required",
  }),
  "auth.token_expiry_seconds": whole({ min: 1, max: 31_536_000 }, {
    default: 3_600,
    unit: "seconds",
    meaning: "Lifetime of tokens that are made here",
    environment: "TOKEN_EXPIRY",
  }),
  "origins.allowed": list({
    each: 'an origin like "https://dashboard.example.org"',
    pattern: /^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^\s/?#@]+$/,
  }, {
    default: [],
    meaning: "Origins of web pages that may connect, besides the loopback origins of the services' own ports",
  }),
  "hosts.allowed": list({
    each: 'a host like "live.example.org" or "live.example.org:8688"',
    pattern: /^([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?$/,
  }, {
    default: [],
    meaning: "Host headers that are answered, besides loopback names and the hosts that are listened on",
  }),
  "history.events": HISTORY.events,
  "history.age_seconds": HISTORY.age_seconds,
  "history.bytes": HISTORY.bytes,
  "history.kinds": kindBounds(
    HISTORY,
    "The same for single kinds of channels, over the contract, like {KIND: {events: 1000}}",
  ),
  "history.total_bytes": whole({ min: 0, max: 65_536 * MIB }, {
    default: 256 * MIB,
    unit: "bytes",
    meaning: "Size of all history of the service; the oldest goes first",
    zero: "no history",
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
    meaning: "Largest message that a client may send; a larger one ends its connection with 1009",
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
    meaning: "How long a client may send above its rate before it is closed with 4500",
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
  "heartbeat.interval_ms": whole({ min: 1_000, max: 3_600_000 }, {
    default: 25_000,
    unit: "milliseconds",
    meaning: "Silence after which a client is pinged",
    zero: "no heartbeat",
  }),
  "heartbeat.timeout_ms": whole({ min: 1_000, max: 3_600_000 }, {
    default: 20_000,
    unit: "milliseconds",
    meaning: "How long the answer to a ping may take",
  }),
  "presence.lease_seconds": whole({ min: 0, max: 86_400 }, {
    default: 30,
    unit: "seconds",
    meaning: "How long users count as present after a restart, to come back without having left",
    zero: "they have left when the service starts",
  }),
  "idempotency.age_seconds": whole({ min: 0, max: 86_400 }, {
    default: 300,
    unit: "seconds",
    meaning: "How long an answer is kept for its idempotency key",
    zero: "keys are ignored",
  }),
  "idempotency.count": whole({ min: 0, max: 10_000_000 }, {
    default: 10_000,
    unit: "answers",
    meaning: "Answers that are kept",
    zero: "keys are ignored",
  }),
  "idempotency.bytes": whole({ min: 0, max: 4_096 * MIB }, {
    default: 16 * MIB,
    unit: "bytes",
    meaning: "Size of all answers that are kept",
    zero: "keys are ignored",
  }),
  "storage.path": text({ expected: 'a file\'s path, ":memory:" or "none"' }, {
    default: (owner: SettingsOwner) => `data/${owner.name}.db`,
    defaultText: "data/{service}.db",
    meaning: 'Database file; ":memory:" for one that ends with the process, "none" for no database',
    environment: "STORAGE_PATH",
    flag: "--storage",
  }),
  "broker": choice(["memory"], {
    default: "memory",
    meaning: "What carries events",
  }),
  "log.level": choice(["debug", "info", "warn", "error"], {
    default: "info",
    meaning: "Lowest level that is written to the log",
    environment: "LOG_LEVEL",
    flag: "--log-level",
  }),
  "shutdown.drain_ms": whole({ min: 0, max: 600_000 }, {
    default: 5_000,
    unit: "milliseconds",
    meaning: "Time over which clients are told to leave when the service stops",
    zero: "all are told at once",
  }),
  "development": toggle({
    default: false,
    meaning: "Accept the known development secret and offer test tools",
    flag: "--development",
  }),
  "allow_insecure": toggle({
    default: false,
    meaning: "Listen beyond this machine although connections are not encrypted",
  }),
} as const;
