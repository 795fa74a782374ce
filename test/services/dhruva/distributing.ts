/**
 * A manager of dhruva with something to distribute, and the requests that do it.
 *
 * @module
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { JsonObject } from "../../../src/protocol/json.ts";
import { adapter, ADAPTER_ID, sha256Of, type Started, startManager } from "./started-manager.ts";

/** Pauses of exactly a second at most, three attempts, offers every ten seconds. */
export const QUICK = { retry_base_ms: 1_000, retry_max_ms: 1_000, attempts: 3, offer_seconds: 10 };

/** Of the adapter's content. */
export const SHA256 = sha256Of("the content");

/** A manager with a folder to deliver to, which is there unless a test removes it, and one adapter. */
export async function startDistributing(
  more: JsonObject = {},
): Promise<{ readonly started: Started; readonly folder: string }> {
  let folder = "";
  const started = await startManager((made) => {
    folder = join(made, "target");
    return { ...QUICK, targets: { here: { folder } }, ...more };
  });
  await mkdir(folder);
  await started.request("store_adapter", adapter("1.0", { content: "the content" }));
  started.told();
  return { started, folder };
}

/** @param current the manager that is started now */
export function distributing(current: () => Started) {
  return {
    distribute: (targets: string[], more: JsonObject = {}) =>
      current().request("distribute_adapter", { adapter_id: ADAPTER_ID, targets, ...more }),
    status: (distribution_id: string) => current().request("get_distribution_status", { distribution_id }),
    ack: (distribution_id: string, target: string, sha256: string) =>
      current().request("ack_distribution", { distribution_id, target, sha256 }),
    distributed: () => current().told().filter(({ event }) => event === "adapter.distributed"),
  };
}
