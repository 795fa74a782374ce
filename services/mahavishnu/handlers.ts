/**
 * Requests of mahavishnu, handed to the manager.
 *
 * @module
 */
import type { Handlers } from "../../src/service/define-service.ts";
import type { MahavishnuContract } from "./contract.ts";
import type { MahavishnuManager } from "./manager.ts";

export function mahavishnuHandlers(manager: MahavishnuManager): Handlers<MahavishnuContract> {
  return {
    run_workflow: (input, call) => manager.runWorkflow(input, call),
    cancel_workflow: (input, call) => manager.cancelWorkflow(input, call),
    get_workflow_status: (input) => manager.getWorkflowStatus(input),
    list_workflows: (input) => manager.listWorkflows(input),
    list_definitions: () => manager.listDefinitions(),
    get_stage_output: (input) => manager.getStageOutput(input),
    get_pool_status: (input) => manager.getPoolStatus(input),
    list_pools: () => manager.listPools(),
    scale_pool: (input, call) => manager.scalePool(input, call),
  };
}
