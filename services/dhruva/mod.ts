/**
 * dhruva: a store of adapters, and their distribution, told live.
 *
 * @module
 */
export { dhruva } from "./contract.ts";
export type { DhruvaContract } from "./contract.ts";
export { DhruvaManager } from "./manager.ts";
export { dhruvaService, DhruvaWebSocketServer } from "./server.ts";
