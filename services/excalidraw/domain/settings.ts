/**
 * The service's own block of the settings.
 *
 * @module
 */
import * as v from "valibot";
import { wholeSetting } from "../../../src/protocol/own-settings.ts";

/**
 * The upper bounds of `diagram_bytes`, `elements_per_diagram` and `users_per_diagram` keep a whole diagram, and the list
 * of who is in it, within one frame.
 */
export const excalidrawSettings = v.strictObject({
  diagrams: wholeSetting(1, 1_000_000, 10_000),
  elements_per_diagram: wholeSetting(1, 20_000, 10_000),
  element_bytes: wholeSetting(256, 1_000_000, 262_144),
  diagram_bytes: wholeSetting(1_024, 1_000_000, 786_432),
  tombstone_seconds: wholeSetting(0, 31_536_000, 86_400),
  users_per_diagram: wholeSetting(1, 300, 100),
  joins_per_connection: wholeSetting(1, 10_000, 100),
  joins: wholeSetting(1, 100_000, 10_000),
  lease_seconds: wholeSetting(5, 86_400, 60),
  cursor_interval_ms: wholeSetting(0, 60_000, 50),
  cursors: wholeSetting(1, 1_000_000, 10_000),
});

export type ExcalidrawSettings = v.InferOutput<typeof excalidrawSettings>;
