/**
 * The channels that a command is to listen to.
 *
 * @module
 */
import { kindOf } from "../protocol/channel-name.ts";

/** Each event once: `kind:*` brings those of `kind:id` too. */
export function withoutCovered(channels: readonly string[]): string[] {
  const wildcards = new Set(channels.filter((name) => name.endsWith(":*")).map(kindOf));
  return [...new Set(channels)].filter((name) => name.endsWith(":*") || !wildcards.has(kindOf(name)));
}
