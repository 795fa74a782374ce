/**
 * A command at a pseudo-terminal of 100 columns, as a person has it.
 *
 * @module
 */
import { commandLine, environmentOf } from "./command-process.ts";
import { startPython } from "./python-program.ts";

/** Erases the line that the cursor is in. */
export const ERASE = "\r\u001b[2K";

export interface TerminalCommand {
  /** All that was drawn so far, control characters included. */
  drawn(): string;
  /** Resolves when what is drawn so far holds the text. */
  shows(text: string | RegExp): Promise<unknown>;
  /** Press keys; `"\u0003"` is Ctrl-C. */
  type(keys: string): void;
  ended(): Promise<{ readonly code: number | undefined; readonly drawn: string }>;
}

/** Needs Python. */
export function draw(
  words: readonly string[],
  { folder, environment = {} }: {
    readonly folder: string;
    readonly environment?: Readonly<Record<string, string>>;
  },
): TerminalCommand {
  const program = startPython("terminal.py", [], {
    command: commandLine(words),
    folder,
    environment: { ...environmentOf({}), TERM: "xterm-256color", ...environment },
  });
  const facts = () => program.lines.map((line) => JSON.parse(line) as { output?: string; code?: number });
  const drawn = () => facts().map(({ output = "" }) => output).join("");
  return {
    drawn,
    shows: (text) =>
      program.line(() => typeof text === "string" ? drawn().includes(text) : text.test(drawn())),
    type: (keys) => program.write(JSON.stringify({ keys })),
    async ended() {
      await program.ended;
      return { code: facts().at(-1)?.code, drawn: drawn() };
    },
  };
}
