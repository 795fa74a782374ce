/**
 * `serve`: the services that come with the project, on their ports, until SIGINT or SIGTERM.
 *
 * @module
 */
import type { Command } from "commander";
import { detectRuntime } from "../runtimes/detect.ts";
import { runServices } from "../server/run.ts";
import type { Flags } from "../settings/flags.ts";
import { SettingsError } from "../settings/settings-error.ts";
import { action, makeCommand } from "./command.ts";
import { knownService, SERVICES } from "./services.ts";
import { type GivenFlags, settingFlags, withSettingFlags } from "./setting-flags.ts";

export function serveCommand(): Command {
  return withSettingFlags(
    makeCommand("serve", "Serve services until Ctrl-C")
      .argument("[SERVICE...]", `Of ${Object.keys(SERVICES).join(", ")}. Default: all of them`),
  )
    .addHelpText(
      "after",
      "\nSettings that no flag names stand in the file, and in the environment." +
        "\n\nExit codes: 0 stopped in order; 1 error, such as a port in use; 2 usage, or settings that are not right.",
    )
    .action(action(serve));
}

async function serve(words: readonly string[], given: GivenFlags): Promise<number> {
  const flags = settingFlags(given);
  const named = [...new Set(words.map((word) => knownService("serve", word)))];
  const names = named.length > 0 ? named : Object.keys(SERVICES);
  if (names.length > 1) refuseOwn(flags);
  const services = await Promise.all(names.map((name) => SERVICES[name]!()));
  return await runServices(services, flags, { runtime: await detectRuntime() });
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
