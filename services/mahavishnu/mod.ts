/**
 * mahavishnu: workflows of stages, run by workers in pools, told live.
 *
 * @module
 */
export { mahavishnu } from "./contract.ts";
export type { MahavishnuContract } from "./contract.ts";
export { MahavishnuManager } from "./manager.ts";
export { mahavishnuService, MahavishnuWebSocketServer } from "./server.ts";
