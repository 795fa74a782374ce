/**
 * The contract of dhruva: adapters and their versions, the contents behind them, and where these are distributed to.
 *
 * @module
 */
import * as v from "valibot";
import { defineContract } from "../../src/protocol/contract.ts";
import { count, cursor, limit, nextCursor, time } from "../../src/protocol/fields.ts";
import { SERVICE_PORTS } from "../../src/protocol/service-ports.ts";
import { prompts } from "./contract-prompts.ts";
import * as field from "./fields.ts";

const stored = v.object({
  adapter_id: field.adapterId,
  version: field.version,
  sha256: field.sha256,
  size: field.size,
  changelog: field.changelog,
});

const delivered = {
  adapter_id: field.adapterId,
  version: field.version,
  distribution_id: field.distributionId,
  target: field.target,
};

const events = {
  "adapter.stored": {
    description: "A new adapter was stored",
    channels: ["adapter", "global"],
    data: stored,
  },
  "adapter.updated": {
    description: "A new version of an adapter was stored",
    channels: ["adapter", "global"],
    data: stored,
  },
  "adapter.offered": {
    description:
      "A client is asked to fetch a version, by GET /api/blobs/{sha256}, and to say with ack_distribution what it " +
      "has stored. Told again until it has, or the attempts are used up",
    channels: ["distribution"],
    data: v.object({ ...delivered, sha256: field.sha256, size: field.size, attempts: field.attempts }),
  },
  "adapter.distributed": {
    description: "A target has acknowledged a version, or was given up",
    channels: ["adapter", "distribution"],
    data: v.object({
      ...delivered,
      status: v.picklist(["acknowledged", "failed"]),
      sha256: v.pipe(
        field.sha256,
        v.description("What was to be stored; where acknowledged, what is stored"),
      ),
      attempts: field.attempts,
      error: v.pipe(v.nullable(v.string()), v.description("Why it was given up")),
    }),
  },
  "storage.event": {
    description: "Something was stored, deleted, found corrupt, or collected",
    channels: ["storage"],
    data: v.object({
      storage_type: field.storageType,
      operation: field.operation,
      sha256: field.sha256,
      size: field.size,
      adapter_id: v.pipe(
        v.nullable(v.string()),
        v.description("The adapter, where storage_type is database"),
      ),
      version: v.pipe(v.nullable(v.string()), v.description("Its version, likewise")),
    }),
  },
} as const;

const filters = v.strictObject({
  domain: v.nullish(field.domain),
  key: v.nullish(field.key),
  provider: v.nullish(field.provider),
  category: v.nullish(v.pipe(v.string(), v.maxLength(200))),
  capability: v.nullish(v.pipe(v.string(), v.maxLength(100))),
  health_status: v.nullish(field.health),
});

