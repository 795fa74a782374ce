/**
 * Dhruva: adapters with their versions, contents by their SHA-256, and the targets that they are brought to.
 *
 * Everything is kept in the service's database, and contents as files beside it; every change and its event are one
 * commit.
 *
 * @module
 */
import { monotonicFactory } from "ulid";
import * as v from "valibot";
import type { BlobFiles } from "../../src/ports/blob-files.ts";
import type { Call } from "../../src/ports/call.ts";
import type { Cancel } from "../../src/ports/clock.ts";
import type { Workspace } from "../../src/ports/workspace.ts";
import type { RequestInput, RequestName } from "../../src/protocol/contract.ts";
import { Refusal } from "../../src/protocol/errors.ts";
import { DEFAULT_LIST_LIMIT } from "../../src/protocol/fields.ts";
import type { JsonObject } from "../../src/protocol/json.ts";
import type { Manager, ManagerContext } from "../../src/service/define-service.ts";
import { migrate } from "../../src/storage/migrations.ts";
import { readPage } from "../../src/storage/pages.ts";
import type { DhruvaContract } from "./contract.ts";
import { AdapterTable } from "./domain/adapter-table.ts";
import { adapterHead, adapterView, isoTime, versionView } from "./domain/adapter-view.ts";
import { type BlobFolder, blobFolder } from "./domain/blob-folder.ts";
import { BlobStore } from "./domain/blob-store.ts";
import { BlobTable } from "./domain/blob-table.ts";
import { DistributionTable } from "./domain/distribution-table.ts";
import type { DistributionView } from "./domain/distribution-view.ts";
import { Distributor } from "./domain/distributor.ts";
import { SCHEMA_NAME, SCHEMA_STEPS } from "./domain/schema.ts";
import { type DhruvaSettings, dhruvaSettings } from "./domain/settings.ts";
import { storeAdapter } from "./domain/store-adapter.ts";
import { Targets } from "./domain/targets.ts";
import { Transfers } from "./domain/transfers.ts";
import { validateAdapter } from "./domain/validate-adapter.ts";
import { MAX_VERSIONS_LIMIT } from "./fields.ts";

type Input<R extends RequestName<DhruvaContract>> = RequestInput<DhruvaContract, R>;

/** What dhruva needs of the machine besides what every service is given. */
export interface DhruvaTools {
  readonly workspace: Workspace;
  readonly blobFiles: BlobFiles;
}

/** Open distributions that the channel's snapshot shows. */
const SHOWN_DISTRIBUTIONS = 20;
/** How often what nobody needs is looked for, besides whenever something has become so. */
const COLLECT_MS = 60_000;

/**
 * Inputs are those of the contract's requests, already checked against their schemas. Every method may throw a
 * `Refusal`. A `call` is handed on to `commit`, so that the answer is remembered with the change.
 */
export class DhruvaManager implements Manager {
  /** Blobs by HTTP. */
  readonly transfers: Transfers;
  readonly #context: ManagerContext<DhruvaContract>;
  readonly #settings: DhruvaSettings;
  readonly #folder: BlobFolder;
  readonly #adapters: AdapterTable;
  readonly #blobTable: BlobTable;
  readonly #blobs: BlobStore;
  readonly #distributions: DistributionTable;
  readonly #targets: Targets;
  readonly #distributor: Distributor;
  readonly #ulid = monotonicFactory();
  #stopCollecting: Cancel = () => {};
  #collecting: Promise<void> | null = null;
  #isCollectingDue = false;

