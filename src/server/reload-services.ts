/**
 * Reading the settings of running services again: for all of them or, where anything is wrong, for none.
 *
 * @module
 */
import { CertificateError } from "../ports/certificates.ts";
import type { Contract } from "../protocol/contract.ts";
import type { Settings } from "../settings/schema.ts";
import { SettingsError } from "../settings/settings-error.ts";
import type { RealtimeServer } from "./realtime-server.ts";
import type { Reload } from "./reload.ts";

interface Prepared {
  readonly server: RealtimeServer<Contract>;
  readonly reload: Reload;
}

/**
 * Take over what has changed in files. Whatever is wrong is logged and leaves everything as it is.
 *
 * @param read The settings of each server, in the same order. May reject with `SettingsError`.
 */
export async function reloadServices(
  servers: readonly RealtimeServer<Contract>[],
  read: () => Promise<readonly { readonly settings: Settings }[]>,
): Promise<void> {
  const [first] = servers;
  if (!first) return;
  let prepared: Prepared[];
  try {
    const chosen = await read();
    prepared = await Promise.all(
      servers.map(async (server, index) => ({
        server,
        reload: await server.prepareReload(chosen[index]!.settings),
      })),
    );
  } catch (error) {
    for (const line of problemsOf(error)) {
      first.log.error("The settings were read again and cannot be used: nothing has changed", line);
    }
    return;
  }
  for (const { server, reload } of prepared) {
    reload.apply();
    tell(server, reload);
  }
}

/** What an operator has got wrong, line by line; our own faults with their stack. */
function problemsOf(error: unknown): { problem?: string; error?: unknown }[] {
  if (error instanceof SettingsError) return error.message.split("\n").map((problem) => ({ problem }));
  return error instanceof CertificateError ? [{ problem: error.message }] : [{ error }];
}

function tell({ service, log }: RealtimeServer<Contract>, { changes, restart }: Reload): void {
  const { name } = service.contract;
  if (changes.length > 0) {
    log.info("Settings have changed", { service: name, changed: changes.join(", ") });
  } else if (restart.length === 0) {
    log.info("Settings were read again: nothing has changed", { service: name });
  }
  if (restart.length > 0) {
    log.warn("Settings change with the next start only", { service: name, settings: restart.join(", ") });
  }
}
