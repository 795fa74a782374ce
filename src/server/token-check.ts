/**
 * How a server checks tokens, from its settings: by a secret, by the keys of an issuer, or both.
 *
 * @module
 */
import type { KeySet } from "../auth/key-set.ts";
import type { Verify } from "../auth/token.ts";
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
   * Load what checks tokens and read the keys, so that the first token need not wait. Keys at an address may come later:
   * that is not waited for.
   *
   * @throws {SettingsError} where the file of keys cannot be used.
   */
  prepare(): Promise<void>;
}

/** A check that can be exchanged while it is in use. */
export interface RenewableTokenCheck extends TokenCheck {
  /**
   * Prepare a check by other settings, which have a secret or keys if these have, and read a file of keys anew. Nothing
   * changes before the function is called that this resolves with.
   *
   * @throws {SettingsError} as `prepare` does.
   */
  renew(auth: Settings["auth"]): Promise<() => void>;
}

/** What a check consists of, once it is loaded. */
interface Loaded {
  readonly verify: Verify;
  readonly keys: KeySet | null;
}

export function createTokenCheck(parts: TokenCheckParts): RenewableTokenCheck {
  let check = checkOf(parts);
  return {
    verify: check.verify && ((token) => check.verify!(token)),
    prepare: () => check.prepare(),
    async renew(auth) {
      const next = checkOf({ ...parts, auth });
      if (next.verify) await next.prepare();
      return () => {
        if (next.verify) check = next;
      };
    },
  };
}

/** The packages for tokens are loaded where tokens are checked: a server without a secret and keys starts without them. */
function checkOf(parts: TokenCheckParts): TokenCheck {
  const { secret, jwks_url: url, jwks_file: file } = parts.auth;
  if (secret === undefined && url === undefined && file === undefined) {
    return { verify: null, prepare: () => Promise.resolve() };
  }
  let loading: Promise<Loaded> | null = null;
  let verify: Verify | null = null;
  const load = async (): Promise<Loaded> => {
    try {
      const loaded = await (loading ??= loadCheck(parts));
      verify = loaded.verify;
      return loaded;
    } catch (error) {
      // The next token tries again.
      loading = null;
      throw error;
    }
  };
  return {
    async verify(token) {
      try {
        return await (verify ?? (await load()).verify)(token);
      } catch (error) {
        parts.log.error("What checks tokens could not be loaded", { service: parts.service, error });
        return { ok: false, reason: "unavailable" };
      }
    },
    async prepare() {
      const { keys } = await load();
      const prepared = keys?.prepare();
      const fault = file === undefined ? null : await prepared;
      if (fault) throw new SettingsError([`Settings: auth.jwks_file: expected ${fault.message}`]);
    },
  };
}

async function loadCheck({ service, auth, files, clock, log }: TokenCheckParts): Promise<Loaded> {
  const { secret, jwks_url: url, jwks_file: file } = auth;
  const [{ createVerifier }, { KeySet }] = await Promise.all([
    import("../auth/token.ts"),
    import("../auth/key-set.ts"),
  ]);
  const keys = url === undefined && file === undefined ? null : new KeySet({
    read: () => file === undefined ? fetchKeySet(url!, clock) : readKeyFile(file, files()),
    clock,
    log,
  });
  const verify = createVerifier({
    ...(secret === undefined ? {} : { secret }),
    ...(keys === null ? {} : { keys }),
    issuers: [auth.issuer].flat(),
    audiences: [auth.audience].flat(),
    service,
    clock,
    skewSeconds: auth.skew_seconds,
  });
  return { verify, keys };
}
