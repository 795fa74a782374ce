/**
 * `config check`, `config show` and `config schema`: whether the settings of services are right, what holds, and what may
 * stand in their files.
 *
 * @module
 */
import process from "node:process";
import { toJsonSchema } from "@valibot/to-json-schema";
import type { Command } from "commander";
import type { Runtime } from "../ports/runtime.ts";
import { detectRuntime } from "../runtimes/detect.ts";
import { EXIT_CODES } from "../server/exit-codes.ts";
import { readSettings } from "../server/run.ts";
import { settingsServiceOf } from "../server/server-settings.ts";
import { misspeltVariables } from "../settings/environment.ts";
import { NO_FLAGS } from "../settings/flags.ts";
import { settingsFile } from "../settings/loader.ts";
import { settingsSchema } from "../settings/schema.ts";
import { SettingsError } from "../settings/settings-error.ts";
import { action, type ExitCode, makeCommand } from "./command.ts";
import { originsOf, shownSettings, shownYaml } from "./config/show.ts";
import { knownService, SERVICES } from "./services.ts";
import { paintFor } from "./terminal/paint.ts";
import { plainJson } from "./terminal/plain-text.ts";
import { inColumns } from "./terminal/table.ts";

interface ConfigFlags {
  readonly settings?: string;
  readonly json?: boolean;
}

const SETTINGS_HELP = "Settings file. Default: settings/{service}.yaml where it exists";

export function configCommand(): Command {
  const check = makeCommand(
    "check",
    "Say whether the settings of services are right, and each fault with its place",
  )
    .argument("[SERVICE...]", "Default: all")
    .option("--settings <FILE>", SETTINGS_HELP)
    .option("--json", "One JSON object a line")
    .action(action(checkSettings));
  const show = makeCommand("show", "Print the settings that hold, and where each comes from; never a secret")
    .argument("<SERVICE>", "Whose settings they are")
    .option("--settings <FILE>", SETTINGS_HELP)
    .option("--json", "One JSON object, without where they come from")
    .action(action(showSettings));
  const schema = makeCommand("schema", "Print the JSON Schema of a settings file, for an editor")
    .argument("<SERVICE>", "Whose file it is")
    .action(action(printSchema));
  return makeCommand("config", "Check and show settings")
    .addCommand(check).addCommand(show).addCommand(schema)
    .addHelpText("after", "\nExit codes: 0 done, and the settings are right; 2 usage, or they are not.");
}

async function checkSettings(named: readonly string[], flags: ConfigFlags): Promise<ExitCode> {
  const names = named.length > 0
    ? [...new Set(named.map((word) => knownService("config check", word)))]
    : Object.keys(SERVICES);
  if (flags.settings !== undefined && names.length > 1) {
    throw new SettingsError([`--settings: expected with one service, got ${named.length}`]);
  }
  const runtime = await detectRuntime();
  const checked: Checked[] = [];
  for (const name of names) checked.push(await checkOne(name, flags, runtime));
  const isRight = checked.every(({ problems }) => problems.length === 0);
  if (flags.json) { for (const each of checked) console.log(plainJson(each)); }
  else {
    const paint = paintFor(process.stdout, process.env);
    const rows = checked.map(({ service, file, problems }) => {
      const state = problems.length === 0 ? "right" : `${problems.length} wrong`;
      return [service, state, file ?? "no file: the defaults hold"];
    });
    const style = (text: string, row: number, column: number) => {
      if (column !== 1) return text;
      return paint(checked[row]!.problems.length === 0 ? "green" : "red", text);
    };
    for (const line of inColumns(rows, style)) console.log(line);
    for (const { problems, warnings } of checked) {
      for (const line of [...problems, ...warnings]) console.error(line);
    }
  }
  return isRight ? EXIT_CODES.done : EXIT_CODES.usage;
}

interface Checked {
  readonly service: string;
  /** Null where there is none. */
  readonly file: string | null;
  readonly problems: readonly string[];
  /** What is not wrong and may not be meant. */
  readonly warnings: readonly string[];
}

async function checkOne(service: string, flags: ConfigFlags, runtime: Runtime): Promise<Checked> {
  const file = flags.settings ?? settingsFile({ name: service });
  const exists = await runtime.files.kind(runtime.files.resolve(file)).then((kind) => kind !== "missing");
  const warnings = misspeltVariables(service, runtime.environment).map(({ name, meant }) =>
    `${name}: nothing reads this variable, did you mean ${meant}?`
  );
  const place = { service, file: exists ? file : null, warnings };
  try {
    await readSettings(await SERVICES[service]!(), runtime, flagsOf(flags));
    return { ...place, problems: [] };
  } catch (error) {
    if (error instanceof SettingsError) return { ...place, problems: error.problems };
    throw error;
  }
}

function flagsOf({ settings }: ConfigFlags) {
  return { ...NO_FLAGS, settingsFile: settings };
}

async function showSettings(word: string, flags: ConfigFlags): Promise<ExitCode> {
  const service = await SERVICES[knownService("config show", word)]!();
  const runtime = await detectRuntime();
  const settings = await readSettings(service, runtime, flagsOf(flags));
  if (flags.json) {
    console.log(plainJson(shownSettings(service.contract.name, settings)));
    return EXIT_CODES.done;
  }
  const file = flags.settings ?? settingsFile(service.contract);
  const text = await runtime.files.readText(runtime.files.resolve(file));
  const origins = originsOf(service.contract.name, runtime.environment, { file, text });
  const paint = paintFor(process.stdout, process.env);
  for (const line of shownYaml(service.contract.name, settings, origins, paint)) console.log(line);
  return EXIT_CODES.done;
}

async function printSchema(word: string): Promise<ExitCode> {
  const owner = settingsServiceOf(await SERVICES[knownService("config schema", word)]!());
  // What no JSON Schema can say, such as settings that go together, is checked by `config check`.
  const schema = toJsonSchema(settingsSchema(owner), { errorMode: "ignore", typeMode: "input" });
  console.log(JSON.stringify({ title: `Settings of ${owner.name}`, ...schema }, null, 2));
  return EXIT_CODES.done;
}
