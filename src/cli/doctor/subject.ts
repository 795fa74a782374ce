/**
 * What the checks of one service look at.
 *
 * @module
 */
import type { Clock } from "../../ports/clock.ts";
import type { Runtime } from "../../ports/runtime.ts";
import type { Service } from "../../service/define-service.ts";
import type { Settings } from "../../settings/schema.ts";
import type { Ask } from "../mcp/ask.ts";

export interface Subject {
  readonly name: string;
  readonly service: Service;
  readonly settings: Settings;
  readonly runtime: Runtime;
  readonly clock: Clock;
  /** The way to the service's ports, as its settings say it speaks. */
  readonly ask: Ask;
  /** A token that the environment gives; undefined where it gives none. */
  readonly token: string | undefined;
  /** Whether it was named, and not examined along with all the others. */
  readonly isNamed: boolean;
}

/** What the checks of ports and storage have found, for those that come after it. */
export interface Presence {
  /** What `/health` of the HTTP port says; null where the service does not run there. */
  health: Readonly<Record<string, unknown>> | null;
  /** Whether another process has the database, as the check of the storage says. */
  isDatabaseTaken: boolean;
}
