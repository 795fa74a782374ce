/**
 * Who the bridge says it is: the bearer of the token that it was given, or the user "stdio" by a token of its own making.
 *
 * @module
 */
import { createToken } from "../../auth/token.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Settings } from "../../settings/schema.ts";

/** Where a token comes from. Never an argument, which others on the machine could read. */
export const TOKEN_VARIABLE = "MCP_REALTIME_TOKEN";

const USER = "stdio";
/** One that leaks is soon worth nothing; one that is used outlives the longest call. */
const LIFETIME_SECONDS = 600;
const RENEWED_AFTER_MS = (LIFETIME_SECONDS / 2) * 1_000;

export interface Credentials {
  /** The header of the next request; none where nothing is asked for, or nothing is known to say. */
  headers(): Promise<Readonly<Record<string, string>>>;
  /** What to do where the service refuses them. */
  readonly advice: string;
}

/** @param token What the environment gave. */
export function credentialsFor(
  { service, auth, token, clock }: {
    readonly service: string;
    readonly auth: Settings["auth"];
    readonly token: string | undefined;
    readonly clock: Clock;
  },
): Credentials {
  if (token !== undefined && token !== "") {
    return {
      headers: () => Promise.resolve(bearer(token)),
      advice: `give a valid token of ${service} in ${TOKEN_VARIABLE}`,
    };
  }
  const { secret } = auth;
  if (!auth.required || secret === undefined) {
    return {
      headers: () => Promise.resolve({}),
      advice: `give a token of ${service} in ${TOKEN_VARIABLE}`,
    };
  }
  let made: { readonly token: Promise<string>; readonly at: number } | null = null;
  return {
    async headers() {
      const now = clock.monotonic();
      if (made === null || now - made.at >= RENEWED_AFTER_MS) {
        const permissions = [`${service}:admin`];
        const options = { secret, userId: USER, permissions, expiresInSeconds: LIFETIME_SECONDS, clock };
        made = { token: createToken(options), at: now };
      }
      return bearer(await made.token);
    },
    advice: `use the secret that it was started with, or give a token in ${TOKEN_VARIABLE}`,
  };
}

function bearer(token: string): Record<string, string> {
  return { Authorization: `Bearer ${token}` };
}
