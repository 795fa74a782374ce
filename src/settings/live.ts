/**
 * Which settings a running server takes over when it reads them again, and which have to wait for its next start.
 *
 * @module
 */
import { SETTING_PATHS, type SettingPath, type Settings, valueAt } from "./schema.ts";

/** Those that a reload changes. What belongs to one connection holds for connections that come from then on. */
export const LIVE_SETTINGS: readonly SettingPath[] = [
  "websocket.max_connections",
  "websocket.message_rate_limit",
  "websocket.message_burst",
  "auth.secret",
  "auth.jwks_url",
  "auth.jwks_file",
  "auth.issuer",
  "auth.audience",
  "auth.skew_seconds",
  "tls.cert_file",
  "tls.key_file",
  "tls.ca_file",
  "origins.allowed",
  "hosts.allowed",
  "limits.connections_per_address",
  "limits.tcp_connections",
  "limits.tcp_connections_per_address",
  "limits.http_rate",
  "limits.http_burst",
  "limits.http_requests",
  "limits.http_requests_per_address",
  "limits.channels_per_connection",
  "limits.outbound_queue_bytes",
  "limits.channel_name_characters",
  "limits.abuse_seconds",
  "limits.frames_per_tick",
  "limits.publish_window",
  "log.level",
  "shutdown.drain_ms",
];

const LIVE: ReadonlySet<SettingPath> = new Set(LIVE_SETTINGS);

/** What differs between the settings that a server runs with and those that were read. */
export interface SettingsChange {
  /** Can change now. */
  readonly live: readonly SettingPath[];
  /** Need another start. The service's own block is named by the service's name. */
  readonly restart: readonly string[];
}

/** @param service The service's name, under which its own block stands in the file. */
export function settingsChange(running: Settings, read: Settings, service: string): SettingsChange {
  const changed = SETTING_PATHS.filter((path) => !isSame(valueAt(running, path), valueAt(read, path)));
  // Only a server that checks tokens has what checks them, and only one that speaks TLS has what renews a certificate.
  const stays = (path: SettingPath) =>
    (path.startsWith("auth.") && checksTokens(running) !== checksTokens(read)) ||
    (path.startsWith("tls.") && !(running.tls.enabled && read.tls.enabled));
  const isLive = (path: SettingPath) => LIVE.has(path) && !stays(path);
  return {
    live: changed.filter(isLive),
    restart: [
      ...changed.filter((path) => !isLive(path)),
      ...isSame(running.own, read.own) ? [] : [service],
    ],
  };
}

/** Put values into the settings that a server runs with, where all its parts see them. */
export function takeOver(running: Settings, read: Settings, paths: readonly SettingPath[]): void {
  const tree = running as unknown as Record<string, Record<string, unknown>>;
  for (const path of paths) {
    const [block, key] = path.split(".") as [string, string];
    tree[block]![key] = valueAt(read, path);
  }
}

function checksTokens({ auth }: Settings): boolean {
  return [auth.secret, auth.jwks_url, auth.jwks_file].some((value) => value !== undefined);
}

/** Of values as a settings file can hold them. */
function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) =>
    isSame((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key])
  );
}
