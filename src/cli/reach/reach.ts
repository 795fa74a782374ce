/**
 * Where a service is that a command speaks to, and with what token: as its settings say, or as the flags do.
 *
 * @module
 */
import process from "node:process";
import type { Command } from "commander";
import { systemClock } from "../../ports/clock.ts";
import type { Runtime } from "../../ports/runtime.ts";
import type { Contract } from "../../protocol/contract.ts";
import { readSettings } from "../../server/run.ts";
import type { Service } from "../../service/define-service.ts";
import { environmentName } from "../../settings/environment.ts";
import { NO_FLAGS } from "../../settings/flags.ts";
import type { Settings } from "../../settings/schema.ts";
import { quoted, SettingsError, withoutSecretParts } from "../../settings/settings-error.ts";
import { originOf } from "../address.ts";
import { checkToken, type Credentials, credentialsFor, TOKEN_VARIABLE } from "../mcp/credentials.ts";
import { knownService, SERVICES } from "../services.ts";

type Ground = Pick<Runtime, "files" | "environment">;

/** Flags of every command that speaks to a service. */
export interface ServiceFlags {
  readonly url?: string;
  readonly tokenFile?: string;
  readonly settings?: string;
}

export interface Reached {
  readonly name: string;
  /** Null where the service is none of those that come with the project. */
  readonly contract: Contract | null;
  /** Of its WebSocket, as it may be shown: without a query, which may hold a secret. */
  readonly url: string;
  /** What is connected to. */
  readonly address: string;
  /** Where it answers over HTTP: scheme, host and port. */
  readonly http: string;
  /** The flag has named the WebSocket alone: over HTTP its port tells no more than that it is there. */
  readonly isHttpGuessed: boolean;
  /** Its settings say that it takes no WebSockets. */
  readonly isWebSocketOff: boolean;
  readonly credentials: Credentials;
  /** File with its certificate, where the settings name one. */
  readonly certificateFile: string | undefined;
}

export function withServiceFlags(command: Command): Command {
  return command
    .option("--url <URL>", "Where the service is, like ws://127.0.0.1:8686. Default: as its settings say")
    .option("--token-file <FILE>", `File with a token for it. Default: the variable ${TOKEN_VARIABLE}`)
    .option("--settings <FILE>", "Settings file. Default: settings/{service}.yaml where it exists");
}

/**
 * @param command Begins the sentences about what is wrong.
 * @throws {SettingsError} where there is no such service, or flags or settings do not say where it is.
 */
export async function reach(
  command: string,
  name: string,
  flags: ServiceFlags,
  runtime: Ground,
): Promise<Reached> {
  const { url, settings: settingsFile } = flags;
  if (url !== undefined && settingsFile !== undefined) {
    throw new SettingsError(["--settings: expected without --url, which says it all: leave one of them out"]);
  }
  const given = await givenToken(flags, runtime);
  if (url !== undefined) {
    const service = Object.hasOwn(SERVICES, name) ? await SERVICES[name]!() : null;
    // No secret of this machine's settings makes tokens for whoever is there.
    const credentials = credentialsOf(name, given, { required: false, secret: undefined });
    return {
      name,
      contract: service?.contract ?? null,
      ...addressIn(url),
      isWebSocketOff: false,
      credentials,
      certificateFile: undefined,
    };
  }
  const service = await SERVICES[knownService(command, name)]!();
  const settings = await settingsOf(service, runtime, settingsFile);
  const { websocket, http, tls, auth } = settings;
  const port = websocket.enabled ? websocket : http;
  if (port.port === 0 || http.port === 0) {
    throw new SettingsError([
      `${command}: expected a port in the settings of ${name}, got 0, which leaves it to the system: use --url`,
    ]);
  }
  const address = `${originOf("ws", port, tls)}${websocket.enabled ? "" : "/ws"}`;
  return {
    name,
    contract: service.contract,
    url: address,
    address,
    http: originOf("http", http, tls),
    isHttpGuessed: false,
    isWebSocketOff: !websocket.enabled,
    credentials: credentialsOf(name, given, auth),
    certificateFile: tls.enabled ? tls.cert_file : undefined,
  };
}

