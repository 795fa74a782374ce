/**
 * `token create` and `token verify`: make a token for a service, and say what a token is worth there. The secret comes
 * from the service's settings or environment, never from an argument, which others on the machine could read.
 *
 * @module
 */
import process from "node:process";
import { isPermission, qualified } from "../auth/permissions.ts";
import { createToken, type Verification } from "../auth/token.ts";
import { systemClock } from "../ports/clock.ts";
import { lineLog } from "../ports/log.ts";
import type { Runtime } from "../ports/runtime.ts";
import { detectRuntime } from "../runtimes/detect.ts";
import { EXIT_CODES } from "../server/exit-codes.ts";
import { explained, readSettings } from "../server/run.ts";
import { createTokenCheck } from "../server/token-check.ts";
import { NO_FLAGS } from "../settings/flags.ts";
import { nearest } from "../settings/nearest.ts";
import type { Settings } from "../settings/schema.ts";
import { SettingsError } from "../settings/settings-error.ts";
import { SERVICES } from "./services.ts";
import { readLifetime, readTokenArguments, type TokenArguments } from "./token-arguments.ts";

const HELP =
  `Usage: mcp-realtime token create --service NAME [--user U] [--permission P]... [--expires 1h|never]
       mcp-realtime token verify TOKEN|- --service NAME [--json]

create  Print a token signed with the secret of the service (HS256): auth.secret, or {SERVICE}_JWT_SECRET
verify  Say who a token is and until when; "-" reads it from standard input

  --service NAME      The service that the token is for
  --user U            Who it speaks for. Default: nobody in particular
  --permission P      What it allows: read, write, run or admin, at NAME alone; may be repeated. Default: read
  --expires TIME      30s, 15m, 1h, 7d or never. Default: setting auth.token_expiry_seconds
  --json              Print one JSON object
  --settings FILE     Settings file. Default: settings/{service}.yaml where it exists
  --development       Accept the known development secret
  --help              Show this text

Exit codes: 0 done, or the token is good; 1 no secret, or the keys are out of reach; 2 usage; 4 the token is not good.`;

/**
 * Run the command.
 *
 * @param args What stood after `token`.
 * @returns the exit code.
 */
export async function token(args: readonly string[]): Promise<number> {
  return await explained(async () => {
    const [action, ...words] = args;
    if (action === undefined || action === "--help" || action === "-h") {
      (action === undefined ? console.error : console.log)(HELP);
      return action === undefined ? EXIT_CODES.usage : EXIT_CODES.done;
    }
    if (action !== "create" && action !== "verify") {
      // What came instead may be a token.
      throw new SettingsError(["token: expected create or verify, got another word; see token --help"]);
    }
    const given = readTokenArguments(action, words);
    if (given.help) {
      console.log(HELP);
      return EXIT_CODES.done;
    }
    const name = serviceName(given.service);
    const runtime = await detectRuntime();
    const { auth } = await readSettings(await SERVICES[name]!(), runtime, {
      ...NO_FLAGS,
      ...(given.settings === undefined ? {} : { settingsFile: given.settings }),
      values: new Map(given.development ? [["--development", "true"]] : []),
    });
    return action === "create" ? await create(name, auth, given) : await verify(name, auth, given, runtime);
  });
}

/** @throws {SettingsError} where no service has this name. */
function serviceName(name: string | undefined): string {
  if (name !== undefined && Object.hasOwn(SERVICES, name)) return name;
  const known = Object.keys(SERVICES);
  const meant = name === undefined ? undefined : nearest(name, known);
  const got = name === undefined ? "none" : `"${name}"`;
  const hint = meant === undefined ? "" : `, did you mean "${meant}"?`;
  throw new SettingsError([`--service: expected a service of ${known.join(", ")}, got ${got}${hint}`]);
}

async function create(service: string, auth: Settings["auth"], given: TokenArguments): Promise<number> {
  const expiresInSeconds = readLifetime(given.expires, auth.token_expiry_seconds);
  const { secret } = auth;
  if (secret === undefined) return noSecret(service, "make a token", "Set one");
  const wanted = given.permissions.length > 0 ? given.permissions : ["read"];
  const permissions = wanted.map((name) => qualified(name, service));
  for (const permission of permissions.filter((name) => !isPermission(name, service))) {
    console.error(`Warning: permission "${permission}" allows nothing at ${service}`);
  }
  const userId = given.user ?? null;
  console.log(await createToken({ secret, userId, permissions, expiresInSeconds, clock: systemClock }));
  return EXIT_CODES.done;
}

function noSecret(service: string, work: string, advice: string): number {
  const variable = `${service.toUpperCase().replaceAll("-", "_")}_JWT_SECRET`;
  console.error(
    `Cannot ${work}: ${service} has no secret. ${advice} in the environment (${variable}) or its settings (auth.secret)`,
  );
  return EXIT_CODES.error;
}

async function verify(
  service: string,
  auth: Settings["auth"],
  given: TokenArguments,
  { files }: Runtime,
): Promise<number> {
  const log = lineLog({ level: "warn" });
  const check = createTokenCheck({ service, auth, files: () => files, clock: systemClock, log });
  if (!check.verify) return noSecret(service, "check a token", "Set one, or keys (auth.jwks_url),");
  await check.prepare();
  const text = given.token === "-" ? await readInput() : given.token;
  const result = await check.verify(text);
  if (given.json) console.log(JSON.stringify(asJson(service, result)));
  else if (result.ok) console.log(asText(service, result));
  else console.error(refusalText(service, result.reason));
  if (result.ok) return EXIT_CODES.done;
  return result.reason === "unavailable" ? EXIT_CODES.error : EXIT_CODES.notAuthorized;
}

type Good = Extract<Verification, { ok: true }>;

/** The last moment at which it is accepted, the allowed skew included. */
function expiry({ expiresAt }: Good): string | null {
  return expiresAt === null ? null : new Date(expiresAt).toISOString();
}

function asJson(service: string, result: Verification): object {
  if (!result.ok) return { valid: false, service, reason: result.reason };
  const { userId, permissions } = result.identity;
  return { valid: true, service, user_id: userId, permissions, expires_at: expiry(result) };
}

function asText(service: string, result: Good): string {
  const { userId, permissions } = result.identity;
  return [
    `Good for ${service}`,
    `  user         ${userId === null ? "nobody in particular" : JSON.stringify(userId)}`,
    `  permissions  ${permissions.map((name) => JSON.stringify(name).slice(1, -1)).join(", ") || "none"}`,
    `  until        ${expiry(result) ?? "for ever"}`,
  ].join("\n");
}

function refusalText(service: string, reason: Extract<Verification, { ok: false }>["reason"]): string {
  const said = {
    malformed: "expected a token, got nothing",
    invalid: `it is forged, malformed, not valid yet, or not meant for ${service}`,
    expired: "it has expired",
    unavailable: "the keys that would tell are out of reach, try again later",
  };
  return `Cannot accept the token: ${said[reason]}`;
}

/** Longer input is no token. In characters. */
const MOST_INPUT = 65_536;

async function readInput(): Promise<string> {
  let text = "";
  for await (const chunk of process.stdin.setEncoding("utf8")) {
    text += chunk;
    if (text.length > MOST_INPUT) break;
  }
  return text.trim();
}
