/**
 * `status [SERVICE…]`: which services run, and how they are.
 *
 * @module
 */
import process from "node:process";
import type { Command } from "commander";
import { systemClock } from "../ports/clock.ts";
import type { Runtime } from "../ports/runtime.ts";
import { isJsonObject, type JsonValue } from "../protocol/json-value.ts";
import { detectRuntime } from "../runtimes/detect.ts";
import { EXIT_CODES } from "../server/exit-codes.ts";
import { SettingsError } from "../settings/settings-error.ts";
import { action, type ExitCode, makeCommand } from "./command.ts";
import { askByTls, askPlainly, isOtherProtocol, isRefused, said } from "./mcp/ask.ts";
import { NO_TLS } from "./reach/connect.ts";
import { getJson } from "./reach/get-json.ts";
import { reach, type Reached, type ServiceFlags, withServiceFlags } from "./reach/reach.ts";
import { SERVICES } from "./services.ts";
import { span } from "./terminal/ago.ts";
import { type Paint, paintFor, type Style } from "./terminal/paint.ts";
import { cut, plainJson, plainText } from "./terminal/plain-text.ts";
import { inColumns } from "./terminal/table.ts";

const AFTER = `
A service is ready, not ready (it says why), or not running.

Exit codes: 0 each service that is named is ready, or where none is named, each that runs, and one does; 1 otherwise;
2 usage; 4 a service that is named wants a token, or a better one.`;

export function statusCommand(): Command {
  const command = makeCommand("status", "Say which services run, and how they are")
    .argument("[SERVICE...]", "Default: all")
    .option("--json", "One JSON object a line");
  return withServiceFlags(command).addHelpText("after", AFTER).action(action(status));
}

/** How a service is. */
interface Found {
  readonly service: string;
  readonly state: "ready" | "not ready" | "not running" | "unknown";
  /** Of the WebSocket. Null where the settings switch that off. */
  readonly url: string | null;
  /** Null where only the WebSocket's address is known. */
  readonly http: string | null;
  /** Why it is not ready, or unknown. */
  readonly reason: string | null;
  readonly uptime_seconds: number | null;
  readonly connections: number | null;
  readonly rooms: number | null;
  /** What it says of itself. Null where it wants a token for that, or cannot be asked. */
  readonly manager: JsonValue;
  /** Whether it says of itself what not everybody may know. Null where it cannot be asked. */
  readonly authorized: boolean | null;
}

async function status(
  named: readonly string[],
  flags: ServiceFlags & { readonly json?: boolean },
): Promise<ExitCode> {
  const names = named.length > 0 ? [...new Set(named)] : Object.keys(SERVICES);
  const single = (["url", "settings"] as const).filter((flag) => flags[flag] !== undefined);
  if (named.length !== 1 && single.length > 0) {
    throw new SettingsError(
      single.map((flag) => `--${flag}: expected with one service, got ${named.length}`),
    );
  }
  const runtime = await detectRuntime();
  const reached = await Promise.all(names.map((name) => reach("status", name, flags, runtime)));
  const found = await Promise.all(reached.map((service) => look(service, runtime)));
  if (flags.json) { for (const each of found) console.log(plainJson(each)); }
  else for (const line of tableOf(found, paintFor(process.stdout, process.env))) console.log(line);
  return codeOf(found, named.length > 0);
}

function codeOf(found: readonly Found[], isNamed: boolean): ExitCode {
  const counted = isNamed ? found : found.filter(({ state }) => state !== "not running");
  if (counted.length === 0 || counted.some(({ state }) => state !== "ready")) return EXIT_CODES.error;
  return isNamed && counted.some(({ authorized }) => authorized === false)
    ? EXIT_CODES.notAuthorized
    : EXIT_CODES.done;
}

const NOTHING = { uptime_seconds: null, connections: null, rooms: null, manager: null, authorized: null };

async function look(reached: Reached, { files }: Runtime): Promise<Found> {
  const { name, url, http, credentials, certificateFile } = reached;
  const place = {
    service: name,
    url: reached.isWebSocketOff ? null : url,
    http: reached.isHttpGuessed ? null : http,
  };
  const way = certificateFile === undefined ? askPlainly : askByTls(files, certificateFile);
  const get = (path: string, headers = {}) => getJson(way, `${http}${path}`, { clock: systemClock, headers });
  try {
    const health = await get("/health");
    if (health.body.server !== name) {
      const reason = typeof health.body.server === "string"
        ? `${cut(health.body.server, MOST_NAME_CHARACTERS)} answers there`
        : "something else answers there";
      return { ...place, ...NOTHING, state: "unknown", reason };
    }
    const { metrics = {} } = health.body;
    const figures = isJsonObject(metrics) ? metrics : {};
    const ready = await get("/ready");
    // The port of the WebSocket knows no such path.
    const own = reached.isHttpGuessed ? null : await get("/api/status", await credentials.headers());
    return {
      ...place,
      state: ready.status === 200 ? "ready" : "not ready",
      reason: typeof ready.body.reason === "string" ? ready.body.reason : null,
      uptime_seconds: figureOf(figures.uptime_seconds),
      connections: figureOf(figures.active_connections),
      rooms: figureOf(own?.body.rooms),
      manager: own?.body.manager ?? null,
      authorized: own && own.status !== 401 && own.status !== 403,
    };
  } catch (error) {
    if (isRefused(error)) return { ...place, ...NOTHING, state: "not running", reason: null };
    if (error instanceof SettingsError) throw error;
    const reason = isOtherProtocol(error) ? NO_TLS : said(error);
    return { ...place, ...NOTHING, state: "unknown", reason };
  }
}

const MOST_NAME_CHARACTERS = 60;

/** Whoever answers there may say anything. */
function figureOf(value: JsonValue | undefined): number | null {
  return typeof value === "number" && value >= 0 && value <= Number.MAX_SAFE_INTEGER ? value : null;
}

const STYLES: Readonly<Record<Found["state"], Style>> = {
  ready: "green",
  "not ready": "red",
  unknown: "red",
  "not running": "dim",
};

function tableOf(found: readonly Found[], paint: Paint): string[] {
  const head = ["SERVICE", "STATE", "UP", "CONNECTIONS", "ROOMS", "WEBSOCKET", "HTTP", ""];
  const rows = found.map((each) => [
    each.service,
    each.state,
    typeof each.uptime_seconds === "number" ? span(each.uptime_seconds * 1_000) : "",
    each.connections === null ? "" : String(each.connections),
    each.rooms === null ? "" : String(each.rooms),
    each.url ?? "",
    each.http ?? "",
    plainText(each.reason ?? (each.authorized === false ? "wants a token to say more" : "")),
  ]);
  return inColumns([head, ...rows], (text, row, column) => {
    if (row === 0) return paint("dim", text);
    return column === 1 ? paint(STYLES[found[row - 1]!.state], text) : text;
  });
}
