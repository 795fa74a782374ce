/**
 * The service's own block of the settings.
 *
 * @module
 */
import * as v from "valibot";

const whole = (min: number, max: number, usual: number) => {
  const expected = `expected a whole number from ${min} to ${max}`;
  const message = () => expected;
  return v.optional(
    v.pipe(
      v.number(message),
      v.integer(message),
      v.minValue(min, message),
      v.maxValue(max, message),
    ),
    usual,
  );
};

/**
 * The upper bounds of `diagram_bytes`, `elements_per_diagram` and `users_per_diagram` keep a whole diagram, and the list
 * of who is in it, within one frame.
 */
export const excalidrawSettings = v.strictObject({
  diagrams: whole(1, 1_000_000, 10_000),
  elements_per_diagram: whole(1, 20_000, 10_000),
  element_bytes: whole(256, 1_000_000, 262_144),
  diagram_bytes: whole(1_024, 1_000_000, 786_432),
  tombstone_seconds: whole(0, 31_536_000, 86_400),
  users_per_diagram: whole(1, 300, 100),
  joins_per_connection: whole(1, 10_000, 100),
  joins: whole(1, 100_000, 10_000),
  lease_seconds: whole(5, 86_400, 60),
  cursor_interval_ms: whole(0, 60_000, 50),
  cursors: whole(1, 1_000_000, 10_000),
});

export type ExcalidrawSettings = v.InferOutput<typeof excalidrawSettings>;
