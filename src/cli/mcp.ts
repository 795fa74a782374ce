/**
 * `mcp SERVICE`: a service for an MCP client that speaks over standard input and output. Where the service runs already,
 * messages go to it; otherwise this process serves it, as `serve` does, for as long as its client stays.
 *
 * @module
 */
import process from "node:process";
import type { Command } from "commander";
import { wakefulClock } from "../ports/clock.ts";
import { detectRuntime } from "../runtimes/detect.ts";
import { EXIT_CODES } from "../server/exit-codes.ts";
import { announcement, readSettings, stopInTime } from "../server/run.ts";
import { logOf } from "../server/server-log.ts";
import type { Flags } from "../settings/flags.ts";
import { quoted, SettingsError } from "../settings/settings-error.ts";
import { action, CommandFailure, makeCommand } from "./command.ts";
import { Bridge } from "./mcp/bridge.ts";
import { mcpConfigCommand } from "./mcp/config.ts";
import { checkToken, credentialsFor, TOKEN_VARIABLE } from "./mcp/credentials.ts";
import { LineWriter, readLines } from "./mcp/lines.ts";
import { errorMessage, idOf, readMessage, RPC_CODES } from "./mcp/messages.ts";
import { atMost } from "./pause.ts";
import { PlaceError, Places } from "./mcp/place.ts";
import { knownService, SERVICES } from "./services.ts";
import { type GivenFlags, settingFlags, withSettingFlags } from "./setting-flags.ts";
import { singleValue } from "./single-value.ts";

/** What a client that has said its last word still gets an answer to, in milliseconds. */
const LAST_ANSWERS_MS = 1_000;
/** For telling a service elsewhere that the session ends. */
const GOODBYE_MS = 1_000;

export function mcpCommand(): Command {
  return withSettingFlags(
    makeCommand(
      "mcp",
      "Speak MCP over standard input and output, for clients that start their servers. Where the service runs already, " +
        "messages go to it; otherwise it is served from here, on its ports too",
    )
      .argument("<SERVICE>", `One of ${Object.keys(SERVICES).join(", ")}`)
      // So that flags behind `config` are its own.
      .enablePositionalOptions(),
  )
    .option(
      "--folder <DIR>",
      "Where settings and data are. Default: where this is started",
      singleValue("--folder", "DIR"),
    )
    .addCommand(mcpConfigCommand())
    .addHelpText(
      "after",
      `\nA token for the service is taken from the environment (${TOKEN_VARIABLE}). Where there is none and the settings` +
        '\nhave auth.secret, one is made for the user "stdio".' +
        "\n\nExit codes: 0 the client has ended; 1 the service can neither be served nor reached; 2 usage.",
    )
    .action(action(mcp));
}

async function mcp(word: string, given: GivenFlags): Promise<number> {
  const name = knownService("mcp", word, ["config"]);
  if (typeof given.folder === "string") enter(given.folder);
  // Whatever is printed by anybody: standard output belongs to the protocol.
  console.log = console.info = console.debug = console.error;
  try {
    return await bridge(name, settingFlags(given));
  } catch (error) {
    if (error instanceof PlaceError) throw new CommandFailure(EXIT_CODES.error, error.message);
    throw error;
  }
}

async function bridge(name: string, flags: Flags): Promise<number> {
  const runtime = await detectRuntime();
  const service = await SERVICES[name]!();
  const settings = await readSettings(service, runtime, flags);
  const clock = wakefulClock;
  const log = logOf(settings, runtime, name);
  runtime.logTo(log);
  const token = runtime.environment[TOKEN_VARIABLE]?.trim();
  if (token) checkToken(TOKEN_VARIABLE, token);
  // Programs that a service starts have no use for it.
  delete process.env[TOKEN_VARIABLE];

  let end: () => void = () => {};
  const ended = new Promise<void>((resolve) => end = resolve);
  const forget = runtime.onStopSignal(() => end());
  const places = new Places({
    service,
    settings,
    runtime,
    clock,
    log,
    serving: (server) => announcement(server).forEach((line) => console.error(line)),
  });
  try {
    const place = await Promise.race([places.find(), ended]);
    if (!place) return await stopInTime({ stop: () => places.close() });
    if (!place.isOwn) console.error(`${name} runs at ${place.url}: messages go there`);
    const writer = new LineWriter(process.stdout, () => end());
    const credentials = credentialsFor({ service: name, auth: settings.auth, token, clock });
    const say = writer.write.bind(writer);
    const line = new Bridge({ service: name, places, credentials, clock, log, say });
    void converse(line, writer).then(async () => {
      await atMost(clock, LAST_ANSWERS_MS, line.idle());
      end();
    });
    await ended;
    await atMost(clock, GOODBYE_MS, Promise.all([writer.flushed(), line.close()]));
    return await stopInTime({ stop: () => places.close() });
  } finally {
    forget();
  }
}

/** Hand on what comes, until nothing more comes. */
async function converse(line: Bridge, writer: LineWriter): Promise<void> {
  try {
    for await (const read of readLines(process.stdin)) {
      if (!read.ok) {
        await writer.write(errorMessage(null, RPC_CODES.parse, read.reason));
        continue;
      }
      const message = readMessage(read.value);
      if (typeof message !== "string") await line.receive(message);
      else await writer.write(errorMessage(idOf(read.value), RPC_CODES.invalidRequest, message));
    }
  } catch (error) {
    console.error(`Standard input cannot be read any more: ${(error as Error).message}`);
  }
}

/** Settings and data are looked for from there. */
function enter(folder: string): void {
  try {
    process.chdir(folder);
  } catch {
    throw new SettingsError([`--folder: expected a folder, got ${quoted(folder)}, which cannot be entered`]);
  }
}
