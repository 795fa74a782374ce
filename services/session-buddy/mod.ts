/**
 * session-buddy: sessions, checkpoints and knowledge, told live.
 *
 * @module
 */
export { sessionBuddy } from "./contract.ts";
export type { SessionBuddyContract } from "./contract.ts";
export { SessionBuddyManager } from "./manager.ts";
export { sessionBuddyService, SessionBuddyWebSocketServer } from "./server.ts";
