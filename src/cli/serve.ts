/**
 * `serve`: the services that come with the project, on their ports, until SIGINT or SIGTERM.
 *
 * @module
 */
import { detectRuntime } from "../runtimes/detect.ts";
import { EXIT_CODES } from "../server/exit-codes.ts";
import { explained, runServices } from "../server/run.ts";
import { type Flags, flagsHelp, parseFlags } from "../settings/flags.ts";
import { SettingsError } from "../settings/settings-error.ts";
import { knownService, SERVICES } from "./services.ts";

/**
 * Serve until told to stop.
 *
 * @param args Names of services (all where none is named) and flags.
 * @returns the exit code.
 */
export async function serve(args: readonly string[]): Promise<number> {
  return await explained(async () => {
    const flags = parseFlags(args, { words: true });
    if (flags.help) {
      console.log(help());
      return EXIT_CODES.done;
    }
    const names = choose(flags.words);
    if (names.length > 1) refuseOwn(flags);
    const services = await Promise.all(names.map((name) => SERVICES[name]!()));
    return await runServices(services, flags, { runtime: await detectRuntime() });
  });
}

/** Values that services cannot share. */
const SHARED: Readonly<Record<string, readonly string[]>> = {
  "--port": ["0"],
  "--http-port": ["0"],
  "--storage": [":memory:", "none"],
};

/** @throws {SettingsError} where a flag says what can hold for one service alone. */
function refuseOwn({ settingsFile, values }: Flags): void {
  const own = [...values].filter(([flag, value]) => SHARED[flag]?.includes(value) === false).map(([flag]) =>
    flag
  );
  if (settingsFile !== undefined) own.unshift("--settings");
  if (own.length === 0) return;
  throw new SettingsError(
    own.map((flag) =>
      `${flag}: expected with one service, got several: name one, or use settings/{service}.yaml`
    ),
  );
}

function choose(words: readonly string[]): readonly string[] {
  const names = words.map((word) => knownService("serve", word));
  return names.length > 0 ? [...new Set(names)] : Object.keys(SERVICES);
}

function help(): string {
  const known = Object.keys(SERVICES).join(", ");
  return `Usage: mcp-realtime serve [SERVICE...] [FLAGS]\n\nServe services (${known}) until Ctrl-C.\n\n${flagsHelp()}`;
}
