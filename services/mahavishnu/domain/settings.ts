/**
 * The service's own block of the settings.
 *
 * @module
 */
import * as v from "valibot";
import { wholeSetting } from "../../../src/protocol/own-settings.ts";
import { MAX_WORKERS } from "../fields.ts";

const POOL_NAME = /^[A-Za-z0-9][\w.-]{0,63}$/;

const poolSchema = v.pipe(
  v.strictObject({
    min: wholeSetting(0, MAX_WORKERS, 1),
    max: wholeSetting(1, MAX_WORKERS, 4),
    queue: wholeSetting(1, 1_000_000, 1_000),
    idle_ms: wholeSetting(0, 86_400_000, 30_000),
  }),
  v.check(({ min, max }) => min <= max, "expected min to be at most max"),
);

/** What holds is said in `settings/mahavishnu.yaml`. */
export const mahavishnuSettings = v.strictObject({
  definitions: v.optional(v.pipe(v.string(), v.minLength(1)), "workflows"),
  allow_inline: v.optional(v.boolean(), false),
  working_directory: v.optional(v.pipe(v.string(), v.minLength(1)), "."),
  workflows_kept: wholeSetting(1, 100_000, 500),
  output_bytes: wholeSetting(1_024, 524_288, 65_536),
  stop_grace_ms: wholeSetting(0, 10_000, 2_000),
  pools: v.optional(
    v.pipe(
      v.record(
        v.pipe(v.string(), v.regex(POOL_NAME, "expected a name of letters, digits, _, . and -")),
        poolSchema,
      ),
      v.check((pools) => Object.keys(pools).length > 0, "expected at least one pool"),
    ),
    { default: {} },
  ),
});

export type MahavishnuSettings = v.InferOutput<typeof mahavishnuSettings>;
export type PoolSettings = MahavishnuSettings["pools"][string];
