/**
 * A manager of dhruva on a clock that tests move, with real files. See `test/support/started-manager.ts`.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { vi } from "vitest";
import type { DhruvaContract } from "../../../services/dhruva/contract.ts";
import type { Stored } from "../../../services/dhruva/domain/transfers.ts";
import type { DhruvaManager } from "../../../services/dhruva/manager.ts";
import { dhruvaService } from "../../../services/dhruva/server.ts";
import { lineLog } from "../../../src/ports/log.ts";
import type { JsonObject } from "../../../src/protocol/json.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import * as generic from "../../support/started-manager.ts";

export interface Started extends generic.Started<DhruvaContract, DhruvaManager> {
  readonly clock: FakeClock;
  /** Lines of the log so far. */
  readonly log: readonly string[];
  /** Upload content at its own hash. */
  upload(content: string): Promise<Stored>;
  /** The text behind a hash, as a download gives it. */
  download(sha256: string): Promise<string>;
  /** Path of the file behind a hash. */
  blobPath(sha256: string): string;
  /** Paths of all files in the folder of blobs, from there. */
  blobPaths(): Promise<string[]>;
  /** Wait until something holds that files and networks bring about. */
  until(holds: () => boolean | Promise<boolean>): Promise<void>;
}

/** How long files and networks may take, on a busy machine. */
const PATIENCE_MS = 25_000;

export function sha256Of(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/** The smallest adapter that can be stored, and whatever else is said of it. */
export function adapter(version: string, more: JsonObject = {}): JsonObject {
  return { domain: "storage", key: "cache", provider: "redis", version, ...more };
}

/** Its id. */
export const ADAPTER_ID = "storage:cache:redis";

export function bodyOf(...pieces: (string | Uint8Array)[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const piece of pieces) {
        controller.enqueue(typeof piece === "string" ? new TextEncoder().encode(piece) : piece);
      }
      controller.close();
    },
  });
}

/** @param settings the service's own block, given the temporary folder; read again at each start */
export async function startManager(settings: (folder: string) => JsonObject = () => ({})): Promise<Started> {
  const clock = new FakeClock();
  const log: string[] = [];
  const started = await generic.startManager(dhruvaService, {
    clock,
    log: lineLog({ level: "debug", write: (line) => log.push(line) }),
    settings,
  });
  const folder = join(started.folder, "service.db.blobs");
  return Object.assign(started, {
    clock,
    log,
    upload: (content: string) =>
      started.manager.transfers.upload({ sha256: sha256Of(content), body: bodyOf(content), length: null }),
    async download(sha256: string) {
      const { body } = await started.manager.transfers.download(sha256);
      return await new Response(body).text();
    },
    blobPath: (sha256: string) => join(folder, sha256.slice(0, 2), sha256),
    async blobPaths() {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true });
      return entries.filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1)).sort();
    },
    async until(holds: () => boolean | Promise<boolean>) {
      await vi.waitFor(async () => {
        if (!await holds()) throw new Error(`Expected it to hold by now; the log says: ${log.join("\n")}`);
      }, { timeout: PATIENCE_MS, interval: 5 });
    },
  });
}