  private constructor(
    context: ManagerContext<DhruvaContract>,
    tools: DhruvaTools,
    settings: DhruvaSettings,
    folder: BlobFolder,
  ) {
    const { database, clock, log, files, commit } = context;
    this.#context = context;
    this.#settings = settings;
    this.#folder = folder;
    this.#adapters = new AdapterTable(database);
    this.#blobTable = new BlobTable(database);
    this.#distributions = new DistributionTable(database);
    const blobs = this.#blobs = new BlobStore({
      ...tools,
      folder: folder.path,
      table: this.#blobTable,
      commit,
      clock,
      log,
      files,
      blobBytes: settings.blob_bytes,
      totalBytes: settings.total_blob_bytes,
      orphanMs: settings.orphan_seconds * 1_000,
      onCorrupt: (sha256, error) => this.#adapters.setUnhealthy(sha256, error, clock.now()),
    });
    this.transfers = new Transfers({
      store: blobs,
      commit,
      clock,
      most: settings.transfers,
      idleMs: settings.transfer_idle_seconds * 1_000,
      onStored: (sha256) => this.#adapters.setMended(sha256),
    });
    this.#targets = new Targets({ ...tools, files, clock, blobs, settings: settings.targets });
    this.#distributor = new Distributor({
      table: this.#distributions,
      commit,
      clock,
      log,
      settings,
      deliver: (target, distribution, signal) => this.#targets.deliver(target, distribution, signal),
      release: (sha256) => blobs.loosen(sha256),
      onEnd: () => this.#collectSoon(),
    });
  }

  /** Brings tables and files up to date, and goes on with what is to be distributed. */
  static async open(context: ManagerContext<DhruvaContract>, tools: DhruvaTools): Promise<DhruvaManager> {
    migrate(context.database, SCHEMA_NAME, SCHEMA_STEPS);
    const settings = v.parse(dhruvaSettings, context.settings);
    const folder = await blobFolder(context, tools.workspace, settings.blob_folder);
    const manager = new DhruvaManager(context, tools, settings, folder);
    await manager.#blobs.open();
    manager.#collectSoon();
    manager.#stopCollecting = context.clock.every(COLLECT_MS, () => manager.#collectSoon());
    manager.#distributor.wake();
    return manager;
  }

  /**
   * Store a version. Refused with CONFLICT where the adapter is not at `expected_version`, or has this version with
   * something else in it; NOT_FOUND where `sha256` was not uploaded; NOT_AVAILABLE where there is no more room.
   */
  async storeAdapter(input: Input<"store_adapter">, call?: Call) {
    const { commit, clock } = this.#context;
    const parts = { adapters: this.#adapters, blobs: this.#blobs, commit, clock, settings: this.#settings };
    const { answer, pruned } = await storeAdapter(parts, input, call);
    if (pruned) this.#collectSoon();
    return answer;
  }

  /** The current version, or the one that is asked for. */
  getAdapter({ adapter_id: id, version }: Input<"get_adapter">) {
    const found = this.#adapters.requireVersion(id, version);
    return { success: true as const, adapter: adapterView(this.#adapters.require(id), found) };
  }

  /** Newest first. */
  listAdapters(input: Input<"list_adapters"> = {}) {
    const filters = input.filters ?? {};
    const page = readPage(
      "adapters",
      input.cursor,
      input.limit ?? DEFAULT_LIST_LIMIT,
      (before, count) => this.#adapters.list(filters, before, count),
    );
    return {
      success: true as const,
      count: page.rows.length,
      filters,
      adapters: page.rows.map(adapterHead),
      next_cursor: page.next_cursor,
    };
  }

  /** Status `not_found` where there is no such adapter. */
  getAdapterStatus({ adapter_id }: Input<"get_adapter_status">) {
    const adapter = this.#adapters.find(adapter_id);
    const distributions_open = this.#distributions.countOpen(adapter_id);
    if (!adapter) {
      const nothing = {
        healthy: null,
        last_check: null,
        error: null,
        version: null,
        sha256: null,
        size: null,
      };
      return { adapter_id, status: "not_found" as const, ...nothing, versions: 0, distributions_open };
    }
    const { health_status: status, health_error: error, version, sha256, size, versions } = adapter;
    return {
      adapter_id,
      status,
      healthy: status === "unknown" ? null : status === "healthy",
      last_check: isoTime(adapter.last_health_check),
      error,
      version,
      sha256,
      size,
      versions,
      distributions_open,
    };
  }

  /** Newest first. */
  getAdapterVersions({ adapter_id: id, limit, cursor }: Input<"get_adapter_versions">) {
    const adapter = this.#adapters.require(id);
    const page = readPage(
      "versions",
      cursor,
      limit ?? MAX_VERSIONS_LIMIT,
      (before, count) => this.#adapters.listVersions(id, before, count),
    );
    return {
      success: true as const,
      adapter_id: id,
      count: page.rows.length,
      versions: page.rows.map((row) => versionView(adapter, row)),
      next_cursor: page.next_cursor,
    };
  }

  /** Look an adapter over, and note what was found as the health of its current version. */
  async validateAdapter({ adapter_id: id, version }: Input<"validate_adapter">, call?: Call) {
    const row = this.#adapters.requireVersion(id, version);
    const findings = await validateAdapter(row, { adapters: this.#adapters, blobs: this.#blobs });
    const valid = findings.errors.length === 0;
    return this.#context.commit(() => {
      // Another version may have been stored meanwhile.
      if (this.#adapters.require(id).version === row.version) {
        const error = valid ? null : findings.errors.join("; ");
        this.#adapters.setHealth(id, valid ? "healthy" : "unhealthy", error, this.#now());
      }
      return { adapter_id: id, version: row.version, valid, ...findings };
    }, call);
  }

  /**
   * Bring a version to targets. Refused with NOT_FOUND where there is no such adapter, version or target, CONFLICT where
   * a target is named twice, NOT_AVAILABLE where its content is corrupt or too much is being distributed.
   */
  distributeAdapter(input: Input<"distribute_adapter">, call?: Call): DistributionView {
    const { adapter_id, version, sha256, size } = this.#adapters.requireVersion(
      input.adapter_id,
      input.version,
    );
    const targets = this.#targets.require(input.targets);
    if (this.#blobs.require(sha256).state === "corrupt") {
      throw new Refusal("NOT_AVAILABLE", `Blob '${sha256}' is corrupt: upload it again`);
    }
    const view = this.#context.commit((told) => {
      if (this.#distributions.countOpen() >= this.#settings.open_distributions) {
        const most = `${this.#settings.open_distributions}, setting open_distributions`;
        throw new Refusal(
          "NOT_AVAILABLE",
          `As many distributions are open as may be (${most}): try again later`,
        );
      }
      const distribution_id = this.#ulid(this.#now());
      const record = { distribution_id, adapter_id, version, sha256, size };
      const distribution = this.#distributions.insert(record, targets, this.#now());
      this.#distributor.offerFirst(told, distribution);
      return this.#distributor.view(distribution);
    }, call);
    this.#distributor.trace(view, call?.traceparent);
    this.#distributor.wake();
    return view;
  }

  /** A client says what it has stored. Refused with CONFLICT where that is something else. */
  ackDistribution(
    { distribution_id, target, sha256 }: Input<"ack_distribution">,
    call?: Call,
  ): DistributionView {
    return this.#distributor.acknowledge(distribution_id, target, sha256, call);
  }

  /** Status `not_found` where there is no such distribution. */
  getDistributionStatus({ distribution_id }: Input<"get_distribution_status">) {
    const distribution = this.#distributions.find(distribution_id);
    if (distribution) return this.#distributor.view(distribution);
    return { distribution_id, status: "not_found" as const, targets: [] };
  }

  /** Figures of the service; with an id, the state of that adapter or distribution. */
  getStatus(data: JsonObject): JsonObject {
    const { adapter_id, distribution_id } = data;
    if (typeof adapter_id === "string") return this.getAdapterStatus({ adapter_id });
    if (typeof distribution_id === "string") {
      return { ...this.getDistributionStatus({ distribution_id }) } as unknown as JsonObject;
    }
    const { blobs, bytes, corrupt } = this.#blobTable.totals();
    return {
      ...this.#adapters.totals(),
      blobs,
      blob_bytes: bytes,
      blobs_corrupt: corrupt,
      transfers: this.transfers.activeCount,
      distributions_open: this.#distributions.countOpen(),
      deliveries_active: this.#distributor.activeCount,
      targets: this.#targets.names,
    };
  }

  /** The adapter, the open distributions, or the figures of a storage behind a channel. */
  snapshot(kind: string, id: string | null): JsonObject | null {
    if (kind === "distribution") {
      const open = this.#distributions.open(SHOWN_DISTRIBUTIONS).map((row) => this.#distributor.view(row));
      return { open: this.#distributions.countOpen(), distributions: open } as unknown as JsonObject;
    }
    if (kind === "adapter" && id !== null && this.#adapters.find(id)) {
      return this.getAdapter({ adapter_id: id }).adapter as unknown as JsonObject;
    }
    if (kind !== "storage") return null;
    if (id === "blob") return { storage_type: "blob", ...this.#blobTable.totals() };
    return id === "database" ? { storage_type: "database", ...this.#adapters.totals() } : null;
  }

  /** Break off what is under way. Distributions go on at the next start. */
  async stop(): Promise<void> {
    this.#stopCollecting();
    await this.#distributor.stop();
    await this.#collecting;
    await this.#blobs.idle();
    await this.#folder.close();
  }

  /** At most one at a time; for what becomes unneeded meanwhile there is one more. */
  #collectSoon(): void {
    this.#isCollectingDue = true;
    this.#collecting ??= this.#collect().finally(() => this.#collecting = null);
  }

  async #collect(): Promise<void> {
    while (this.#isCollectingDue) {
      this.#isCollectingDue = false;
      await this.#blobs.collect().catch((error) =>
        this.#context.log.error("Blobs could not be collected", { error })
      );
    }
  }

  #now(): number {
    return this.#context.clock.now();
  }
}
