/**
 * `serve`: services on their ports, until SIGINT or SIGTERM.
 *
 * @module
 */
import process from "node:process";
import { SERVICES } from "../../services/catalog.ts";
import { systemClock } from "../ports/clock.ts";
import { DatabaseError } from "../ports/database.ts";
import { ListenError, type Runtime } from "../ports/runtime.ts";
import { detectRuntime } from "../runtimes/detect.ts";
import type { RealtimeServer } from "../server/realtime-server.ts";
import { readSettings, type Running, startServices } from "../server/run.ts";
import type { Service } from "../service/define-service.ts";
import { type Flags, flagsHelp, parseFlags } from "../settings/flags.ts";
import { nearest } from "../settings/nearest.ts";
import { SettingsError } from "../settings/settings-error.ts";
import { EXIT } from "./exit-codes.ts";

/** How long a stop may take before the process ends all the same, in milliseconds. */
const STOP_MS = 15_000;

/**
 * Serve until told to stop.
 *
 * @param names Services to serve; empty for those named in `args`, or all.
 * @param args Flags, and names of services where `names` is empty.
 * @returns the exit code.
 */
export async function serve(names: readonly string[], args: readonly string[]): Promise<number> {
  try {
    const flags = parseFlags(args, { words: names.length === 0 });
    if (flags.help) {
      console.log(help(names));
      return EXIT.done;
    }
    const chosen = choose(names.length > 0 ? names : flags.words);
    const runtime = await detectRuntime();
    return await run(chosen, runtime, flags);
  } catch (error) {
    if (!(error instanceof SettingsError || error instanceof ListenError || error instanceof DatabaseError)) {
      throw error;
    }
    console.error(error.message);
    return error instanceof SettingsError ? EXIT.usage : EXIT.error;
  }
}

async function run(names: readonly string[], runtime: Runtime, flags: Flags): Promise<number> {
  if (flags.settingsFile !== undefined && names.length > 1) {
    throw new SettingsError([
      "--settings: expected with one service, got several: name one, or use settings/{service}.yaml",
    ]);
  }
  // From here on a signal ends what has been started, and nothing else is started.
  let told: (signal: string) => void = () => {};
  const signal = new Promise<string>((resolve) => told = resolve);
  const forget = runtime.onStopSignal((name) => told(name));
  const services: { service: Service; settings: Awaited<ReturnType<typeof readSettings>> }[] = [];
  for (const name of names) {
    const service = await SERVICES[name]!();
    services.push({ service, settings: await readSettings(service, runtime, flags) });
  }
  const running = await startServices(services, { runtime });
  for (const server of running.servers) announce(server);
  console.log("Stop with Ctrl-C.");
  await signal;
  await stop(running);
  forget();
  return EXIT.done;
}

async function stop(running: Running): Promise<void> {
  const forget = systemClock.after(STOP_MS, () => {
    console.error(`Stopping took longer than ${STOP_MS / 1_000} seconds: ended without waiting`);
    process.exit(EXIT.error);
  });
  await running.stop();
  forget();
}

function announce(server: RealtimeServer<Service["contract"]>): void {
  const { service, settings } = server;
  const at = (host: string, port: number) => `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const http = `http://${at(settings.http.host, server.httpPort)}`;
  console.log(`${service.contract.name}`);
  if (settings.websocket.enabled) console.log(`  WebSocket  ws://${at(server.host, server.port)}`);
  console.log(`  HTTP       ${http}`);
  console.log(`  MCP        ${http}/mcp`);
}

function choose(words: readonly string[]): readonly string[] {
  const known = Object.keys(SERVICES);
  for (const word of words) {
    if (Object.hasOwn(SERVICES, word)) continue;
    const meant = nearest(word, known);
    const hint = meant === undefined ? "" : `: did you mean "${meant}"?`;
    throw new SettingsError([`serve: expected a service of ${known.join(", ")}, got "${word}"${hint}`]);
  }
  return words.length > 0 ? [...new Set(words)] : known;
}

function help(names: readonly string[]): string {
  const usage = names.length > 0
    ? `Serve ${names.join(", ")} until Ctrl-C.`
    : `Usage: mcp-realtime serve [SERVICE...] [FLAGS]\n\nServe services (${
      Object.keys(SERVICES).join(", ")
    }) until Ctrl-C.`;
  return `${usage}\n\n${flagsHelp()}`;
}
