/**
 * How a server checks tokens, from its settings: by a secret, by the keys of an issuer, or both.
 *
 * @module
 */
import { KeySet } from "../auth/key-set.ts";
import { createVerifier, type Verify } from "../auth/token.ts";
import type { Clock } from "../ports/clock.ts";
import type { Files } from "../ports/files.ts";
import type { Log } from "../ports/log.ts";
import type { Settings } from "../settings/schema.ts";
import { SettingsError } from "../settings/settings-error.ts";
import { fetchKeySet, readKeyFile } from "./key-source.ts";

export interface TokenCheckParts {
  /** Name of the service that the tokens are for. */
  readonly service: string;
  readonly auth: Settings["auth"];
  /** Asked for where `auth.jwks_file` is set. */
  readonly files: () => Files;
  readonly clock: Clock;
  readonly log: Log;
}

export interface TokenCheck {
  /** Null where there is neither secret nor keys. */
  readonly verify: Verify | null;
  /**
   * Read the keys, so that the first token need not wait. Keys at an address may come later: that is not waited for.
   *
   * @throws {SettingsError} where the file of keys cannot be used.
   */
  prepare(): Promise<void>;
}

export function createTokenCheck({ service, auth, files, clock, log }: TokenCheckParts): TokenCheck {
  const { secret, jwks_url: url, jwks_file: file } = auth;
  const keys = url === undefined && file === undefined ? null : new KeySet({
    read: () => file === undefined ? fetchKeySet(url!, clock) : readKeyFile(file, files()),
    clock,
    log,
  });
  if (secret === undefined && keys === null) return { verify: null, prepare: () => Promise.resolve() };
  return {
    verify: createVerifier({
      ...(secret === undefined ? {} : { secret }),
      ...(keys === null ? {} : { keys }),
      issuers: [auth.issuer].flat(),
      audiences: [auth.audience].flat(),
      service,
      clock,
      skewSeconds: auth.skew_seconds,
    }),
    async prepare() {
      const prepared = keys?.prepare();
      const fault = file === undefined ? null : await prepared;
      if (fault) throw new SettingsError([`Settings: auth.jwks_file: expected ${fault.message}`]);
    },
  };
}
