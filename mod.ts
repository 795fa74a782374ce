/**
 * Live updates for MCP services: WebSocket channels and typed events beside HTTP and MCP, from one contract.
 *
 * A service is a contract, a manager and handlers (`defineContract`, `defineService`). It runs in a process of its own
 * (`runService`) or inside an app of yours (`createRealtime`). Runtimes are subpaths: `mcp-realtime/runtimes/node`,
 * `/deno`, `/bun`, or `/detect`, which picks the one that is running.
 *
 * @module
 */
export { defineContract } from "./src/protocol/contract.ts";
export type {
  Access,
  ChannelKind,
  Contract,
  Effect,
  EventData,
  EventName,
  EventSpec,
  PromptArgument,
  PromptSpec,
  PromptValues,
  RequestInput,
  RequestName,
  RequestOutput,
  RequestSpec,
} from "./src/protocol/contract.ts";
export { CLOSE_CODES, shouldReconnect } from "./src/protocol/close-codes.ts";
export { ERRORS, Refusal } from "./src/protocol/errors.ts";
export type { ErrorCode, ErrorRow } from "./src/protocol/errors.ts";
export type { Position, SequencedEvent } from "./src/protocol/event.ts";
export type { JsonObject, JsonValue } from "./src/protocol/json.ts";
export { SERVICE_PORTS } from "./src/protocol/service-ports.ts";
export type { ServicePorts } from "./src/protocol/service-ports.ts";
export { VERSION } from "./src/protocol/version.ts";

export type { Broker, BrokerParts, CreateBroker } from "./src/broker/broker.ts";
export type { Call, Identity } from "./src/ports/call.ts";
export type { Clock } from "./src/ports/clock.ts";
export { DatabaseError } from "./src/ports/database.ts";
export type { Database, Row, SqlValue, Statement } from "./src/ports/database.ts";
export type { Files } from "./src/ports/files.ts";
export { lineLog, silentLog } from "./src/ports/log.ts";
export type { Log } from "./src/ports/log.ts";
export type { Processes } from "./src/ports/processes.ts";
export { ListenError } from "./src/ports/runtime.ts";
export type { FetchApp, Listener, Runtime } from "./src/ports/runtime.ts";

export { defineService } from "./src/service/define-service.ts";
export type {
  Commit,
  Handlers,
  Manager,
  ManagerContext,
  Service,
  Transaction,
} from "./src/service/define-service.ts";
export { migrate } from "./src/storage/migrations.ts";

export type { Settings, SettingsPart } from "./src/settings/schema.ts";
export { SettingsError } from "./src/settings/settings-error.ts";

export type { Connection } from "./src/connection/connection.ts";
export { serverOf } from "./src/server/broadcast-methods.ts";
export type { BroadcastMethods, ServerClass } from "./src/server/broadcast-methods.ts";
export { createRealtime } from "./src/server/create-realtime.ts";
export { RealtimeServer } from "./src/server/realtime-server.ts";
export type { ServerOptions } from "./src/server/realtime-server.ts";
export { EXIT_CODES, readSettings, runService, startServices } from "./src/server/run.ts";
export type { Running, RunOptions } from "./src/server/run.ts";
