/**
 * session-buddy on the air.
 *
 * @module
 */
import { serverOf } from "../../src/server/broadcast-methods.ts";
import { defineService } from "../../src/service/define-service.ts";
import { sessionBuddy } from "./contract.ts";
import { SCHEMA_NAME, SCHEMA_STEPS } from "./domain/schema.ts";
import { sessionBuddySettings } from "./domain/settings.ts";
import { sessionBuddyHandlers } from "./handlers.ts";
import { SessionBuddyManager } from "./manager.ts";

export const sessionBuddyService = defineService({
  contract: sessionBuddy,
  // `session.created`, the welcome of the other services, is news here.
  defaults: { websocket: { welcome_event: "welcome" } },
  settingsSchema: sessionBuddySettings,
  tables: { owner: SCHEMA_NAME, steps: SCHEMA_STEPS },
  createManager: (context) => new SessionBuddyManager(context),
  createHandlers: sessionBuddyHandlers,
});

/** The server of session-buddy: HTTP and MCP on 8678, WebSocket on 8688, unless told otherwise. */
export class SessionBuddyWebSocketServer extends serverOf(sessionBuddyService) {}
