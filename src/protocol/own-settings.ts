/**
 * What services' own blocks of the settings are made of. A message says what was expected; the loader adds the rest.
 *
 * @module
 */
import * as v from "valibot";

/** A whole number from `min` to `max`; `usual` where nothing is said. */
export const wholeSetting = (min: number, max: number, usual: number) => {
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

/** A text of 1 to `max` UTF-16 units, which `what` describes. */
export const textSetting = (what: string, max: number) =>
  v.pipe(
    v.string(`expected ${what}`),
    v.minLength(1, `expected ${what}`),
    v.maxLength(max, `expected ${what}`),
  );

export const pathSetting = textSetting("a path of 1 to 4096 characters", 4_096);
