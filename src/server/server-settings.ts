/**
 * The settings that a server runs with: the service's defaults, and over them what it was given.
 *
 * @module
 */
import type { Contract } from "../protocol/contract.ts";
import type { Manager, Service } from "../service/define-service.ts";
import { checkNames, checkSettings } from "../settings/check.ts";
import { kindsWithHistory } from "../settings/kind-bounds.ts";
import {
  defaultSettings,
  mergeSettings,
  type Settings,
  type SettingsPart,
  type SettingsService,
} from "../settings/schema.ts";

/** A service as the settings room sees it. */
export function settingsServiceOf<C extends Contract, M extends Manager>(
  service: Service<C, M>,
): SettingsService {
  const { contract, defaults, settingsSchema } = service;
  return {
    name: contract.name,
    ports: contract.ports,
    kinds: kindsWithHistory(contract.channels),
    ...(defaults ? { defaults } : {}),
    ...(settingsSchema ? { schema: settingsSchema } : {}),
  };
}

/**
 * Complete the settings of a server.
 *
 * @param given Complete settings from `loadSettings`, or some, as code gives them.
 * @throws {SettingsError} where one is wrong, or they do not go together.
 */
export function settingsOf<C extends Contract, M extends Manager>(
  service: Service<C, M>,
  given: SettingsPart = {},
): Settings {
  checkNames(given);
  const owner = settingsServiceOf(service);
  const settings = mergeSettings(defaultSettings(owner), given);
  checkSettings(settings, owner.kinds);
  return settings;
}
