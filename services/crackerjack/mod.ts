/**
 * crackerjack: test runs, quality gates and coverage, told live.
 *
 * @module
 */
export { crackerjack } from "./contract.ts";
export type { CrackerjackContract } from "./contract.ts";
export { CrackerjackManager } from "./manager.ts";
export { crackerjackService, CrackerjackWebSocketServer } from "./server.ts";
