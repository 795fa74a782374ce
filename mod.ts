/**
 * Live updates for MCP services. The neutral parts; runtimes are subpaths.
 *
 * @module
 */
export { defineContract } from "./src/protocol/contract.ts";
export { defineService } from "./src/service/define-service.ts";
