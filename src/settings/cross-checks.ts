/**
 * What must hold between settings that are each fine alone.
 *
 * @module
 */
import { DEVELOPMENT_SECRET } from "./catalog.ts";
import type { SettingPath, Settings } from "./schema.ts";
import { printedValue, quoted } from "./settings-error.ts";

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

/** Whether keys that are read there come from whom they are said to come: nobody else can answer for the address. */
function isKeyAddress(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  if (username !== "" || password !== "") return false;
  return protocol === "https:" || (protocol === "http:" && isLoopback(hostname.replace(/^\[(.*)\]$/, "$1")));
}

/**
 * Every fault between settings.
 *
 * @param isSet Whether somebody set it; of two settings that clash, that one is named.
 */
export function crossChecks(settings: Settings, isSet: (path: SettingPath) => boolean): Clash[] {
  const clashes: Clash[] = [];
  const { auth, http, websocket, development } = settings;
  const keys = auth.jwks_url ?? auth.jwks_file;
  if (auth.required && auth.secret === undefined && keys === undefined) {
    clashes.push({
      path: "auth.required",
      paths: ["auth.required", "auth.secret", "auth.jwks_url", "auth.jwks_file"],
      sentence:
        "expected a secret or keys beside it (auth.secret, auth.jwks_url or auth.jwks_file), got none: without them " +
        "no token can be checked",
    });
  }
  if (auth.jwks_url !== undefined && !isKeyAddress(auth.jwks_url)) {
    clashes.push({
      path: "auth.jwks_url",
      paths: ["auth.jwks_url"],
      sentence:
        `expected an https address, or an http address of this machine, without user name and password, got ${
          printedValue(auth.jwks_url, auth.jwks_url.includes("@"))
        }`,
    });
  }
  if (auth.jwks_url !== undefined && auth.jwks_file !== undefined) {
    clashes.push({
      path: "auth.jwks_file",
      paths: ["auth.jwks_file", "auth.jwks_url"],
      sentence: "expected one key set, got two: leave out this one or auth.jwks_url",
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
  const missing = [
    ...auth.required ? [] : ["authentication (auth.required)"],
    ...settings.tls.enabled ? [] : ["TLS (tls.cert_file, tls.key_file)"],
  ];
  for (const [path, host] of listening) {
    if (isLoopback(host) || settings.allow_insecure || missing.length === 0) continue;
    clashes.push({
      path,
      paths: [path, "websocket.enabled", "allow_insecure", "auth.required", ...TLS_PATHS],
      sentence: `expected a loopback address, got ${quoted(host)}: beyond this machine ${
        missing.join(" and ")
      } must be on; set allow_insecure: true to listen there without`,
    });
  }
  return [...clashes, ...tlsClashes(settings)];
}

const TLS_PATHS: readonly SettingPath[] = [
  "tls.enabled",
  "tls.cert_file",
  "tls.key_file",
  "tls.dev_certificate",
];

function tlsClashes({ tls }: Settings): Clash[] {
  const clashes: Clash[] = [];
  const hasCertificate = tls.cert_file !== undefined;
  const hasKey = tls.key_file !== undefined;
  if (tls.enabled && !hasCertificate && !hasKey && !tls.dev_certificate) {
    clashes.push({
      path: "tls.enabled",
      paths: TLS_PATHS,
      sentence:
        "expected a certificate and its key beside it (tls.cert_file, tls.key_file), got none: name both, or " +
        "start with --dev-certificate for one that is made at the start",
    });
  }
  if (hasCertificate !== hasKey) {
    const [given, lacking] = hasCertificate
      ? ["cert_file", "key_file"] as const
      : ["key_file", "cert_file"] as const;
    clashes.push({
      path: `tls.${given}`,
      paths: ["tls.cert_file", "tls.key_file"],
      sentence: `expected tls.${lacking} beside it, got none: a certificate and its key go together`,
    });
  }
  if (tls.verify_client && !tls.enabled) {
    clashes.push({
      path: "tls.verify_client",
      paths: ["tls.verify_client", ...TLS_PATHS],
      sentence: "expected TLS to be on (tls.enabled), got off: without it no client has a certificate",
    });
  }
  if (tls.verify_client && tls.ca_file === undefined) {
    clashes.push({
      path: "tls.verify_client",
      paths: ["tls.verify_client", "tls.ca_file"],
      sentence: "expected tls.ca_file beside it, got none: it says whose certificates clients may show",
    });
  }
  return clashes;
}
