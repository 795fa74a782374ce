/**
 * akosha: patterns, anomalies, insights and aggregations of what is observed, told live.
 *
 * @module
 */
export { akosha } from "./contract.ts";
export type { AkoshaContract } from "./contract.ts";
export { AkoshaManager } from "./manager.ts";
export { akoshaService, AkoshaWebSocketServer } from "./server.ts";
