/**
 * Log lines go out by this door. A field never holds a token, a secret or a payload.
 *
 * @module
 */

export type LogLevel = "debug" | "info" | "warn" | "error";

/** Facts beside the sentence. An `Error` is written with its stack, which goes to the log and nowhere else. */
export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** Write from this level on. Absent where whoever gave the log decides. */
  setLevel?(level: LogLevel): void;
}

const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];

function printed(value: unknown): string {
  if (value instanceof Error) return value.stack ?? String(value);
  if (typeof value === "string") return /^[\w.:/@-]+$/.test(value) ? value : JSON.stringify(value);
  return JSON.stringify(value) ?? String(value);
}

/**
 * One line per message: time, level, sentence, `key=value`.
 *
 * @param options.level Lowest level that is written. Default `"info"`.
 * @param options.write Where a line goes. Default: standard error, so that standard output stays free for results.
 */
export function lineLog(options: { level?: LogLevel; write?: (line: string) => void } = {}): Log {
  let lowest = LEVELS.indexOf(options.level ?? "info");
  const write = options.write ?? ((line) => console.error(line));
  const at = (level: LogLevel) => (message: string, fields: LogFields = {}): void => {
    if (LEVELS.indexOf(level) < lowest) return;
    const facts = Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => ` ${key}=${printed(value)}`);
    write(`${new Date().toISOString()} ${level.toUpperCase().padEnd(5)} ${message}${facts.join("")}`);
  };
  const setLevel = (level: LogLevel) => void (lowest = LEVELS.indexOf(level));
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error"), setLevel };
}

/** Writes nothing. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
