/**
 * akosha on the air.
 *
 * @module
 */
import { createClient } from "../../src/client/node.ts";
import { serverOf } from "../../src/server/broadcast-methods.ts";
import { defineService } from "../../src/service/define-service.ts";
import { akosha } from "./contract.ts";
import { SCHEMA_NAME, SCHEMA_STEPS } from "./domain/schema.ts";
import { akoshaSettings } from "./domain/settings.ts";
import { akoshaHandlers } from "./handlers.ts";
import { AkoshaManager } from "./manager.ts";

export const akoshaService = defineService({
  contract: akosha,
  settingsSchema: akoshaSettings,
  tables: { owner: SCHEMA_NAME, steps: SCHEMA_STEPS },
  createManager: (context) => AkoshaManager.open(context, { createClient }),
  createHandlers: akoshaHandlers,
});

/** The server of akosha: HTTP and MCP on 8682, WebSocket on 8692, unless told otherwise. */
export class AkoshaWebSocketServer extends serverOf(akoshaService) {}
