/**
 * The targets of the settings by their names, and how each is reached.
 *
 * @module
 */
import type { Clock } from "../../../src/ports/clock.ts";
import { Refusal } from "../../../src/protocol/errors.ts";
import type { BlobStore } from "./blob-store.ts";
import { deliverToFolder, type FolderParts } from "./deliver-folder.ts";
import { deliverToUrl } from "./deliver-url.ts";
import type { Distribution, TargetKind } from "./distribution-table.ts";
import { DeliveryError, type Parcel } from "./parcel.ts";
import type { TargetSettings } from "./settings.ts";

export interface TargetsParts extends FolderParts {
  readonly clock: Clock;
  readonly blobs: BlobStore;
  readonly settings: Readonly<Record<string, TargetSettings>>;
}

const CLIENT = "client:";

export class Targets {
  readonly #parts: TargetsParts;

  constructor(parts: TargetsParts) {
    this.#parts = parts;
  }

  /** Names in the settings. */
  get names(): string[] {
    return Object.keys(this.#parts.settings);
  }

  /**
   * The targets of a distribution.
   *
   * @throws {Refusal} NOT_FOUND where one is neither in the settings nor a client; CONFLICT where one is named twice
   */
  require(names: readonly string[]): { readonly target: string; readonly kind: TargetKind }[] {
    const seen = new Set<string>();
    return names.map((target) => {
      if (seen.has(target)) throw new Refusal("CONFLICT", `Target '${target}' is named twice`);
      seen.add(target);
      if (target.startsWith(CLIENT)) return { target, kind: "client" };
      const settings = this.#find(target);
      if (settings) return { target, kind: "folder" in settings ? "folder" : "url" };
      throw new Refusal(
        "NOT_FOUND",
        `No target '${target}': name one of setting targets (get_status lists them), or client: and a name`,
      );
    });
  }

  /** @returns the SHA-256 that the target has answered. */
  async deliver(target: string, distribution: Distribution, signal: AbortSignal): Promise<string> {
    const settings = this.#find(target);
    if (!settings) throw new DeliveryError("It is no longer in setting targets");
    const parcel: Parcel = { ...distribution, read: () => this.#parts.blobs.read(distribution.sha256) };
    if ("folder" in settings) return await deliverToFolder(this.#parts, settings.folder, parcel, signal);
    return await deliverToUrl(this.#parts.clock, settings, parcel, signal);
  }

  #find(name: string): TargetSettings | undefined {
    const { settings } = this.#parts;
    return Object.hasOwn(settings, name) ? settings[name] : undefined;
  }
}
