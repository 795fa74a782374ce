/**
 * The log that the settings describe.
 *
 * @module
 */
import { serviceLog } from "../logging/service-log.ts";
import type { LeveledLog } from "../ports/log.ts";
import type { Runtime } from "../ports/runtime.ts";
import type { Settings } from "../settings/schema.ts";

/**
 * @param runtime Null: standard error is taken for no terminal.
 * @param service Absent for what belongs to none.
 */
export function logOf(
  { log: { level, format } }: Pick<Settings, "log">,
  runtime: Pick<Runtime, "terminal"> | null,
  service?: string,
): LeveledLog {
  const { isTerminal, colors } = runtime?.terminal() ?? { isTerminal: false, colors: false };
  const chosen = format === "auto" ? (isTerminal ? "pretty" : "line") : format;
  return serviceLog({ level, format: chosen, colors, ...(service === undefined ? {} : { service }) });
}
