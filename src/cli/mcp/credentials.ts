/**
 * Who a command says it is: the bearer of the token that it was given, or a user of this machine by a token of its own
 * making.
 *
 * @module
 */
import { createToken } from "../../auth/token.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Settings } from "../../settings/schema.ts";
import { SettingsError } from "../../settings/settings-error.ts";

/** Where a token comes from. Never an argument, which others on the machine could read. */
export const TOKEN_VARIABLE = "MCP_REALTIME_TOKEN";

/** One that leaks is soon worth nothing; one that is used outlives the longest call. */
const LIFETIME_SECONDS = 600;
const RENEWED_AFTER_MS = (LIFETIME_SECONDS / 2) * 1_000;

/** @throws {SettingsError} where a token is none, as line breaks or what is no ASCII stand in it. It is not shown. */
export function checkToken(source: string, token: string): void {
  if (/^[\x20-\x7e]+$/.test(token)) return;
  throw new SettingsError([
    `${source}: expected one token, got a text with line breaks or other characters that no token has`,
  ]);
}

/** Both throw a `SettingsError` where what was given is no token. */
export interface Credentials {
  /** What the next connection is opened with; null where nothing is asked for, or nothing is known to say. */
  token(): Promise<string | null>;
  /** The header of the next request; none where nothing is asked for, or nothing is known to say. */
  headers(): Promise<Readonly<Record<string, string>>>;
  /** What to do where the service refuses them. */
  readonly advice: string;
}

/**
 * @param token What was given; a function is asked for each connection.
 * @param source Where that comes from, or could: ends "give a token in".
 * @param user For whom a token is made where none was given.
 */
export function credentialsFor(
  { service, auth, token, clock, user = "stdio", source = TOKEN_VARIABLE }: {
    readonly service: string;
    readonly auth: Pick<Settings["auth"], "required" | "secret">;
    readonly token: string | (() => Promise<string>) | undefined;
    readonly user?: string;
    readonly source?: string;
    readonly clock: Clock;
  },
): Credentials {
  if (token !== undefined && token !== "") {
    const get = async () => {
      const given = (typeof token === "string" ? token : await token()).trim();
      checkToken(source, given);
      return given;
    };
    return credentials(get, `give a valid token of ${service} in ${source}`);
  }
  const { secret } = auth;
  if (!auth.required || secret === undefined) {
    return credentials(() => Promise.resolve(null), `give a token of ${service} in ${source}`);
  }
  let made: { readonly token: Promise<string>; readonly at: number } | null = null;
  return credentials(async () => {
    const now = clock.monotonic();
    if (made === null || now - made.at >= RENEWED_AFTER_MS) {
      const permissions = [`${service}:admin`];
      const options = { secret, userId: user, permissions, expiresInSeconds: LIFETIME_SECONDS, clock };
      made = { token: createToken(options), at: now };
    }
    return await made.token;
  }, `use the secret that it was started with, or give a token in ${source}`);
}

function credentials(token: Credentials["token"], advice: string): Credentials {
  return {
    token,
    async headers(): Promise<Record<string, string>> {
      const given = await token();
      return given === null ? {} : { Authorization: `Bearer ${given}` };
    },
    advice,
  };
}
