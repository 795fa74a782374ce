/**
 * Requests of session-buddy, handed to the manager.
 *
 * @module
 */
import type { Handlers } from "../../src/service/define-service.ts";
import type { SessionBuddyContract } from "./contract.ts";
import type { SessionBuddyManager } from "./manager.ts";

export function sessionBuddyHandlers(manager: SessionBuddyManager): Handlers<SessionBuddyContract> {
  return {
    start_session: (input, call) =>
      manager.startSession({ ...input, user: input.user ?? call.identity.userId }, call),
    update_session: (input, call) => manager.updateSession(input, call),
    end_session: (input, call) => manager.endSession(input, call),
    get_session: (input) => manager.getSession(input),
    list_sessions: (input) => manager.listSessions(input),
    checkpoint_session: (input, call) => manager.checkpointSession(input, call),
    list_checkpoints: (input) => manager.listCheckpoints(input),
    get_checkpoint: (input) => manager.getCheckpoint(input),
    restore_checkpoint: (input, call) => manager.restoreCheckpoint(input, call),
    capture_knowledge: (input, call) => manager.captureKnowledge(input, call),
    get_knowledge: (input) => manager.getKnowledge(input),
    search_knowledge: (input, call) => manager.searchKnowledge(input, call),
    query_graph: (input) => manager.queryGraph(input),
  };
}
