/**
 * Where a record goes to. A file is made with its first line, so that a service that cannot be reached leaves none
 * behind, and no file is lost to it.
 *
 * @module
 */
import { constants } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import process from "node:process";
import { wakefulClock } from "../../ports/clock.ts";
import { fileFault, isMissing } from "../../runtimes/file-fault.ts";
import { isReaderGone, outputFault, writeOut } from "../../runtimes/write-out.ts";
import { EXIT_CODES } from "../../server/exit-codes.ts";
import { CommandFailure } from "../command.ts";
import { pause } from "../pause.ts";

/** Whose record it is alone may read it: it holds whatever the events do. */
const MODE = 0o600;
/** Opening a pipe that nobody reads would wait for ever, and so would writing to one that is full. */
const WRITE_FLAGS = constants.O_WRONLY | constants.O_CREAT | (constants.O_NONBLOCK ?? 0);
/** After which a pipe that is full is tried again. */
const FULL_MS = 20;

export interface Output {
  /** As a person is told of it. */
  readonly name: string;
  /**
   * Write some of it, or all: resolves with how many bytes are out.
   *
   * @throws {CommandFailure} where it cannot be written.
   * @throws {ReaderGone}
   */
  write(bytes: Uint8Array): Promise<number>;
  close(): Promise<void>;
}

/** Whoever has read the output of a command does so no more. */
export class ReaderGone extends Error {
  override readonly name = "ReaderGone";

  constructor() {
    super("Nobody reads what is written");
  }
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
  const flags = WRITE_FLAGS | (force ? constants.O_TRUNC : constants.O_EXCL);
  let handle: FileHandle | null = null;
  return {
    name: path,
    async write(bytes) {
      try {
        handle ??= await open(path, flags, MODE);
        return (await handle.write(bytes, 0, bytes.byteLength, null)).bytesWritten;
      } catch (error) {
        if (codeOf(error) === "EEXIST") throw inTheWay(path);
        if (codeOf(error) !== "EAGAIN") throw failure(`"${path}"`, error);
        await pause(wakefulClock, FULL_MS);
        return 0;
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
    async write(bytes) {
      const fault = await writeOut(process.stdout, bytes);
      if (fault === null) return bytes.byteLength;
      throw isReaderGone(fault) ? new ReaderGone() : new CommandFailure(EXIT_CODES.error, outputFault(fault));
    },
    close: () => Promise.resolve(),
  };
}

function failure(name: string, error: unknown): Error {
  if (isReaderGone(error as Error)) return new ReaderGone();
  return new CommandFailure(EXIT_CODES.error, `Cannot write ${name}: ${faultOf(error)}`);
}

function faultOf(error: unknown): string {
  if (isMissing(error)) return "its folder does not exist; make it, or name another file";
  if (codeOf(error) === "ENXIO") return "it is a pipe that nobody reads; start its reader first";
  return fileFault(error);
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

function inTheWay(path: string): CommandFailure {
  return new CommandFailure(
    EXIT_CODES.error,
    `Cannot write "${path}": there is a file already; name another one (--output), or replace it (--force)`,
  );
}
