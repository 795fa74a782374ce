/**
 * How a log record is written: as a line for files and people, as JSON for programs, or for a terminal.
 *
 * @module
 */
import {
  type FormattedValues,
  getAnsiColorFormatter,
  getJsonLinesFormatter,
  getTextFormatter,
  type LogRecord,
  type TextFormatter,
} from "@logtape/logtape";
import { errorText, fieldsText, loggedValue, safeText } from "../ports/log-text.ts";

export const LOG_FORMATS = ["line", "pretty", "json"] as const;

export type LogFormat = typeof LOG_FORMATS[number];

/** The formatter of a format. Each record is one line, but for the stacks of errors in `pretty`, which are indented. */
export function formatterOf(format: LogFormat, colors: boolean): TextFormatter {
  if (format === "json") return json();
  return format === "pretty" ? pretty(colors) : line();
}

const LEVELS: Readonly<Record<LogRecord["level"], string>> = {
  trace: "TRACE",
  debug: "DEBUG",
  info: "INFO ",
  warning: "WARN ",
  error: "ERROR",
  fatal: "FATAL",
};

const level = (name: LogRecord["level"]) => LEVELS[name];

function line(): TextFormatter {
  return getTextFormatter({
    timestamp: "rfc3339",
    level,
    // It knows fewer unsafe characters than `safeText`.
    sanitize: false,
    format: ({ timestamp, level, message, record }) =>
      `${timestamp} ${level} ${safeText(message)}${fieldsText(record.properties)}`,
  });
}

function pretty(colors: boolean): TextFormatter {
  const options = {
    timestamp: "time",
    timeZone: null,
    level,
    category: (category: readonly string[]) => category.slice(1).join(" "),
    sanitize: false,
    format: ({ timestamp, level, category, message, record }: FormattedValues) => {
      const { service: _, ...properties } = record.properties;
      const facts = Object.entries(properties).filter(([, value]) => !(value instanceof Error));
      const text = fieldsText(Object.fromEntries(facts));
      const faint = colors && text !== "" ? `\x1b[2m${text}\x1b[0m` : text;
      return `${timestamp} ${level} ${category} ${safeText(message)}${faint}${stacksOf(properties)}`;
    },
  } as const;
  return colors ? getAnsiColorFormatter(options) : getTextFormatter(options);
}

/** Indented, so that no line of them can be taken for one of the log. */
function stacksOf(properties: LogRecord["properties"]): string {
  return Object.values(properties)
    .filter((value) => value instanceof Error)
    .flatMap((error) => errorText(error).split("\n"))
    .map((line) => `\n    ${safeText(line)}`)
    .join("");
}

/** Names that each record has. */
const TAKEN: ReadonlySet<string> = new Set(["@timestamp", "level", "message", "logger"]);

function json(): TextFormatter {
  const write = getJsonLinesFormatter({ properties: "flatten" });
  return (record) => {
    const properties = Object.entries(record.properties).map(([name, value]) => {
      return [TAKEN.has(name) ? `field_${name}` : name, loggedValue(name, value)] as const;
    });
    // Outside of strings it holds nothing that is unsafe, and in strings the escapes are those of JSON.
    return safeText(write({ ...record, properties: Object.fromEntries(properties) }).trimEnd());
  };
}
