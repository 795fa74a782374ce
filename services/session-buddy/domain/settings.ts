/**
 * The service's own block of the settings.
 *
 * @module
 */
import * as v from "valibot";
import { wholeSetting } from "../../../src/protocol/own-settings.ts";

export const sessionBuddySettings = v.strictObject({
  git_at_once: wholeSetting(1, 64, 4),
});
