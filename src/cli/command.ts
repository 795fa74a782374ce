/**
 * What the commands have in common that the library `commander` reads: their help, their faults in our words, and the
 * one place where their exit code is set.
 *
 * @module
 */
import { Command, CommanderError } from "commander";
import { EXIT_CODES } from "../server/exit-codes.ts";
import { explained } from "../server/run.ts";
import { meantHint, nearest } from "../settings/nearest.ts";
import { plainText } from "./terminal/plain-text.ts";

/** One of `EXIT_CODES`. */
export type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES];

/** A command that cannot go on. The message is a sentence for a person, on standard error. */
export class CommandFailure extends Error {
  override readonly name = "CommandFailure";
  readonly code: ExitCode;

  constructor(code: ExitCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** How the programs that were run have ended. */
const codes = new WeakMap<Command, number>();
/** Whose words were not understood. */
const faulty = new WeakMap<CommanderError, Command>();

/**
 * A command, or a word below one (`config show`), with our way of help and faults. Its flags say what they are with
 * `.option()`, what it does with `.action(action(…))`. A flag's text is read by a function that throws `SettingsError`.
 */
export function makeCommand(name: string, summary: string): Command {
  const command = new Command(name);
  return command
    .description(summary)
    .helpOption("-h, --help", "Show this text")
    .helpCommand(false)
    .showSuggestionAfterError()
    .configureHelp({
      commandUsage: usageOf,
      subcommandTerm: termOf,
      optionTerm: ({ flags }) => withoutBrackets(flags),
      // Taken out again by commander where no colours are wanted.
      styleTitle: (title) => `\u001b[1m${title}\u001b[22m`,
    })
    // Told once, by `runCommand`.
    .configureOutput({
      outputError: () => {},
      writeOut: (text) => console.log(text.replace(/\n$/, "")),
      writeErr: (text) => console.error(text.replace(/\n$/, "")),
    })
    .exitOverride((fault) => {
      faulty.set(fault, command);
      throw fault;
    });
}

/** `mcp-realtime tail SERVICE CHANNEL... [FLAGS]`. */
function usageOf(command: Command): string {
  const above = nameOf(command).split(" ").slice(0, -1);
  return ["mcp-realtime", ...above, termOf(command), "[FLAGS]"].join(" ");
}

/** `check [SERVICE...]`, or the words below it: `config check|show`. */
function termOf(command: Command): string {
  // One that has words of its own is used without those below it, too.
  const inner = command.registeredArguments.length > 0
    ? ""
    : command.commands.map((one) => one.name()).join("|");
  const words = command.registeredArguments.map((argument) => {
    const word = `${argument.name()}${argument.variadic ? "..." : ""}`;
    return argument.required ? word : `[${word}]`;
  });
  return [command.name(), ...(inner === "" ? [] : [inner]), ...words].join(" ");
}

/** What a flag takes needs no mark. */
function withoutBrackets(term: string): string {
  return term.replace(/<([^>]*)>/g, "$1");
}

/** What a command does, as commander wants it. `work` gets the words, then the flags, and resolves with the exit code. */
export function action<Given extends unknown[]>(
  work: (...given: Given) => Promise<number> | number,
): (...given: [...Given, Command]) => Promise<void> {
  return async (...given) => {
    let program = given.at(-1) as Command;
    while (program.parent) program = program.parent;
    codes.set(program, await work(...given.slice(0, -1) as Given));
  };
}

/**
 * Run a command. What is the caller's or the operator's to mend becomes a sentence on standard error.
 *
 * @param args What stood after its name.
 * @returns the exit code.
 */
export async function runCommand(command: Command, args: readonly string[]): Promise<number> {
  // Flags behind a word are that word's own.
  const program = new Command("mcp-realtime").enablePositionalOptions().addCommand(command);
  return await explained(async () => {
    try {
      await program.parseAsync([command.name(), ...args], { from: "user" });
      return codes.get(program) ?? EXIT_CODES.done;
    } catch (error) {
      if (error instanceof CommandFailure) {
        console.error(error.message);
        return error.code;
      }
      if (!(error instanceof CommanderError)) throw error;
      if (error.exitCode === 0) return EXIT_CODES.done;
      // Help that nobody asked for, as a word is missing: it says which.
      if (error.code !== "commander.help") {
        console.error(plainText(faultIn(error, faulty.get(error) ?? command)));
      }
      return EXIT_CODES.usage;
    }
  });
}

/** Commander's sentence in our form, without a value, which may be a secret. */
function faultIn({ code, message }: CommanderError, command: Command): string {
  const name = nameOf(command);
  const help = `; see mcp-realtime ${name} --help`;
  if (code === "commander.unknownCommand") {
    const words = command.commands.map((one) => one.name());
    return `${name}: expected ${words.join(", ")}, got another word${help}`;
  }
  const [fault = "", hint = ""] = message.replace(/^error: /, "").split("\n");
  const said = fault.replace(/'(--?[^'=\s]+)[^']*'/, "'$1'").replaceAll("'", '"').replace(/\.$/, "");
  if (code !== "commander.unknownOption") {
    return `${name}: ${said}${meantHint(/^\(Did you mean (.*)\?\)$/.exec(hint)?.[1], help)}`;
  }
  const known = command.options.map(({ long }) => long ?? "");
  const [, option = ""] = /"([^"]*)"/.exec(said) ?? [];
  if (known.includes(option)) return `${name}: option "${option}" takes no value, and got one${help}`;
  return `${name}: ${said}${meantHint(nearest(option, known), help)}`;
}

/** `config show`. */
function nameOf(command: Command): string {
  const names = [command.name()];
  for (let above = command.parent; above?.parent; above = above.parent) names.unshift(above.name());
  return names.join(" ");
}
