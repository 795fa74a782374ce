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
import { askByTls, askPlainly, isRefused, said } from "./mcp/ask.ts";
import { getJson } from "./reach/get-json.ts";
import { reach, type Reached, type ServiceFlags, withServiceFlags } from "./reach/reach.ts";
import { SERVICES } from "./services.ts";
import { span } from "./terminal/ago.ts";
import { type Paint, paintFor, type Style } from "./terminal/paint.ts";
import { plainJson, plainText } from "./terminal/plain-text.ts";
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
  /** Of the WebSocket. */
  readonly url: string;
  readonly http: string;
  /** Why it is not ready, or unknown. */
  readonly reason: string | null;
  readonly uptime_seconds: JsonValue;
  readonly connections: JsonValue;
  readonly rooms: JsonValue;
  /** What it says of itself. Null where it wants a token for that. */
  readonly manager: JsonValue;
  readonly authorized: boolean;
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
  return isNamed && counted.some(({ authorized }) => !authorized)
    ? EXIT_CODES.notAuthorized
    : EXIT_CODES.done;
}

const NOTHING = { uptime_seconds: null, connections: null, rooms: null, manager: null, authorized: true };

async function look(reached: Reached, { files }: Runtime): Promise<Found> {
  const { name, url, http, credentials, certificateFile } = reached;
  const place = { service: name, url, http };
  const way = certificateFile === undefined ? askPlainly : askByTls(files, certificateFile);
  const get = (path: string, headers = {}) => getJson(way, `${http}${path}`, { clock: systemClock, headers });
  try {
    const health = await get("/health");
    if (health.body.server !== name) {
      const reason = typeof health.body.server === "string"
        ? `${plainText(health.body.server)} answers there`
        : "something else answers there";
      return { ...place, ...NOTHING, state: "unknown", reason };
    }
    const { metrics = {} } = health.body;
    const figures = isJsonObject(metrics) ? metrics : {};
    const ready = await get("/ready");
    const own = await get("/api/status", await credentials.headers());
    return {
      ...place,
      state: ready.status === 200 ? "ready" : "not ready",
      reason: typeof ready.body.reason === "string" ? plainText(ready.body.reason) : null,
      uptime_seconds: figures.uptime_seconds ?? null,
      connections: figures.active_connections ?? null,
      rooms: own.body.rooms ?? null,
      manager: own.body.manager ?? null,
      authorized: own.status !== 401 && own.status !== 403,
    };
  } catch (error) {
    if (isRefused(error)) return { ...place, ...NOTHING, state: "not running", reason: null };
    return { ...place, ...NOTHING, state: "unknown", reason: plainText(said(error)) };
  }
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
    each.url,
    each.http,
    each.reason ?? (each.authorized ? "" : "wants a token to say more"),
  ]);
  return inColumns([head, ...rows], (text, row, column) => {
    if (row === 0) return paint("dim", text);
    return column === 1 ? paint(STYLES[found[row - 1]!.state], text) : text;
  });
}
