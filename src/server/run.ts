/**
 * Start services together and stop them together.
 *
 * @module
 */
import type { Log } from "../ports/log.ts";
import type { Runtime } from "../ports/runtime.ts";
import type { Service } from "../service/define-service.ts";
import { loadSettings } from "../settings/load.ts";
import type { Flags } from "../settings/flags.ts";
import type { Settings } from "../settings/schema.ts";
import { SettingsError } from "../settings/settings-error.ts";
import { RealtimeServer } from "./realtime-server.ts";
import { settingsServiceOf } from "./server-settings.ts";

/**
 * The settings of a service from its file, the environment and flags.
 *
 * @throws {SettingsError} with every fault, each with its place.
 */
export async function readSettings(service: Service, runtime: Runtime, flags: Flags): Promise<Settings> {
  const owner = settingsServiceOf(service);
  const file = flags.settingsFile ?? `settings/${owner.name}.yaml`;
  const text = await runtime.files.readText(runtime.files.resolve(file));
  if (text === undefined && flags.settingsFile !== undefined) {
    throw new SettingsError([`--settings: expected a file, got "${file}", which does not exist`]);
  }
  return loadSettings({
    service: owner,
    ...(text === undefined ? {} : { text }),
    file,
    environment: runtime.environment,
    flags,
  });
}

/** Services that are up. */
export interface Running {
  readonly servers: readonly RealtimeServer<Service["contract"]>[];
  /** Stop them all, the last one started first. Rejects with the first failure, when all have been tried. */
  stop(): Promise<void>;
}

/** Start each service in turn. When one fails, those before it are stopped again. */
export async function startServices(
  services: readonly { readonly service: Service; readonly settings: Settings }[],
  options: { readonly runtime: Runtime; readonly log?: Log },
): Promise<Running> {
  const servers: RealtimeServer<Service["contract"]>[] = [];
  const stop = async (): Promise<void> => {
    const failures: unknown[] = [];
    for (const server of servers.splice(0).reverse()) {
      await server.stop().catch((error) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  };
  try {
    for (const { service, settings } of services) {
      const server = new RealtimeServer(service, { ...options, settings });
      servers.push(server);
      await server.start();
    }
  } catch (error) {
    await stop().catch(() => {});
    throw error;
  }
  return { servers: [...servers], stop };
}
