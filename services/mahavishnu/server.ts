/**
 * mahavishnu on the air.
 *
 * @module
 */
import { listFolder } from "../../src/runtimes/list-folder.ts";
import { workspace } from "../../src/runtimes/workspace.ts";
import { serverOf } from "../../src/server/broadcast-methods.ts";
import { defineService } from "../../src/service/define-service.ts";
import { readYaml } from "../../src/settings/read-yaml.ts";
import { mahavishnu } from "./contract.ts";
import { mahavishnuSettings } from "./domain/settings.ts";
import { mahavishnuHandlers } from "./handlers.ts";
import { MahavishnuManager } from "./manager.ts";

export const mahavishnuService = defineService({
  contract: mahavishnu,
  settingsSchema: mahavishnuSettings,
  createManager: (context) => MahavishnuManager.open(context, { readYaml, listFolder, workspace }),
  createHandlers: mahavishnuHandlers,
});

/** The server of mahavishnu: HTTP and MCP on 8680, WebSocket on 8690, unless told otherwise. */
export class MahavishnuWebSocketServer extends serverOf(mahavishnuService) {}
