import { afterEach, expect, test } from "vitest";
import { dhruva, type DhruvaContract } from "../../../services/dhruva/contract.ts";
import type { RequestOutput } from "../../../src/protocol/contract.ts";
import { EffectProof } from "../../mcp/effect-proof.ts";
import { startDistributing } from "./distributing.ts";
import { adapter, ADAPTER_ID, sha256Of, type Started } from "./started-manager.ts";

let started: Started;
afterEach(() => started?.stop());

/** Nothing is to be brought anywhere; clients may still have to fetch. */
function isAtRest(): boolean {
  const { distributions } = started.manager.snapshot("distribution", null) as unknown as {
    distributions: RequestOutput<DhruvaContract, "get_distribution_status">[];
  };
  return distributions.every(({ targets }) =>
    targets.every(({ kind, status }) => kind === "client" || status !== "pending")
  );
}

test("every request of dhruva does what its contract says of its effect", { timeout: 60_000 }, async () => {
  // Offers to clients are not told again meanwhile.
  ({ started } = await startDistributing({ offer_seconds: 3_600 }));
  const proof = new EffectProof(dhruva, started, {
    async rest() {
      await started.until(isAtRest);
      started.clock.advance(1_000);
    },
    // How long content that nobody needs is kept.
    hidden: { blobs: ["touched_at"] },
  });
  await proof.of("store_adapter", { ...adapter("2.0", { content: "other" }) as object });
  const { sha256 } = await started.upload("uploaded");
  await proof.of("store_adapter", { ...adapter("3.0", { sha256, expected_version: "2.0" }) as object });
  for (const name of ["get_adapter", "get_adapter_status", "get_adapter_versions"]) {
    await proof.of(name, { adapter_id: ADAPTER_ID });
  }
  await proof.of("list_adapters", { filters: { domain: "storage" } });
  const { valid } = await proof.of("validate_adapter", { adapter_id: ADAPTER_ID });
  expect(valid).toBe(true);
  const distribute = { adapter_id: ADAPTER_ID, targets: ["here", "client:lab"] };
  const { distribution_id } = await proof.of("distribute_adapter", distribute);
  await proof.of("get_distribution_status", { distribution_id });
  await proof.looks([
    ...[["adapter", ADAPTER_ID], ["storage", "blob"], ["storage", "database"]] as const,
    ["distribution", null],
  ]);
  await proof.of("ack_distribution", { distribution_id, target: "client:lab", sha256: sha256Of("uploaded") });
  proof.isWhole();
});
