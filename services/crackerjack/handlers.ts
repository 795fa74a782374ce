/**
 * Requests of crackerjack, handed to the manager.
 *
 * @module
 */
import type { Handlers } from "../../src/service/define-service.ts";
import type { CrackerjackContract } from "./contract.ts";
import type { CrackerjackManager } from "./manager.ts";

export function crackerjackHandlers(manager: CrackerjackManager): Handlers<CrackerjackContract> {
  return {
    run_tests: (input, call) => manager.runTests(input, call),
    cancel_run: (input, call) => manager.cancelRun(input, call),
    get_test_status: (input) => manager.getTestStatus(input),
    list_runs: (input) => manager.listRuns(input),
    get_quality_gate: (input) => manager.getQualityGate(input),
    check_quality: (input, call) => manager.checkQuality(input, call),
    report_coverage: (input, call) => manager.reportCoverage(input, call),
  };
}
