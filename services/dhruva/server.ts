/**
 * dhruva on the air.
 *
 * @module
 */
import { blobFiles } from "../../src/runtimes/blob-files.ts";
import { workspace } from "../../src/runtimes/workspace.ts";
import { serverOf } from "../../src/server/broadcast-methods.ts";
import { defineService } from "../../src/service/define-service.ts";
import { dhruva } from "./contract.ts";
import { SCHEMA_NAME, SCHEMA_STEPS } from "./domain/schema.ts";
import { dhruvaSettings } from "./domain/settings.ts";
import { dhruvaHandlers } from "./handlers.ts";
import { DhruvaManager } from "./manager.ts";
import { dhruvaRoutes } from "./routes.ts";

export const dhruvaService = defineService({
  contract: dhruva,
  settingsSchema: dhruvaSettings,
  tables: { owner: SCHEMA_NAME, steps: SCHEMA_STEPS },
  createManager: (context) => DhruvaManager.open(context, { workspace, blobFiles }),
  createHandlers: dhruvaHandlers,
  routes: dhruvaRoutes,
});

/** The server of dhruva: HTTP and MCP on 8683, WebSocket on 8693, unless told otherwise. */
export class DhruvaWebSocketServer extends serverOf(dhruvaService) {}
