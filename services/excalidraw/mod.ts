/**
 * excalidraw: diagrams edited together, told live.
 *
 * @module
 */
export { excalidraw } from "./contract.ts";
export type { ExcalidrawContract } from "./contract.ts";
export { ExcalidrawManager } from "./manager.ts";
export { excalidrawService, ExcalidrawWebSocketServer } from "./server.ts";
