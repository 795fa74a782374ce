/**
 * What must hold between settings that are each fine alone.
 *
 * @module
 */
import { DEVELOPMENT_SECRET } from "./catalog.ts";
import type { SettingPath, Settings } from "./schema.ts";
import { quoted } from "./settings-error.ts";

/** A fault between settings. `path` is the setting to name. */
export interface Clash {
  readonly path: SettingPath;
  /** Settings that the sentence is about. A fault in one of them makes this one moot. */
  readonly paths: readonly SettingPath[];
  readonly sentence: string;
}

/** Whether an address can be reached from this machine only. A name other than `localhost` is taken to be reachable. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase();
  if (name === "localhost" || name === "::1") return true;
  const octet = "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
  return new RegExp(`^127(\\.${octet}){3}$`).test(name) || /^(0{1,4}:){7}0{0,3}1$/.test(name);
}

/**
 * Every fault between settings.
 *
 * @param isSet Whether somebody set it; of two settings that clash, that one is named.
 */
export function crossChecks(settings: Settings, isSet: (path: SettingPath) => boolean): Clash[] {
  const clashes: Clash[] = [];
  const { auth, http, websocket, development } = settings;
  if (auth.required && auth.secret === undefined) {
    clashes.push({
      path: "auth.required",
      paths: ["auth.required", "auth.secret"],
      sentence: "expected a secret beside it (auth.secret), got none: without one no token can be checked",
    });
  }
  if (auth.secret === DEVELOPMENT_SECRET && !development) {
    clashes.push({
      path: "auth.secret",
      paths: ["auth.secret", "development"],
      sentence:
        "expected a secret of your own, got the development secret that everybody knows: set another, or development: true",
    });
  }
  if (websocket.enabled && websocket.port === http.port && http.port !== 0) {
    const blamed = isSet("http.port") && !isSet("websocket.port");
    clashes.push({
      path: blamed ? "http.port" : "websocket.port",
      paths: ["websocket.port", "http.port", "websocket.enabled"],
      sentence: `expected a port of its own, got ${http.port}, which is ${
        blamed ? "websocket.port" : "http.port"
      }`,
    });
  }
  const listening = [
    ...websocket.enabled ? [["websocket.host", websocket.host] as const] : [],
    ["http.host", http.host] as const,
  ];
  for (const [path, host] of listening) {
    if (isLoopback(host) || settings.allow_insecure) continue;
    clashes.push({
      path,
      paths: [path, "websocket.enabled", "allow_insecure"],
      sentence:
        `expected a loopback address, got ${quoted(host)}: beyond this machine authentication and TLS are ` +
        "needed, and TLS is not offered yet; set allow_insecure: true to listen there without",
    });
  }
  return clashes;
}