/**
 * The settings, also where the secret is with the service alone: that is no fault of whoever brings a token.
 *
 * @throws {SettingsError} where anything else is wrong.
 */
async function settingsOf(
  service: Service,
  runtime: Ground,
  settingsFile: string | undefined,
): Promise<Settings> {
  const flags = { ...NO_FLAGS, settingsFile };
  try {
    return await readSettings(service, runtime, flags);
  } catch (fault) {
    if (!(fault instanceof SettingsError)) throw fault;
    const variable = environmentName(service.contract.name, "JWT_SECRET");
    const environment = {
      ...runtime.environment,
      [variable]: runtime.environment[variable] ?? crypto.randomUUID(),
    };
    const settings = await readSettings(service, { ...runtime, environment }, flags).catch(() => {
      throw fault;
    });
    return { ...settings, auth: { ...settings.auth, secret: undefined } };
  }
}

/** @throws {SettingsError} where it is none. */
function addressIn(text: string): Pick<Reached, "url" | "address" | "http" | "isHttpGuessed"> {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isPlain = url !== null && /^(ws|http)s?:$/.test(url.protocol) && url.hostname !== "" &&
    url.username === "" && url.password === "";
  if (!isPlain) {
    throw new SettingsError([
      "--url: expected an address like ws://127.0.0.1:8686 or http://127.0.0.1:8676, without user name and password, " +
      `got ${quoted(withoutSecretParts(text))}`,
    ]);
  }
  const isSecure = /^(wss|https):$/.test(url.protocol);
  const isHttp = url.protocol.startsWith("http");
  // On the port for HTTP the WebSocket has a place of its own.
  const path = isHttp && url.pathname === "/" ? "/ws" : url.pathname;
  const shown = `${isSecure ? "wss" : "ws"}://${url.host}${path}`;
  return {
    url: shown,
    address: `${shown}${url.search}`,
    http: `${isSecure ? "https" : "http"}://${url.host}`,
    isHttpGuessed: !isHttp,
  };
}

/** A token that the caller gave, and the words for where. */
interface GivenToken {
  readonly get: () => Promise<string>;
  readonly source: string;
}

/** The token that the caller gave. From a file, it is read again whenever it is wanted: somebody may renew it. */
async function givenToken(
  { tokenFile }: ServiceFlags,
  { files, environment }: Ground,
): Promise<GivenToken | undefined> {
  if (tokenFile === undefined) {
    const token = environment[TOKEN_VARIABLE]?.trim();
    if (!token) return undefined;
    checkToken(TOKEN_VARIABLE, token);
    return { get: () => Promise.resolve(token), source: TOKEN_VARIABLE };
  }
  const source = `the file of --token-file, ${quoted(tokenFile)}`;
  const read = async () => {
    const text = await files.readText(files.resolve(tokenFile)).catch((error: Error) => {
      throw new SettingsError([`--token-file: ${error.message}`]);
    });
    const token = text?.trim() ?? "";
    if (token !== "") {
      checkToken(source, token);
      return token;
    }
    const got = text === undefined ? "does not exist" : "is empty";
    throw new SettingsError([
      `--token-file: expected a file with a token, got ${quoted(tokenFile)}, which ${got}`,
    ]);
  };
  await read();
  return { get: read, source };
}

function credentialsOf(
  service: string,
  given: GivenToken | undefined,
  auth: Parameters<typeof credentialsFor>[0]["auth"],
): Credentials {
  const user = process.env.USER || process.env.USERNAME || "command-line";
  const source = given?.source ?? `${TOKEN_VARIABLE} or a file that --token-file names`;
  return credentialsFor({ service, auth, token: given?.get, clock: systemClock, user, source });
}
