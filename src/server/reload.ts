/**
 * Settings that are read again while a server runs: everything that they name is checked first, then all that can change
 * now changes at once, and what cannot is told by name.
 *
 * @module
 */
import type { ConnectionHost } from "../connection/host.ts";
import type { PortTls } from "../ports/runtime.ts";
import { settingsChange, takeOver } from "../settings/live.ts";
import type { Settings } from "../settings/schema.ts";
import { renewConnectionSettings } from "./connection-host.ts";
import { type OpenPorts, type PortParts, readTls } from "./ports.ts";
import type { RenewableTokenCheck } from "./token-check.ts";

export interface ReloadParts extends PortParts {
  /** Those that the server runs with. All its parts see what changes in them. */
  readonly settings: Settings;
  readonly tokens: RenewableTokenCheck;
  readonly connectionHost: ConnectionHost;
  /** Null while none are open. */
  readonly ports: OpenPorts | null;
  /** Judge pages and names by the settings as they are now. */
  renewOrigins(): void;
}

/** A reload of which everything is checked. */
export interface Reload {
  /** What changes: paths of settings, and files whose content is another. */
  readonly changes: readonly string[];
  /** Paths of settings that need a restart. */
  readonly restart: readonly string[];
  /** Change it. */
  apply(): void;
}

/**
 * Check settings that were read again, and the files that they name. Nothing changes before `apply` is called.
 *
 * @param read Complete, and checked by themselves.
 * @throws {SettingsError} where a file of keys cannot be used.
 * @throws {CertificateError} where a certificate cannot be used.
 */
export async function prepareReload(parts: ReloadParts, read: Settings): Promise<Reload> {
  const { settings, ports, log } = parts;
  const change = settingsChange(settings, read, parts.service);
  const waits = (path: string) => path === "log.level" && log.setLevel === undefined;
  const live = change.live.filter((path) => !waits(path));
  const restart = [...change.restart, ...change.live.filter(waits)];
  const next = structuredClone(settings);
  takeOver(next, read, live);

  // A file of keys may hold others than before; keys at an address are read anew by themselves.
  const renewsTokens = next.auth.jwks_file !== undefined || live.some((path) => path.startsWith("auth."));
  const renewTokens = renewsTokens ? await parts.tokens.renew(next.auth) : () => {};

  const tls = next.tls.dev_certificate ? ports?.tls : await readTls({ ...parts, settings: next });
  const isRenewed = !isSameTls(tls, ports?.tls);
  const canRenew = ports?.listeners.every(({ renewTls }) => renewTls !== undefined) ?? false;
  const certificate = `the certificate${next.tls.cert_file === undefined ? "" : ` ${next.tls.cert_file}`}`;
  return {
    changes: [...live, ...isRenewed && canRenew ? [certificate] : []],
    restart: [...restart, ...isRenewed && !canRenew ? [certificate] : []],
    apply() {
      takeOver(settings, read, live);
      renewTokens();
      parts.limits.change(settings);
      renewConnectionSettings(parts.connectionHost, settings);
      parts.renewOrigins();
      log.setLevel?.(settings.log.level);
      if (!ports || !tls || !isRenewed || !canRenew) return;
      for (const listener of ports.listeners) listener.renewTls?.(tls);
      ports.tls = tls;
    },
  };
}

function isSameTls(a: PortTls | undefined, b: PortTls | undefined): boolean {
  return a?.cert === b?.cert && a?.key === b?.key && a?.clientAuthorities === b?.clientAuthorities;
}
