/**
 * Services in a process of their own: settings from file, environment and flags, ports, settings read again on SIGHUP,
 * and an orderly end on SIGINT or SIGTERM.
 *
 * @module
 */
import { CertificateError } from "../ports/certificates.ts";
import { systemClock } from "../ports/clock.ts";
import { DatabaseError } from "../ports/database.ts";
import type { Log } from "../ports/log.ts";
import { ListenError, type Runtime } from "../ports/runtime.ts";
import type { Contract } from "../protocol/contract.ts";
import type { Manager, Service } from "../service/define-service.ts";
import { type Flags, flagsHelp, parseFlags } from "../settings/flags.ts";
import type { Settings } from "../settings/schema.ts";
import { SettingsError } from "../settings/settings-error.ts";
import { EXIT_CODES } from "./exit-codes.ts";
import { RealtimeServer } from "./realtime-server.ts";
import { settingsReader } from "./read-settings.ts";
import { reloadServices } from "./reload-services.ts";
import { logOf } from "./server-log.ts";
import { listenToSignals, type Signals } from "./signals.ts";
import { authority } from "./status.ts";

export { EXIT_CODES } from "./exit-codes.ts";
export { readSettings } from "./read-settings.ts";

/** How long a stop may take before it is given up, besides the time for draining, in milliseconds. */
const STOP_MS = 5_000;

export interface RunOptions {
  readonly runtime: Runtime;
  /** The command line, without the program's name. @default none */
  readonly args?: readonly string[];
  /** Default: standard error, as each service's settings `log` say. */
  readonly log?: Log;
  /** Where the addresses are printed. Default: standard output. */
  readonly print?: (line: string) => void;
}

/**
 * Serve one service until SIGINT or SIGTERM. What is wrong with settings, port or database is printed to standard error
 * as a sentence.
 *
 * @returns the exit code, one of `EXIT_CODES`.
 */
export async function runService<C extends Contract, M extends Manager>(
  service: Service<C, M>,
  options: RunOptions,
): Promise<number> {
  return await explained(async () => {
    const flags = parseFlags(options.args ?? []);
    if (flags.help) {
      (options.print ?? console.log)(`Serve ${service.contract.name} until Ctrl-C.\n\n${flagsHelp()}`);
      return EXIT_CODES.done;
    }
    return await runServices([service as unknown as Service], flags, options);
  });
}

const OPERATORS_FAULTS = [ListenError, DatabaseError, CertificateError];

/** Run `work`; a failure that is the operator's to mend becomes a sentence and an exit code. */
export async function explained(work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    const isUsage = error instanceof SettingsError;
    if (!isUsage && !OPERATORS_FAULTS.some((fault) => error instanceof fault)) throw error;
    console.error((error as Error).message);
    return isUsage ? EXIT_CODES.usage : EXIT_CODES.error;
  }
}

/**
 * Serve until SIGINT or SIGTERM, and read the settings again on SIGHUP. A second SIGINT or SIGTERM ends it without
 * waiting. Rejects with what `explained` explains.
 */
export async function runServices(
  services: readonly Service[],
  flags: Flags,
  options: Omit<RunOptions, "args">,
): Promise<number> {
  const { runtime } = options;
  const signals = listenToSignals(runtime);
  try {
    return await Promise.race([serveUntil(signals, services, flags, options), signals.secondStop]);
  } finally {
    signals.forget();
  }
}

async function serveUntil(
  signals: Signals,
  services: readonly Service[],
  flags: Flags,
  options: Omit<RunOptions, "args">,
): Promise<number> {
  const { runtime, print = console.info } = options;
  const read = settingsReader(services, runtime, flags);
  const chosen = await read();
  // The ports' own lines belong to no service; where there are several, the first one's settings hold for them.
  const portLog = options.log ?? logOf(chosen[0]!.settings, runtime);
  runtime.logTo(portLog);
  const running = await startServices(chosen, options);
  for (const server of running.servers) for (const line of announcement(server)) print(line);
  print("Stop with Ctrl-C");
  signals.onReload(async () => {
    await reloadServices(running.servers, read);
    portLog.setLevel?.(running.servers[0]!.settings.log.level);
  });
  await signals.stop;
  return await stopInTime(running);
}

/** What a person is told when a service is up: where it can be reached. */
export function announcement(
  { service, settings, host, port, httpPort }: RealtimeServer<Contract>,
): string[] {
  const [httpScheme, socketScheme] = settings.tls.enabled ? ["https", "wss"] : ["http", "ws"];
  const http = `${httpScheme}://${authority(settings.http.host, httpPort)}`;
  return [
    service.contract.name,
    ...(settings.websocket.enabled ? [`  WebSocket  ${socketScheme}://${authority(host, port)}`] : []),
    `  HTTP       ${http}`,
    `  MCP        ${http}/mcp`,
  ];
}

/** Stop, and give it up with a sentence and exit code 1 where that takes too long. */
export async function stopInTime(running: Pick<Running, "stop"> & Partial<Running>): Promise<number> {
  let forget = () => {};
  // Clients are told to go, then requests are answered, each for as long as the settings say.
  const drains = running.servers?.map(({ settings }) => settings.shutdown.drain_ms) ?? [];
  const stopMs = 2 * Math.max(STOP_MS, ...drains) + STOP_MS;
  const late = new Promise<number>((resolve) => {
    forget = systemClock.after(stopMs, () => {
      console.error(`Stopping took longer than ${stopMs / 1_000} seconds: ended without waiting`);
      resolve(EXIT_CODES.error);
    });
  });
  const stopped = running.stop().then(() => EXIT_CODES.done);
  return await Promise.race([stopped, late]).finally(() => forget());
}

/** Services that are up. */
export interface Running {
  readonly servers: readonly RealtimeServer<Contract>[];
  /** Stop them all at once, so that none of them is ready any more. Rejects with the first failure, when all have ended. */
  stop(): Promise<void>;
}

/** Start each service in turn. When one fails, those before it are stopped again. */
export async function startServices(
  services: readonly { readonly service: Service; readonly settings: Settings }[],
  options: { readonly runtime: Runtime; readonly log?: Log },
): Promise<Running> {
  const servers: RealtimeServer<Contract>[] = [];
  const stop = async (): Promise<void> => {
    const ends = await Promise.allSettled(servers.splice(0).reverse().map((server) => server.stop()));
    const failure = ends.find((end) => end.status === "rejected");
    if (failure) throw failure.reason;
  };
  try {
    for (const { service, settings } of services) {
      const server = new RealtimeServer(service, { ...options, settings });
      servers.push(server);
      await server.start();
    }
  } catch (error) {
    await stop().catch(() => {});
    throw error;
  }
  return { servers: [...servers], stop };
}
