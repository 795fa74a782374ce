/**
 * excalidraw on the air.
 *
 * @module
 */
import { serverOf } from "../../src/server/broadcast-methods.ts";
import { defineService } from "../../src/service/define-service.ts";
import { excalidraw } from "./contract.ts";
import { SCHEMA_NAME, SCHEMA_STEPS } from "./domain/schema.ts";
import { excalidrawSettings } from "./domain/settings.ts";
import { excalidrawHandlers, excalidrawRelays } from "./handlers.ts";
import { ExcalidrawManager } from "./manager.ts";

export const excalidrawService = defineService({
  contract: excalidraw,
  settingsSchema: excalidrawSettings,
  tables: { owner: SCHEMA_NAME, steps: SCHEMA_STEPS },
  createManager: (context) => new ExcalidrawManager(context),
  createHandlers: excalidrawHandlers,
  createRelays: excalidrawRelays,
});

/** The server of excalidraw: HTTP and MCP on 3032, WebSocket on 3042, unless told otherwise. */
export class ExcalidrawWebSocketServer extends serverOf(excalidrawService) {}
