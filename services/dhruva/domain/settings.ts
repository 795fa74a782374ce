/**
 * The service's own block of the settings.
 *
 * @module
 */
import * as v from "valibot";
import { pathSetting, textSetting, wholeSetting } from "../../../src/protocol/own-settings.ts";

/** Places in a URL stand behind its origin, so that what is filled in can never choose the host. */
const url = v.pipe(
  textSetting("an http or https URL", 2_000),
  v.check((url) => {
    const origin = /^https?:\/\/[^/?#{}@\s\\]+(?=[/?#]|$)/i.exec(url)?.[0];
    return origin !== undefined && URL.canParse(origin);
  }, "expected an http or https URL, without a user or a place to fill in before its path"),
  v.check((url) => {
    const places = url.match(/\{[^}]*\}/g) ?? [];
    return places.every((place) => PLACES.has(place));
  }, "expected no other place to fill in than {sha256}, {adapter_id} and {version}"),
);

const PLACES: ReadonlySet<string> = new Set(["{sha256}", "{adapter_id}", "{version}"]);

const folderTarget = v.strictObject({ folder: pathSetting });
const urlTarget = v.strictObject({
  url,
  /** Sent as `Authorization: Bearer`. */
  token: v.optional(textSetting("a token", 8_192)),
});

const target = v.union([folderTarget, urlTarget], "expected either folder, or url and at most a token");

const targets = v.pipe(
  v.record(
    v.pipe(
      v.string(),
      v.regex(/^[A-Za-z0-9][\w.-]{0,63}$/, "expected a name of 1 to 64 letters, digits, _, - and ."),
    ),
    target,
  ),
  v.check((targets) => Object.keys(targets).length <= 1_000, "expected at most 1000 targets"),
);

export const dhruvaSettings = v.strictObject({
  blob_folder: v.optional(pathSetting),
  blob_bytes: wholeSetting(1, 1_099_511_627_776, 1_073_741_824),
  total_blob_bytes: wholeSetting(0, Number.MAX_SAFE_INTEGER, 10_737_418_240),
  orphan_seconds: wholeSetting(0, 31_536_000, 3_600),
  transfers: wholeSetting(1, 10_000, 64),
  transfer_idle_seconds: wholeSetting(0, 86_400, 30),
  adapters: wholeSetting(0, 10_000_000, 10_000),
  keep_versions: wholeSetting(1, 1_000, 10),
  open_distributions: wholeSetting(1, 1_000_000, 1_000),
  keep_distributions: wholeSetting(0, 1_000_000, 1_000),
  parallel_deliveries: wholeSetting(1, 256, 4),
  delivery_seconds: wholeSetting(1, 86_400, 300),
  attempts: wholeSetting(1, 100, 5),
  retry_base_ms: wholeSetting(1, 3_600_000, 1_000),
  retry_max_ms: wholeSetting(1, 86_400_000, 60_000),
  offer_seconds: wholeSetting(1, 604_800, 60),
  targets: v.optional(targets, {}),
});

export type DhruvaSettings = v.InferOutput<typeof dhruvaSettings>;
export type FolderTarget = v.InferOutput<typeof folderTarget>;
export type UrlTarget = v.InferOutput<typeof urlTarget>;
export type TargetSettings = FolderTarget | UrlTarget;
