/**
 * Every command: what the help says of it, and where it is. A command's file is loaded when it is asked for, so that none
 * starts later for the others' sake; so is the library that reads flags, which `serve` and `mcp` do without: theirs are
 * settings (`settings/flags.ts`).
 *
 * @module
 */
import type { Command } from "commander";

export interface CommandRow {
  /** What stands after its name. */
  readonly words: string;
  readonly summary: string;
  /** @returns the exit code. */
  readonly run: (args: readonly string[]) => Promise<number>;
}

/** In the order of the help. */
export const COMMANDS: Readonly<Record<string, CommandRow>> = {
  serve: {
    words: "[SERVICE...]",
    summary: "Serve services until Ctrl-C; all of them where none is named",
    run: async (args) => await (await import("./serve.ts")).serve(args),
  },
  tail: {
    words: "SERVICE CHANNEL...",
    summary: "Show events as they happen, or wait for one",
    run: read(async () => (await import("./tail.ts")).tailCommand()),
  },
  publish: {
    words: "SERVICE EVENT [DATA...]",
    summary: "Say that something happened, where clients may say it",
    run: read(async () => (await import("./publish.ts")).publishCommand()),
  },
  request: {
    words: "SERVICE NAME [DATA...]",
    summary: "Ask a service for something, and print its answer",
    run: read(async () => (await import("./request.ts")).requestCommand()),
  },
  status: {
    words: "[SERVICE...]",
    summary: "Say which services run, and how they are",
    run: read(async () => (await import("./status.ts")).statusCommand()),
  },
  doctor: {
    words: "[SERVICE...]",
    summary: "Look at everything that usually goes wrong, and say what to do",
    run: read(async () => (await import("./doctor.ts")).doctorCommand()),
  },
  record: {
    words: "SERVICE CHANNEL...",
    summary: "Write what comes over channels to a file",
    run: read(async () => (await import("./record.ts")).recordCommand()),
  },
  replay: {
    words: "FILE",
    summary: "Bring the events of such a file again, on a port for clients to read",
    run: read(async () => (await import("./replay.ts")).replayCommand()),
  },
  config: {
    words: "check | show | schema",
    summary: "Check and show settings",
    run: read(async () => (await import("./config.ts")).configCommand()),
  },
  mcp: {
    words: "SERVICE",
    summary: "Speak MCP over standard input and output; serve the service where nobody does",
    run: async (args) => await (await import("./mcp.ts")).mcp(args),
  },
  "mcp config": {
    words: "CLIENT",
    summary: "Print what goes into the configuration file of an MCP client",
    run: async (args) => await (await import("./mcp.ts")).mcp(["config", ...args]),
  },
  token: {
    words: "create | verify",
    summary: "Make a token for a service, or say what one is worth there",
    run: async (args) => await (await import("./token.ts")).token(args),
  },
};

/** A command that the library reads. */
export function read(load: () => Promise<Command>): CommandRow["run"] {
  return async (args) => {
    const [{ runCommand }, command] = await Promise.all([import("./command.ts"), load()]);
    return await runCommand(command, args);
  };
}
