/**
 * The log of a service: records of LogTape, written in the format and from the level that the settings say. It shares
 * nothing with the LogTape of an application that it runs in: who wants the lines there gives the server a logger of it
 * as `log`.
 *
 * @module
 */
import type { LogLevel as RecordLevel } from "@logtape/logtape";
import { type Clock, systemClock } from "../ports/clock.ts";
import { type LeveledLog, leveledLog, type LogLevel } from "../ports/log.ts";
import { formatterOf, type LogFormat } from "./formats.ts";

export interface ServiceLogOptions {
  /** Named in every record. @default none, for what belongs to no service */
  readonly service?: string;
  /** Lowest level that is written. `setLevel` changes it. */
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** Whether `pretty` may use colours. @default false */
  readonly colors?: boolean;
  /** Default: the machine's. */
  readonly clock?: Pick<Clock, "now">;
  /** Where a line goes. Default: standard error. */
  readonly write?: (line: string) => void;
}

const RECORD_LEVELS: Readonly<Record<LogLevel, RecordLevel>> = {
  debug: "debug",
  info: "info",
  warn: "warning",
  error: "error",
};

/** Never throws, whatever it is given, and where nothing can be written. */
export function serviceLog(options: ServiceLogOptions): LeveledLog {
  const { service, clock = systemClock, write = (line: string) => console.error(line) } = options;
  const format = formatterOf(options.format, options.colors ?? false);
  const own = service === undefined ? {} : { service };
  const category = ["mcp-realtime", ...Object.values(own)];
  return leveledLog(options.level, (level, message, fields) => {
    const record = {
      category,
      level: RECORD_LEVELS[level],
      message: [message],
      rawMessage: message,
      timestamp: clock.now(),
    };
    let line: string;
    try {
      line = format({ ...record, properties: { ...own, ...fields } });
    } catch {
      // Better a line without its facts than none.
      line = format({ ...record, properties: own });
    }
    write(line.trimEnd());
  });
}
