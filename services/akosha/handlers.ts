/**
 * Requests of akosha, handed to the manager.
 *
 * @module
 */
import type { Handlers } from "../../src/service/define-service.ts";
import type { AkoshaContract } from "./contract.ts";
import type { AkoshaManager } from "./manager.ts";

export function akoshaHandlers(manager: AkoshaManager): Handlers<AkoshaContract> {
  return {
    record_observations: (input, call) => manager.recordObservations(input, call),
    get_patterns: (input) => manager.getPatterns(input),
    get_anomalies: (input) => manager.getAnomalies(input),
    get_insights: (input) => manager.getInsights(input),
    get_aggregations: (input) => manager.getAggregations(input),
    list_metrics: (input) => manager.listMetrics(input),
  };
}
