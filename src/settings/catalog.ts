/**
 * Every setting: one table that the schema, the loader, the flags, the shipped files and `docs/settings.md` are made
 * from. Only settings that have an effect are in it.
 *
 * @module
 */
import { kindBounds } from "./kind-bounds.ts";
import { LIMIT_SETTINGS } from "./limit-settings.ts";
import { choice, list, optionalText, text, textOrTexts, toggle, whole } from "./setting.ts";
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
    follows: (valueOf) => 1.5 * (valueOf("websocket.message_rate_limit") as number),
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
  "auth.jwks_url": optionalText(
    "an https address, or an http address of this machine, without user name and password",
    {
      default: undefined,
      defaultText: "none",
      meaning: "Address of the key set (JWKS) that RS256, ES256 and EdDSA tokens are checked with",
      environment: "JWKS_URL",
    },
  ),
  "auth.jwks_file": optionalText("a file's path", {
    default: undefined,
    defaultText: "none",
    meaning: "File with such a key set, instead of an address",
    environment: "JWKS_FILE",
  }),
  "auth.issuer": textOrTexts('an issuer like "https://login.example.org"', {
    default: [],
    meaning:
      "Who may have issued a token that the key set checks: its iss must be one of these. Empty: iss may be left out, else it names the service",
    environment: "JWT_ISSUER",
  }),
  "auth.audience": textOrTexts('an audience like "akosha"', {
    default: [],
    meaning:
      "For whom a token that the key set checks may be: its aud must hold one of these. Empty: aud may be left out, else it names the service",
    environment: "JWT_AUDIENCE",
  }),
  "auth.skew_seconds": whole({ min: 0, max: 300 }, {
    default: 5,
    unit: "seconds",
    meaning: "By how much the clock of whoever issues tokens may differ from ours, for exp, nbf and iat",
    zero: "the times of a token hold to the second",
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
  "tls.enabled": toggle({
    default: false,
    defaultText: "true where cert_file is set or dev_certificate is true",
    meaning: "Speak TLS on both ports: wss and https, nothing else",
    environment: ["WS_TLS_ENABLED", "TLS_ENABLED"],
    follows: (valueOf) => valueOf("tls.cert_file") !== undefined || valueOf("tls.dev_certificate") === true,
  }),
  "tls.cert_file": optionalText("a file's path", {
    default: undefined,
    defaultText: "none",
    meaning: "Certificate of this server in PEM, the intermediate ones after it",
    environment: ["WS_CERT_FILE", "CERT_FILE"],
  }),
  "tls.key_file": optionalText("a file's path", {
    default: undefined,
    defaultText: "none",
    meaning: "Private key of the certificate in PEM, without a passphrase",
    environment: ["WS_KEY_FILE", "KEY_FILE"],
  }),
  "tls.ca_file": optionalText("a file's path", {
    default: undefined,
    defaultText: "none",
    meaning: "Certificates in PEM of those who issue clients' certificates, for verify_client",
    environment: ["WS_CA_FILE", "CA_FILE"],
  }),
  "tls.verify_client": toggle({
    default: false,
    meaning: "Refuse whoever shows no certificate that one of ca_file has issued",
    environment: ["WS_VERIFY_CLIENT", "VERIFY_CLIENT"],
  }),
  "tls.dev_certificate": toggle({
    default: false,
    meaning:
      "Make a self-signed certificate at the start, for development. It stays in memory, or is kept in cert_file " +
      "and key_file where these are set and not there yet",
    flag: "--dev-certificate",
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
  ...LIMIT_SETTINGS,
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
  "log.format": choice(["auto", "line", "pretty", "json"], {
    default: "auto",
    meaning: "How the log is written to standard error; auto is pretty on a terminal and line elsewhere",
    environment: "LOG_FORMAT",
    flag: "--log-format",
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
    meaning:
      "Listen beyond this machine although nobody has to authenticate or connections are not encrypted",
  }),
} as const;
