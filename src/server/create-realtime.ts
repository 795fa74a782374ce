/**
 * A service within an app of your own.
 *
 * @module
 */
import type { Contract } from "../protocol/contract.ts";
import type { Manager, Service } from "../service/define-service.ts";
import type { BroadcastMethods } from "./broadcast-methods.ts";
import { serverOf } from "./broadcast-methods.ts";
import type { RealtimeServer, ServerOptions } from "./realtime-server.ts";

/**
 * Open a service without ports, to be mounted: `app.route("/live", realtime.app)`. Close it with `stop()`.
 *
 * @throws {SettingsError} where the settings do not go together.
 * @throws {DatabaseError} where the database file cannot be used.
 */
export async function createRealtime<C extends Contract, M extends Manager>(
  service: Service<C, M>,
  options: ServerOptions<M>,
): Promise<RealtimeServer<C, M> & BroadcastMethods<C>> {
  const server = new (serverOf(service))(options);
  await server.open();
  return server;
}
