/**
 * mahavishnu on the air.
 *
 * @module
 */
import { listFolder } from "../../src/runtimes/list-folder.ts";
import { workspace } from "../../src/runtimes/workspace.ts";
import { serverOf } from "../../src/server/broadcast-methods.ts";
import { defineService } from "../../src/service/define-service.ts";
import { mahavishnu } from "./contract.ts";
import type { ReadYaml } from "./domain/located.ts";
import { SCHEMA_NAME, SCHEMA_STEPS } from "./domain/schema.ts";
import { mahavishnuSettings } from "./domain/settings.ts";
import { mahavishnuHandlers } from "./handlers.ts";
import { MahavishnuManager } from "./manager.ts";

/** The parser is loaded for the first definition that is read. */
const readYaml: ReadYaml = async (text, file) =>
  (await import("../../src/settings/read-yaml.ts")).readYaml(text, file);

export const mahavishnuService = defineService({
  contract: mahavishnu,
  settingsSchema: mahavishnuSettings,
  tables: { owner: SCHEMA_NAME, steps: SCHEMA_STEPS },
  createManager: (context) => MahavishnuManager.open(context, { readYaml, listFolder, workspace }),
  createHandlers: mahavishnuHandlers,
});

/** The server of mahavishnu: HTTP and MCP on 8680, WebSocket on 8690, unless told otherwise. */
export class MahavishnuWebSocketServer extends serverOf(mahavishnuService) {}
