/**
 * Requests of dhruva, handed to the manager.
 *
 * @module
 */
import type { Handlers } from "../../src/service/define-service.ts";
import type { DhruvaContract } from "./contract.ts";
import type { DhruvaManager } from "./manager.ts";

export function dhruvaHandlers(manager: DhruvaManager): Handlers<DhruvaContract> {
  return {
    store_adapter: (input, call) => manager.storeAdapter(input, call),
    get_adapter: (input) => manager.getAdapter(input),
    list_adapters: (input) => manager.listAdapters(input),
    get_adapter_status: (input) => manager.getAdapterStatus(input),
    get_adapter_versions: (input) => manager.getAdapterVersions(input),
    validate_adapter: (input, call) => manager.validateAdapter(input, call),
    distribute_adapter: (input, call) => manager.distributeAdapter(input, call),
    ack_distribution: (input, call) => manager.ackDistribution(input, call),
    get_distribution_status: (input) => manager.getDistributionStatus(input),
  };
}
