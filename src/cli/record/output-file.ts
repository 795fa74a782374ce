/**
 * The file that a record goes to. It is made with its first line, so that a service that cannot be reached leaves none
 * behind, and no file is lost to it.
 *
 * @module
 */
import { type FileHandle, open, stat } from "node:fs/promises";
import process from "node:process";
import { fileFault, isMissing } from "../../runtimes/file-fault.ts";
import { EXIT_CODES } from "../../server/exit-codes.ts";
import { CommandFailure } from "../command.ts";

/** Whose record it is alone may read it: it holds whatever the events do. */
const MODE = 0o600;

export interface Output {
  /** As a person is told of it. */
  readonly name: string;
  /** @throws {CommandFailure} where it cannot be written. */
  write(text: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * @param path `-` is standard output.
 * @param force Whether a file that is there may be replaced.
 * @throws {CommandFailure} where there is one, and it may not.
 */
export async function outputTo(path: string, force: boolean): Promise<Output> {
  if (path === "-") return standardOutput();
  if (!force) {
    const isThere = await stat(path).then(() => true, (error) => !isMissing(error));
    if (isThere) throw inTheWay(path);
  }
  let handle: FileHandle | null = null;
  return {
    name: path,
    async write(text) {
      try {
        handle ??= await open(path, force ? "w" : "wx", MODE);
        await handle.appendFile(text);
      } catch (error) {
        throw failure(path, error);
      }
    },
    async close() {
      await handle?.close();
    },
  };
}

function standardOutput(): Output {
  return {
    name: "standard output",
    write: (text) =>
      new Promise((resolve, reject) => {
        process.stdout.write(text, (error) => {
          if (error) reject(new CommandFailure(EXIT_CODES.error, "Nobody reads standard output any more"));
          else resolve();
        });
      }),
    close: () => Promise.resolve(),
  };
}

function failure(path: string, error: unknown): CommandFailure {
  if ((error as NodeJS.ErrnoException).code === "EEXIST") return inTheWay(path);
  const fault = isMissing(error)
    ? "its folder does not exist; make it, or name another file"
    : fileFault(error);
  return new CommandFailure(EXIT_CODES.error, `Cannot write "${path}": ${fault}`);
}

function inTheWay(path: string): CommandFailure {
  return new CommandFailure(
    EXIT_CODES.error,
    `Cannot write "${path}": there is a file already; name another one (--output), or replace it (--force)`,
  );
}
