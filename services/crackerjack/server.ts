/**
 * crackerjack on the air.
 *
 * @module
 */
import { workspace } from "../../src/runtimes/workspace.ts";
import { serverOf } from "../../src/server/broadcast-methods.ts";
import { defineService } from "../../src/service/define-service.ts";
import { crackerjack } from "./contract.ts";
import { SCHEMA_NAME, SCHEMA_STEPS } from "./domain/schema.ts";
import { crackerjackSettings } from "./domain/settings.ts";
import { crackerjackHandlers } from "./handlers.ts";
import { CrackerjackManager } from "./manager.ts";

export const crackerjackService = defineService({
  contract: crackerjack,
  settingsSchema: crackerjackSettings,
  tables: { owner: SCHEMA_NAME, steps: SCHEMA_STEPS },
  createManager: (context) => CrackerjackManager.open(context, workspace),
  createHandlers: crackerjackHandlers,
});

/** The server of crackerjack: HTTP and MCP on 8676, WebSocket on 8686, unless told otherwise. */
export class CrackerjackWebSocketServer extends serverOf(crackerjackService) {}
