/**
 * How the tests of a project are run: the command, and what is added to it so that its results are heard.
 *
 * @module
 */
import { Refusal } from "../../../src/protocol/errors.ts";
import type { Runner } from "./settings.ts";

/** What a run is to be started with. */
export interface RunPlan {
  readonly runner: Runner;
  /** The program and its arguments, as somebody gave them or as they were found, with the filter. */
  readonly command: readonly string[];
}

/** Paths of the files that a run leaves for us, in a folder of its own. */
export interface RunPaths {
  readonly reporter: string;
  readonly junit: string;
}

/** Which runner a command is of; `command` where it is none that we know. */
export function runnerOf(command: readonly string[]): Runner {
  const names = command.map((word) => word.split(/[\\/]/).at(-1)?.replace(/\.(exe|cmd|m?js)$/, "") ?? "");
  const [program = "", first = ""] = names;
  const launched = /^(npx|bunx|pnpx|uv|poetry|pipenv|pnpm|yarn)$/.test(program)
    ? names.slice(1).find((name) => !/^(-|run$|exec$|dlx$)/.test(name))
    : undefined;
  const tool = launched ?? program;
  if (tool === "vitest" || (program === "node" && first === "vitest")) return "vitest";
  if (/^(pytest|py\.test)(-\d|$)/.test(tool)) return "pytest";
  if (/^(python|pypy|coverage)[\d.]*$/.test(tool) && command[command.indexOf("-m") + 1] === "pytest") {
    return "pytest";
  }
  if (tool === "node" && command.includes("--test")) return "node";
  if (tool === "deno" && command[1] === "test") return "deno";
  return "command";
}

/**
 * The command with a filter of test names, in the runner's own way.
 *
 * @throws {Refusal} INVALID_DATA where it has none, NOT_AVAILABLE where the command has no place for it
 */
export function withFilter({ runner, command }: RunPlan, filter: string | null): RunPlan {
  if (filter === null) return { runner, command };
  switch (runner) {
    case "vitest":
      return { runner, command: atTheEnd(command, `--testNamePattern=${filter}`) };
    case "pytest":
      return { runner, command: atTheEnd(command, `-k${filter}`) };
    case "node":
      return { runner, command: after(command, "--test", `--test-name-pattern=${filter}`) };
    case "deno":
      return { runner, command: after(command, "test", `--filter=${filter}`) };
    default:
      throw new Refusal(
        "INVALID_DATA",
        "Invalid field 'filter': tests of this project run by a command that takes no filter of ours: leave it out",
      );
  }
}

/**
 * The command with what makes its results heard.
 *
 * @throws {Refusal} NOT_AVAILABLE where the command has no place for it
 */
export function withReporter({ runner, command }: RunPlan, paths: RunPaths, pytestModule: string): string[] {
  switch (runner) {
    case "vitest":
      return atTheEnd(command, "--reporter=default", `--reporter=${paths.reporter}`);
    case "pytest":
      return atTheEnd(command, "-p", pytestModule);
    case "node":
      return after(
        command,
        "--test",
        "--test-reporter=spec",
        "--test-reporter-destination=stdout",
        `--test-reporter=${paths.reporter}`,
        "--test-reporter-destination=stderr",
      );
    case "deno":
      return after(command, "test", `--junit-path=${paths.junit}`);
    default:
      return [...command];
  }
}

/** As one word of a shell's command line. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Behind the last option. What stands behind `--` is no option, but for npm, which hands on only that. */
function atTheEnd(command: readonly string[], ...added: string[]): string[] {
  const dashes = command.indexOf("--");
  const isNpm = /(^|[\\/])npm(\.cmd)?$/.test(command[0] ?? "");
  if (isNpm) return [...command, ...(dashes < 0 ? ["--"] : []), ...added];
  return dashes < 0
    ? [...command, ...added]
    : [...command.slice(0, dashes), ...added, ...command.slice(dashes)];
}

function after(command: readonly string[], word: string, ...added: string[]): string[] {
  const [program, option, line = ""] = command;
  if (program === "sh" && option === "-c") {
    const place = new RegExp(`(^|\\s)${word}(?=\\s|$)`).exec(line);
    if (place) {
      const end = place.index + place[0].length;
      return [program, option, `${line.slice(0, end)} ${added.map(quoted).join(" ")}${line.slice(end)}`];
    }
  }
  const at = command.indexOf(word) + 1;
  if (at === 0) {
    throw new Refusal(
      "NOT_AVAILABLE",
      `Cannot hear the tests of "${
        command.join(" ").slice(0, 200)
      }": expected the word ${word} in the command, ` +
        "got none: mend the setting 'command', or set 'runner' to junit, tap or command",
    );
  }
  return [...command.slice(0, at), ...added, ...command.slice(at)];
}
