/**
 * Log lines go out by this door. A field never holds a token, a secret or a payload. Never throws: whoever logs goes on,
 * also where nothing can be written.
 *
 * @module
 */
import { systemClock, timestamp } from "./clock.ts";
import { fieldsText, safeText } from "./log-text.ts";

/** From all to least. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

export type LogLevel = typeof LOG_LEVELS[number];

/** Facts beside the sentence. An `Error` is written with its stack, which goes to the log and nowhere else. */
export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** Write from this level on, from now on. Absent where that is set elsewhere. */
  setLevel?(level: LogLevel): void;
}

/** A log whose level can be changed. */
export type LeveledLog = Required<Log>;

/** Takes a message that is to be written. */
export type WriteMessage = (level: LogLevel, message: string, fields: LogFields) => void;

/**
 * A log that hands on what has its level, and drops the rest at the cost of a comparison. It never throws: what `write`
 * cannot write is lost.
 */
export function leveledLog(level: LogLevel, write: WriteMessage): LeveledLog {
  let lowest = LOG_LEVELS.indexOf(level);
  const at = (level: LogLevel) => {
    const rank = LOG_LEVELS.indexOf(level);
    return (message: string, fields: LogFields = {}): void => {
      if (rank < lowest) return;
      try {
        write(level, message, fields);
      } catch {
        // There is no place left to say it.
      }
    };
  };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    setLevel: (level) => void (lowest = LOG_LEVELS.indexOf(level)),
  };
}

/** Time, level, sentence, `name=value`: one line, whatever the parts hold. */
function plainLine(level: LogLevel, message: string, fields: LogFields): string {
  return `${timestamp(systemClock)} ${level.toUpperCase().padEnd(5)} ${safeText(message)}${
    fieldsText(fields)
  }`;
}

/**
 * One line per message, by itself: for tests, for programs that talk to people, and until the settings are read. What
 * serves writes by `serviceLog` of `src/logging`.
 *
 * @param options.level Lowest level that is written. Default `"info"`.
 * @param options.write Where a line goes. Default: standard error, so that standard output stays free for results.
 */
export function lineLog(options: { level?: LogLevel; write?: (line: string) => void } = {}): LeveledLog {
  const write = options.write ?? ((line) => console.error(line));
  return leveledLog(options.level ?? "info", (level, message, fields) => {
    write(plainLine(level, message, fields));
  });
}

/** Writes nothing. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** A log that writes to another one, which can be exchanged: for what is there before the settings are. */
export class LogSwitch implements Log {
  #to: Log;

  constructor(to: Log) {
    this.#to = to;
  }

  turn(to: Log): void {
    this.#to = to;
  }

  debug(message: string, fields?: LogFields): void {
    this.#to.debug(message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#to.info(message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#to.warn(message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#to.error(message, fields);
  }
}
