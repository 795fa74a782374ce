/**
 * The fields that the contract of dhruva is made of, each with its bounds.
 *
 * Optional fields of requests may also be null: clients that serialise a model send one for what is not set.
 *
 * @module
 */
import * as v from "valibot";
import { count, flag, jsonObject, text, time, told } from "../../src/protocol/fields.ts";

/** Bytes of an adapter's record, written as JSON. */
export const MAX_RECORD_BYTES = 262_144;
/** Characters of content that comes in a request; larger content is uploaded. */
export const MAX_CONTENT_LENGTH = 524_288;
/** Targets of one distribution. */
export const MAX_TARGETS = 32;
/** Versions on one page: their changelogs must fit into a frame. */
export const MAX_VERSIONS_LIMIT = 50;

const segment = (what: string) =>
  v.pipe(
    v.string(),
    v.regex(
      /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
      "Expected 1 to 64 of letters, digits, '.', '_' and '-', beginning with a letter or digit",
    ),
    v.description(what),
  );

export const domain = segment("Domain of the adapter, such as storage");
export const key = segment("What it is an adapter for, such as cache");
export const provider = segment("Who provides it, such as redis");
export const adapterId = text(5, 194, "Id of the adapter: `domain:key:provider`");
export const version = v.pipe(
  v.string(),
  v.regex(
    /^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/,
    "Expected 1 to 64 of letters, digits, '.', '_', '+' and '-', beginning with a letter or digit",
  ),
  v.description("Version, such as 1.2.0; what was stored last is the current one, however it is called"),
);
export const expectedVersion = text(
  0,
  64,
  "Store only where this is the current version; empty: only where there is no such adapter. CONFLICT otherwise",
);
export const sha256 = v.pipe(
  v.string(),
  v.regex(/^[0-9a-f]{64}$/, "Expected 64 lower-case hexadecimal digits"),
  v.description("SHA-256 of the content: 64 lower-case hexadecimal digits"),
);
export const size = count("Bytes of the content");
export const schemaVersion = v.pipe(v.literal(1), v.description("Version of the record's form: 1"));
export const factoryPath = text(1, 500, "Where the adapter is made, such as package.module:Class");
export const config = v.pipe(jsonObject(), v.description("Configuration: a JSON object"));
export const metadata = v.pipe(
  jsonObject(),
  v.description("Whatever else is to be known: a JSON object; `category` in it, a string, can be listed by"),
);
export const dependencies = v.pipe(
  v.array(text(1, 200, "Id of an adapter, or the name of a package")),
  v.maxLength(100),
  v.description("What it needs: ids of other adapters, or names of packages"),
);
export const capabilities = v.pipe(
  v.array(text(1, 100, "A capability")),
  v.maxLength(100),
  v.description("What it can do; can be listed by"),
);
export const changelog = text(0, 2_000, "What has changed in this version");
export const content = v.pipe(
  v.string(),
  v.maxLength(MAX_CONTENT_LENGTH),
  v.description(
    "The content itself, as text. Larger or binary content: upload it with PUT /api/blobs/{sha256}, and name " +
      "that `sha256` here",
  ),
);

export const health = v.pipe(
  v.picklist(["healthy", "unhealthy", "unknown"]),
  v.description("What validate_adapter found last, or a read of damaged content; unknown after each change"),
);

/** An adapter as lists show it. */
export const adapterHead = {
  adapter_id: adapterId,
  domain,
  key,
  provider,
  version,
  factory_path: v.nullable(factoryPath),
  category: v.pipe(v.nullable(v.string()), v.description("`category` of its metadata")),
  capabilities: v.pipe(v.array(v.string()), v.description("The first 10")),
  sha256,
  size,
  versions: count("Versions that are kept"),
  health_status: health,
  last_health_check: v.nullable(time("When its health was last looked at")),
  created_at: time("When its first version was stored"),
  updated_at: time("When this version was stored"),
};

/** A version of an adapter in full. */
export const adapter = {
  schema_version: schemaVersion,
  adapter_id: adapterId,
  domain,
  key,
  provider,
  version,
  factory_path: v.nullable(factoryPath),
  config,
  dependencies,
  capabilities,
  metadata,
  changelog,
  sha256,
  size,
  current: flag("Whether this is the current version"),
  health_status: health,
  health_error: v.pipe(v.nullable(v.string()), v.description("Why it is unhealthy")),
  last_health_check: v.nullable(time("When its health was last looked at")),
  created_at: time("When the adapter's first version was stored"),
  updated_at: time("When this version was stored"),
};

export const versionRow = {
  version,
  updated_at: time("When it was stored"),
  changelog,
  sha256,
  size,
  current: flag("Whether it is the current one"),
};

export const distributionId = text(1, 64, "Id of the distribution (ULID)");
export const target = v.pipe(
  v.string(),
  v.regex(
    /^(client:)?[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
    "Expected the name of a target of the settings, or client: and a name that a client has given itself",
  ),
  v.description(
    "A target of the settings by its name, or `client:{name}` for a client that fetches by itself",
  ),
);
export const targetKind = v.picklist(["folder", "url", "client"]);
export const deliveryStatus = v.picklist(["pending", "acknowledged", "failed"]);
export const attempts = count("Deliveries that were tried, or offers that were made");

export const delivery = {
  target,
  kind: targetKind,
  status: deliveryStatus,
  attempts,
  sha256: v.pipe(v.nullable(v.string()), v.description("What the target says that it holds; null before")),
  error: v.pipe(v.nullable(v.string()), v.description("What went wrong last")),
  next_attempt_at: v.nullable(time("When it is tried again, where it is pending")),
  updated_at: time("When anything last happened to it"),
};

export const distribution = {
  distribution_id: distributionId,
  adapter_id: adapterId,
  version,
  sha256,
  size,
  status: v.pipe(
    v.picklist(["pending", "acknowledged", "failed"]),
    v.description("Pending while any target is; failed where one has failed; acknowledged by all otherwise"),
  ),
  targets: v.array(v.object(delivery)),
  created_at: time("When it was asked for"),
  ended_at: v.nullable(time("When the last target had an end")),
};

export const success = v.pipe(v.literal(true), v.description("Always true: what fails is an error"));
export const message = told("What was done, in words");
export const storageType = v.pipe(
  v.picklist(["blob", "database"]),
  v.description("blob: contents, as files; database: versions of adapters"),
);
export const operation = v.pipe(
  v.picklist(["stored", "deleted", "corrupt", "collected"]),
  v.description(
    "blob: stored, corrupt (found damaged), collected (needed no more); database: stored (a version), deleted " +
      "(an old version)",
  ),
);

/** What a kind of storage holds. */
export const storageTotals = v.variant("storage_type", [
  v.object({ storage_type: v.literal("blob"), blobs: v.number(), bytes: v.number(), corrupt: v.number() }),
  v.object({
    storage_type: v.literal("database"),
    adapters: v.number(),
    versions: v.number(),
    unhealthy: v.number(),
  }),
]);
