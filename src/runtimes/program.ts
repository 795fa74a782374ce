/**
 * How a program of this project begins and ends, on each runtime: the first that it loads, and the last that runs.
 *
 * @module
 */
import process from "node:process";
import { format } from "node:util";
import { holdHangups } from "./held-hangups.ts";
import { isReaderGone, outputFault, writeOut } from "./write-out.ts";

/** As `engines` of package.json says it. */
const NODE = [20, 19] as const;
const FAILED = 1;
/** What standard error still waits for at the end, in milliseconds: a log that nobody reads holds nobody up. */
const LAST_WORDS_MS = 1_000;

export interface ProgramOptions {
  /** Whether SIGHUP is a wish to read the settings again. From the first line on it then ends nothing. @default false */
  readonly reloads?: boolean;
}

/**
 * Run the program and end the process with its exit code, when what it has printed by `console.log` is out. Where that
 * cannot be written, one sentence says so and the exit code is not 0; a reader that went away (`| head`) is no fault. By
 * `console.info` it prints what nobody has to read. Without standard error it runs all the same.
 *
 * @param main Loads the rest of the program, so that what is done here comes before that. Gets the command line.
 */
export async function program(
  main: (args: readonly string[]) => Promise<number>,
  { reloads = false }: ProgramOptions = {},
): Promise<never> {
  if (reloads) holdHangups();
  const output = guardOutput();
  const fault = nodeFault(process.versions);
  if (fault !== null) console.error(fault);
  const code = fault === null ? await main(process.argv.slice(2)).catch(withoutFolder) : FAILED;
  const failure = await output.written();
  const isLost = failure !== null && !isReaderGone(failure);
  if (isLost) console.error(outputFault(failure));
  if (process.stderr.writableLength > 0) {
    const late = new Promise((resolve) => setTimeout(resolve, LAST_WORDS_MS));
    await Promise.race([writeOut(process.stderr, ""), late]);
  }
  // Also where a stop was given up and something still holds the process.
  process.exit(isLost && code === 0 ? FAILED : code);
}

/** What is to be said where this Node is too old; null where it is not, and on Deno and Bun. */
export function nodeFault({ node = "0", deno, bun }: Readonly<Record<string, string | undefined>>) {
  const [major = 0, minor = 0] = node.split(".").map(Number);
  if (deno !== undefined || bun !== undefined || major > NODE[0]) return null;
  if (major === NODE[0] && minor >= NODE[1]) return null;
  return `Expected Node ${NODE.join(".")} or newer, got ${node}: install a newer one, or use Deno or Bun`;
}

/** A failure where the folder that it was started in is gone. @throws {unknown} any other. */
function withoutFolder(error: unknown): number {
  try {
    process.cwd();
  } catch {
    console.error("The folder that this was started in does not exist any more: start it in another one");
    return FAILED;
  }
  throw error;
}

/** What `console` cannot write is lost and ends nothing. */
function guardOutput(): { written(): Promise<Error | null> } {
  const { stdout, stderr } = process;
  for (const stream of [stdout, stderr]) stream.on("error", () => {});
  for (const name of ["error", "warn", "info", "debug", "trace"] as const) {
    const write = console[name].bind(console);
    console[name] = (...words) => {
      try {
        write(...words);
      } catch {
        // Deno throws.
      }
    };
  }
  let last: Promise<Error | null> = Promise.resolve(null);
  // Not as runtimes do it: Node cuts what is large at the end, and neither it nor Bun tells a failure.
  console.log = (...words) => void (last = writeOut(stdout, `${format(...words)}\n`));
  return { written: () => last };
}
