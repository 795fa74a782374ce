/**
 * What an operator is told at the start of settings that are allowed, and by which tokens prove less than they seem to.
 *
 * @module
 */
import type { Log } from "../ports/log.ts";
import type { Settings } from "../settings/schema.ts";

/** HS256 signs with 32 bytes; whoever has a token can try shorter secrets on it at leisure. */
const SECRET_BYTES = 32;

export function warnOfTokens(
  service: string,
  { auth, development }: Pick<Settings, "auth" | "development">,
  log: Log,
): void {
  const { required, secret, jwks_url: url, jwks_file: file } = auth;
  const isShort = secret !== undefined && new TextEncoder().encode(secret).length < SECRET_BYTES;
  if (required && isShort && !development) {
    log.warn(
      `The secret of tokens (auth.secret) is shorter than ${SECRET_BYTES} bytes, and whoever has a token may guess it: ` +
        "make one with 'openssl rand -hex 32'",
      { service },
    );
  }
  if (url === undefined && file === undefined) return;
  const missing = (["issuer", "audience"] as const).filter((name) => auth[name].length === 0);
  if (missing.length > 0) {
    log.warn(
      `Tokens of the key set that its issuer made for others may be taken: set ${
        missing.map((name) => `auth.${name}`).join(" and ")
      }`,
      { service },
    );
  }
}
