/**
 * A distribution as it is answered.
 *
 * @module
 */
import { isoTime } from "./adapter-view.ts";
import type { Delivery, Distribution } from "./distribution-table.ts";

export function distributionView(distribution: Distribution, deliveries: readonly Delivery[]) {
  const { distribution_id, adapter_id, version, sha256, size } = distribution;
  return {
    distribution_id,
    adapter_id,
    version,
    sha256,
    size,
    status: statusOf(deliveries),
    targets: deliveries.map((delivery) => ({
      target: delivery.target,
      kind: delivery.kind,
      status: delivery.status,
      attempts: delivery.attempts,
      sha256: delivery.sha256,
      error: delivery.error,
      next_attempt_at: delivery.status === "pending" ? isoTime(delivery.next_at) : null,
      updated_at: isoTime(delivery.updated_at),
    })),
    created_at: isoTime(distribution.created_at),
    ended_at: isoTime(distribution.ended_at),
  };
}

export type DistributionView = ReturnType<typeof distributionView>;

function statusOf(deliveries: readonly Delivery[]): Delivery["status"] {
  const has = (status: Delivery["status"]) => deliveries.some((delivery) => delivery.status === status);
  return has("pending") ? "pending" : has("failed") ? "failed" : "acknowledged";
}
