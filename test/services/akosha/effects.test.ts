import { afterEach, expect, test } from "vitest";
import { akosha } from "../../../services/akosha/contract.ts";
import { EffectProof } from "../../mcp/effect-proof.ts";
import { type Started, startManager } from "./started-manager.ts";

let started: Started;
afterEach(() => started.stop());

test("every request of akosha does what its contract says of its effect", async () => {
  started = await startManager();
  await started.feed("latency", Array<number>(90).fill(10));
  const proof = new EffectProof(akosha, started, { rest: () => started.clock.advance(1_000) });
  const observations = [{ metric: "latency", value: 50 }];
  const { anomalies } = await proof.of("record_observations", { observations });
  expect(anomalies).toHaveLength(1);
  for (const name of ["get_patterns", "get_insights"]) await proof.of(name);
  for (const name of ["get_anomalies", "get_aggregations", "list_metrics"]) {
    await proof.of(name, { metric: "latency", limit: 5 });
  }
  await proof.looks([["patterns", "burst"], ["anomalies", null], ["insights", null], ["metrics", null]]);
  proof.isWhole();
});
