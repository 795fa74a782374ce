/**
 * All checks, in the order in which a person would look: this machine, then each service.
 *
 * @module
 */
import { isAbsolute, relative } from "node:path";
import type { Clock } from "../../ports/clock.ts";
import type { Files } from "../../ports/files.ts";
import type { Runtime } from "../../ports/runtime.ts";
import { readSettings } from "../../server/run.ts";
import { databaseFile } from "../../settings/database-file.ts";
import { NO_FLAGS } from "../../settings/flags.ts";
import { settingsFile } from "../../settings/loader.ts";
import type { Settings } from "../../settings/schema.ts";
import { SettingsError } from "../../settings/settings-error.ts";
import { askByTls, askPlainly } from "../mcp/ask.ts";
import { TOKEN_VARIABLE } from "../mcp/credentials.ts";
import { SERVICES } from "../services.ts";
import { examineAuth } from "./auth.ts";
import { fail, type Finding, type Findings, ok, warn } from "./finding.ts";
import { examineMachine } from "./machine.ts";
import { examinePorts } from "./ports.ts";
import { examineRunning } from "./running.ts";
import { examineStorage } from "./storage.ts";
import type { Presence, Subject } from "./subject.ts";
import { examineTls } from "./tls.ts";
import { examineTools } from "./tools.ts";

export interface ExamineOptions {
  /** Names of services. */
  readonly services: readonly string[];
  /** Whether they were named, and not all taken. */
  readonly areNamed: boolean;
  /** Default: `settings/{service}.yaml` where it exists. */
  readonly settingsFile?: string | undefined;
  readonly runtime: Runtime;
  readonly clock: Clock;
}

/** A finding, and the service that it is about; null for this machine. */
export interface Told extends Finding {
  readonly service: string | null;
}

export async function* examine(options: ExamineOptions): AsyncGenerator<Told, void, undefined> {
  for await (const finding of examineMachine(options.runtime)) yield { service: null, ...finding };
  const taken = new Map<string, string>();
  for (const service of options.services) {
    for await (const finding of examineService(service, options, taken)) yield { service, ...finding };
  }
}

/** @param taken What services before this one have for themselves, each with its owner. */
async function* examineService(
  name: string,
  { areNamed, settingsFile: file, runtime, clock }: ExamineOptions,
  taken: Map<string, string>,
): AsyncGenerator<Finding, void, undefined> {
  const service = await SERVICES[name]!();
  let settings: Settings;
  try {
    const flags = { ...NO_FLAGS, settingsFile: file };
    settings = await readSettings(service, runtime, flags);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    const advice = "correct it; every setting is described in docs/settings.md";
    for (const problem of error.problems) yield fail("settings", problem, advice);
    return;
  }
  const from = file ?? settingsFile({ name });
  const isWritten = await runtime.files.kind(runtime.files.resolve(from)) === "file";
  yield ok("settings", isWritten ? `"${from}" is valid` : `There is no "${from}": the defaults hold`);
  yield* folderOf(from, settings, runtime.files);
  yield* clashesOf(name, settings, taken);
  const { tls } = settings;
  const subject: Subject = {
    name,
    service,
    settings,
    runtime,
    clock,
    ask: tls.enabled ? askByTls(readable(runtime.files), tls.cert_file) : askPlainly,
    token: runtime.environment[TOKEN_VARIABLE] || undefined,
    isNamed: areNamed,
  };
  const presence: Presence = { health: null, isDatabaseTaken: false };
  yield* examinePorts(subject, presence);
  yield* examineStorage(subject, presence);
  yield* examineAuth(subject);
  yield* examineTls(subject);
  yield* examineTools(subject);
  yield* examineRunning(subject, presence);
}

/**
 * Relative paths count from where a program is started. Of settings that lie elsewhere nobody knows where that is.
 *
 * @param from Their file.
 */
async function* folderOf(from: string, settings: Settings, files: Files): Findings {
  const check = "settings.folder";
  const path = databaseFile(settings);
  if (path === null || isAbsolute(path)) return;
  const here = files.resolve(".");
  const way = relative(here, files.resolve(from));
  if (!way.startsWith("..") && !isAbsolute(way)) return;
  const message = `Relative paths of the settings count from "${here}"`;
  const kind = await files.kind(files.resolve(path)).catch(() => "file");
  if (kind !== "missing") return yield ok(check, message);
  yield warn(
    check,
    `${message}, where there is no "${path}"`,
    "run doctor in the folder that the service is started in, if that is another one",
  );
}

/** A certificate that cannot be read is told of where certificates are looked at, and not taken for a port's fault. */
function readable({ resolve, readText }: Files): Pick<Files, "resolve" | "readText"> {
  return { resolve, readText: (path) => readText(path).catch(() => undefined) };
}

/** Two services on one machine need ports and files of their own. */
function* clashesOf(
  name: string,
  settings: Settings,
  taken: Map<string, string>,
): Generator<Finding> {
  const { websocket, http } = settings;
  const path = databaseFile(settings);
  const wanted = [
    ...websocket.enabled && websocket.port !== 0 ? [[`port ${websocket.port}`, "websocket.port"]] : [],
    ...http.port === 0 ? [] : [[`port ${http.port}`, "http.port"]],
    ...path === null ? [] : [[`database "${path}"`, "storage.path"]],
  ] as [string, string][];
  for (const [thing, setting] of wanted) {
    const owner = taken.get(thing);
    if (owner === undefined) taken.set(thing, name);
    else {
      yield fail(
        "settings.shared",
        `The settings of ${name} and of ${owner} both name ${thing}`,
        `set ${setting} of one of them to another`,
      );
    }
  }
}
