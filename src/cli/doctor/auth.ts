/**
 * Who may use a service: secret, keys and tokens, and what protects it where authentication is off.
 *
 * @module
 */
import { KeySet } from "../../auth/key-set.ts";
import { silentLog } from "../../ports/log.ts";
import { fetchKeySet, readKeyFile } from "../../server/key-source.ts";
import { createTokenCheck } from "../../server/token-check.ts";
import { DEVELOPMENT_SECRET } from "../../settings/catalog.ts";
import { isLoopback } from "../../settings/cross-checks.ts";
import { withoutSecretParts } from "../../settings/settings-error.ts";
import { TOKEN_VARIABLE } from "../mcp/credentials.ts";
import { fail, type Findings, ok, warn } from "./finding.ts";
import type { Subject } from "./subject.ts";

/** HS256 signs with 32 bytes. */
const SECRET_BYTES = 32;
/** A token that ends sooner is warned of, in milliseconds. */
const SOON_MS = 600_000;

export async function* examineAuth(subject: Subject): Findings {
  const { settings: { auth, development } } = subject;
  if (!auth.required) yield* examineOpen(subject);
  const { secret } = auth;
  if (secret === DEVELOPMENT_SECRET) {
    yield warn(
      "auth.secret",
      "The secret is the development secret, which everybody knows",
      "make one with 'openssl rand -hex 32' before others can reach this service",
    );
  } else if (secret !== undefined && new TextEncoder().encode(secret).length < SECRET_BYTES && !development) {
    yield warn(
      "auth.secret",
      `The secret of tokens is shorter than ${SECRET_BYTES} bytes: whoever has a token may guess it`,
      "make one with 'openssl rand -hex 32'",
    );
  } else if (secret !== undefined) yield ok("auth.secret", "A secret for tokens is set");
  yield* examineKeys(subject);
  yield* examineToken(subject);
}

async function* examineOpen({ settings: { websocket, http }, name }: Subject): Findings {
  const hosts = [...websocket.enabled ? [websocket.host] : [], http.host];
  if (hosts.every(isLoopback)) {
    return yield ok("auth.required", "No token is asked for, and only this machine can reach it");
  }
  yield warn(
    "auth.required",
    `No token is asked for, and ${name} listens beyond this machine: whoever reaches it may do everything`,
    "set auth.required: true and a secret, or listen on 127.0.0.1",
  );
}

async function* examineKeys({ settings: { auth }, runtime, clock }: Subject): Findings {
  const { jwks_url: url, jwks_file: file } = auth;
  if (url === undefined && file === undefined) return;
  const check = "auth.keys";
  const read = () => file === undefined ? fetchKeySet(url!, clock) : readKeyFile(file, runtime.files);
  const fault = await new KeySet({ read, clock, log: silentLog }).prepare();
  const source = file === undefined ? `the address ${withoutSecretParts(url!)}` : `the file "${file}"`;
  if (fault === null) return yield ok(check, `The keys for tokens can be read from ${source}`);
  yield fail(
    check,
    `The keys for tokens cannot be read from ${source}: expected ${fault.message}`,
    "correct auth.jwks_url or auth.jwks_file, or whoever serves the keys",
  );
}

async function* examineToken(
  { settings: { auth }, runtime, clock, name, token, isNamed }: Subject,
): Findings {
  const check = "auth.token";
  if (token === undefined) return;
  const { verify } = createTokenCheck({
    service: name,
    auth,
    files: () => runtime.files,
    clock,
    log: silentLog,
  });
  if (verify === null) {
    return yield warn(
      check,
      `${TOKEN_VARIABLE} holds a token, and ${name} has neither a secret nor keys to check it`,
      "set auth.secret, or leave the token out",
    );
  }
  const result = await verify(token);
  const make = `make a new one: mcp-realtime token create --service ${name}`;
  if (result.ok) {
    const { expiresAt } = result;
    const until = expiresAt === null ? "for ever" : `until ${new Date(expiresAt).toISOString()}`;
    const isSoon = expiresAt !== null && expiresAt - clock.now() < SOON_MS;
    yield isSoon
      ? warn(check, `The token in ${TOKEN_VARIABLE} is good only ${until}`, make)
      : ok(check, `The token in ${TOKEN_VARIABLE} is good ${until}`);
  } else if (result.reason === "expired") {
    yield fail(check, `The token in ${TOKEN_VARIABLE} has expired`, make);
  } else if (result.reason === "unavailable") {
    yield warn(check, `The token in ${TOKEN_VARIABLE} cannot be checked`, "see to the keys (auth.jwks_url)");
  } else {
    const tell = isNamed ? fail : warn;
    yield tell(check, `The token in ${TOKEN_VARIABLE} is forged, malformed, or not meant for ${name}`, make);
  }
}