const adapterRequests = {
  store_adapter: {
    description:
      "Store a version of an adapter. It holds all that is said here, and nothing of the version before. Without " +
      "content its record, as JSON, is the content. The same version again is answered as it is; with anything else " +
      "in it, it is a CONFLICT",
    access: "write",
    effect: { destructive: true, idempotent: true },
    input: v.object({
      schema_version: v.nullish(field.schemaVersion),
      domain: field.domain,
      key: field.key,
      provider: field.provider,
      version: field.version,
      factory_path: v.nullish(field.factoryPath),
      config: v.nullish(field.config),
      dependencies: v.nullish(field.dependencies),
      capabilities: v.nullish(field.capabilities),
      metadata: v.nullish(field.metadata),
      changelog: v.nullish(field.changelog),
      content: v.nullish(field.content),
      sha256: v.pipe(v.nullish(field.sha256), v.description("An uploaded blob, in place of `content`")),
      expected_version: v.nullish(field.expectedVersion),
    }),
    output: v.object({
      success: field.success,
      adapter_id: field.adapterId,
      version: field.version,
      sha256: field.sha256,
      size: field.size,
      message: field.message,
    }),
  },
  get_adapter: {
    description: "An adapter in full, in its current version or another one that is kept",
    access: "read",
    input: v.object({ adapter_id: field.adapterId, version: v.nullish(field.version) }),
    output: v.object({ success: field.success, adapter: v.object(field.adapter) }),
  },
  list_adapters: {
    description: "Adapters, those that were stored first last, without configuration and metadata",
    access: "read",
    input: v.object({ filters: v.nullish(filters), limit: v.nullish(limit()), cursor: v.nullish(cursor) }),
    output: v.object({
      success: field.success,
      count: count("Length of `adapters`"),
      filters,
      adapters: v.array(v.object(field.adapterHead)),
      next_cursor: nextCursor,
    }),
  },
  get_adapter_status: {
    description: "An adapter's health and version. One that does not exist has status not_found",
    access: "read",
    input: v.object({ adapter_id: field.adapterId }),
    output: v.object({
      adapter_id: field.adapterId,
      status: v.union([field.health, v.literal("not_found")]),
      healthy: v.pipe(v.nullable(v.boolean()), v.description("Null where it is not known")),
      last_check: v.nullable(time("When its health was last looked at")),
      error: v.nullable(v.string()),
      version: v.nullable(field.version),
      sha256: v.nullable(field.sha256),
      size: v.nullable(field.size),
      versions: count("Versions that are kept"),
      distributions_open: count("Distributions of it that have not ended"),
    }),
  },
  get_adapter_versions: {
    description: "Versions of an adapter that are kept, newest first",
    access: "read",
    input: v.object({
      adapter_id: field.adapterId,
      limit: v.nullish(limit(field.MAX_VERSIONS_LIMIT, field.MAX_VERSIONS_LIMIT)),
      cursor: v.nullish(cursor),
    }),
    output: v.object({
      success: field.success,
      adapter_id: field.adapterId,
      count: count("Length of `versions`"),
      versions: v.array(v.object(field.versionRow)),
      next_cursor: nextCursor,
    }),
  },
  validate_adapter: {
    description:
      "Look an adapter over: its content by its SHA-256, its factory path, its dependencies. What is found for the " +
      "current version is noted as its health",
    access: "write",
    effect: { destructive: true },
    input: v.object({ adapter_id: field.adapterId, version: v.nullish(field.version) }),
    output: v.object({
      adapter_id: field.adapterId,
      version: field.version,
      valid: v.boolean(),
      errors: v.array(v.string()),
      warnings: v.array(v.string()),
    }),
  },
} as const;

const distributionRequests = {
  distribute_adapter: {
    description:
      "Bring a version to targets. The answer does not wait for them: each is told of by adapter.distributed",
    access: "write",
    effect: { destructive: true, openWorld: true },
    input: v.object({
      adapter_id: field.adapterId,
      version: v.pipe(v.nullish(field.version), v.description("Default: the current one")),
      targets: v.pipe(v.array(field.target), v.minLength(1), v.maxLength(field.MAX_TARGETS)),
    }),
    output: v.object(field.distribution),
  },
  ack_distribution: {
    description:
      "Say, as a target that is a client, what SHA-256 was stored there. Another one than was offered is a CONFLICT " +
      "and acknowledges nothing",
    access: "write",
    effect: { destructive: true, idempotent: true },
    input: v.object({
      distribution_id: field.distributionId,
      target: field.target,
      sha256: field.sha256,
    }),
    output: v.object(field.distribution),
  },
  get_distribution_status: {
    description: "How far a distribution is, target by target. One that does not exist has status not_found",
    access: "read",
    input: v.object({ distribution_id: field.distributionId }),
    output: v.object({
      ...v.partial(v.object(field.distribution)).entries,
      distribution_id: field.distributionId,
      status: v.union([field.distribution.status, v.literal("not_found")]),
      targets: field.distribution.targets,
    }),
  },
} as const;

export const dhruva = defineContract({
  name: "dhruva",
  greeting: "Connected to Dhruva adapter distribution",
  ports: SERVICE_PORTS.dhruva,
  channels: {
    adapter: {
      description: "One adapter: its versions, and where they have arrived",
      id: "adapter_id",
      snapshot: v.object(field.adapter),
    },
    storage: {
      description: "What is stored and removed, as `blob` or in the `database`",
      id: "storage_type",
      snapshot: field.storageTotals,
    },
    distribution: {
      description: "Distributions: what is offered to clients, and what has become of each target",
      snapshot: v.object({
        open: v.pipe(v.number(), v.description("Distributions that are not at their end")),
        distributions: v.array(v.object(field.distribution)),
      }),
    },
  },
  events,
  requests: { ...adapterRequests, ...distributionRequests },
  prompts,
});

export type DhruvaContract = typeof dhruva;
