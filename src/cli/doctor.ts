/**
 * `doctor`: looks at everything that usually goes wrong, and says what to do. Changes nothing.
 *
 * @module
 */
import process from "node:process";
import type { Command } from "commander";
import { wakefulClock } from "../ports/clock.ts";
import { detectRuntime } from "../runtimes/detect.ts";
import { EXIT_CODES } from "../server/exit-codes.ts";
import { SettingsError } from "../settings/settings-error.ts";
import { action, makeCommand } from "./command.ts";
import { examine } from "./doctor/examine.ts";
import { jsonReport, textReport } from "./doctor/report.ts";
import { knownService, SERVICES } from "./services.ts";
import { paintFor } from "./terminal/paint.ts";

interface DoctorFlags {
  readonly json?: boolean;
  readonly settings?: string;
}

export function doctorCommand(): Command {
  return makeCommand(
    "doctor",
    "Look at everything that usually goes wrong, and say what to do; changes nothing",
  )
    .argument("[SERVICE...]", "Services to look at. Default: all of them")
    .option("--json", "Print one JSON object per finding: status, service, check, message, advice")
    .option(
      "--settings <FILE>",
      "Settings file of the one service that is named. Default: settings/{service}.yaml",
    )
    .addHelpText("after", "\nExit codes: 0 nothing failed; 1 something did; 2 usage.")
    .action(action(doctor));
}

async function doctor(words: string[], { json = false, settings }: DoctorFlags): Promise<number> {
  const services = [...new Set(words.map((word) => knownService("doctor", word)))];
  if (settings !== undefined && services.length !== 1) {
    throw new SettingsError([`--settings: expected with one service, got ${services.length}: name one`]);
  }
  const report = json ? jsonReport() : textReport(paintFor(process.stdout, process.env));
  const findings = examine({
    services: services.length > 0 ? services : Object.keys(SERVICES),
    areNamed: services.length > 0,
    settingsFile: settings,
    runtime: await detectRuntime(),
    clock: wakefulClock,
  });
  for await (const finding of findings) report.lines(finding).forEach((line) => console.log(line));
  report.summary().forEach((line) => console.log(line));
  return report.counts.fail > 0 ? EXIT_CODES.error : EXIT_CODES.done;
}
