/**
 * Every command: what the help says of it, and where it is. A command's file is loaded when it is asked for, so that none
 * starts later for the others' sake.
 *
 * @module
 */
import type { Command } from "commander";

export interface CommandRow {
  /** What stands after its name. */
  readonly words: string;
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

/** In the order of the help. */
export const COMMANDS: Readonly<Record<string, CommandRow>> = {
  serve: {
    words: "[SERVICE...]",
    summary: "Serve services until Ctrl-C; all of them where none is named",
    load: async () => (await import("./serve.ts")).serveCommand(),
  },
  tail: {
    words: "SERVICE CHANNEL...",
    summary: "Show events as they happen, or wait for one",
    load: async () => (await import("./tail.ts")).tailCommand(),
  },
  publish: {
    words: "SERVICE EVENT [DATA...]",
    summary: "Say that something happened, where clients may say it",
    load: async () => (await import("./publish.ts")).publishCommand(),
  },
  request: {
    words: "SERVICE NAME [DATA...]",
    summary: "Ask a service for something, and print its answer",
    load: async () => (await import("./request.ts")).requestCommand(),
  },
  status: {
    words: "[SERVICE...]",
    summary: "Say which services run, and how they are",
    load: async () => (await import("./status.ts")).statusCommand(),
  },
  doctor: {
    words: "[SERVICE...]",
    summary: "Look at everything that usually goes wrong, and say what to do",
    load: async () => (await import("./doctor.ts")).doctorCommand(),
  },
  record: {
    words: "SERVICE CHANNEL...",
    summary: "Write what comes over channels to a file",
    load: async () => (await import("./record.ts")).recordCommand(),
  },
  replay: {
    words: "FILE",
    summary: "Bring the events of such a file again, on a port for clients to read",
    load: async () => (await import("./replay.ts")).replayCommand(),
  },
  config: {
    words: "check | show | schema",
    summary: "Check and show settings",
    load: async () => (await import("./config.ts")).configCommand(),
  },
  mcp: {
    words: "SERVICE",
    summary: "Speak MCP over standard input and output; serve the service where nobody does",
    load: async () => (await import("./mcp.ts")).mcpCommand(),
  },
  "mcp config": {
    words: "CLIENT",
    summary: "Print what goes into the configuration file of an MCP client",
    load: async () => (await import("./mcp.ts")).mcpCommand(),
  },
  token: {
    words: "create | verify",
    summary: "Make a token for a service, or say what one is worth there",
    load: async () => (await import("./token.ts")).tokenCommand(),
  },
};
