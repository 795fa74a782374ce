/**
 * `token create` and `token verify`: make a token for a service, and say what a token is worth there. The secret comes
 * from the service's settings or environment, never from an argument, which others on the machine could read.
 *
 * @module
 */
import process from "node:process";
import type { Command } from "commander";
import { isPermission, qualified } from "../auth/permissions.ts";
import { createToken, type Verification } from "../auth/token.ts";
import { systemClock } from "../ports/clock.ts";
import { lineLog } from "../ports/log.ts";
import type { Runtime } from "../ports/runtime.ts";
import { detectRuntime } from "../runtimes/detect.ts";
import { EXIT_CODES } from "../server/exit-codes.ts";
import { readSettings } from "../server/run.ts";
import { createTokenCheck } from "../server/token-check.ts";
import { NO_FLAGS } from "../settings/flags.ts";
import type { Settings } from "../settings/schema.ts";
import { SettingsError } from "../settings/settings-error.ts";
import { action, makeCommand } from "./command.ts";
import { readLifetime } from "./lifetime.ts";
import { knownService, SERVICES } from "./services.ts";
import { singleValue } from "./single-value.ts";
import { plainJson } from "./terminal/plain-text.ts";

interface TokenFlags {
  readonly service?: string;
  readonly settings?: string;
  readonly development?: boolean;
}

interface CreateFlags extends TokenFlags {
  readonly user?: string;
  readonly permission?: readonly string[];
  readonly expires?: string;
}

interface VerifyFlags extends TokenFlags {
  readonly json?: boolean;
}

export function tokenCommand(): Command {
  const createCommand = makeCommand(
    "create",
    "Print a token signed with the secret of the service (HS256): auth.secret, or {SERVICE}_JWT_SECRET",
  )
    .option("--user <U>", "Who it speaks for. Default: nobody in particular", singleValue("--user", "U"))
    .option(
      "--permission <P>",
      "What it allows: read, write, run or admin, at the service alone; may be repeated. Default: read",
      (text: string, before: readonly string[] = []) => [...before, singleValue("--permission", "P")(text)],
    )
    .option(
      "--expires <TIME>",
      "30s, 15m, 1h, 7d or never. Default: setting auth.token_expiry_seconds",
      singleValue("--expires", "TIME"),
    )
    .action(action(create));
  const verifyCommand = makeCommand("verify", "Say who a token is and until when")
    .argument("<TOKEN>", '"-" reads it from standard input')
    .option("--json", "Print one JSON object")
    .action(action(verify));
  for (const command of [createCommand, verifyCommand]) {
    command
      .option("--service <NAME>", "The service that the token is for", singleValue("--service", "NAME"))
      .option(
        "--settings <FILE>",
        "Settings file. Default: settings/{service}.yaml where it exists",
        singleValue("--settings", "FILE"),
      )
      .option("--development", "Accept the known development secret")
      .addHelpText("after", EXIT_CODES_HELP);
  }
  return makeCommand("token", "Make a token for a service, or say what one is worth there")
    .addCommand(createCommand).addCommand(verifyCommand)
    .addHelpText("after", EXIT_CODES_HELP);
}

const EXIT_CODES_HELP =
  "\nExit codes: 0 done, or the token is good; 1 no secret, or the keys are out of reach; 2 usage; 4 the token is not good.";

interface Place {
  readonly name: string;
  readonly auth: Settings["auth"];
  readonly runtime: Runtime;
}

async function placeOf({ service, settings, development }: TokenFlags): Promise<Place> {
  const name = serviceName(service);
  const runtime = await detectRuntime();
  const { auth } = await readSettings(await SERVICES[name]!(), runtime, {
    ...NO_FLAGS,
    settingsFile: settings,
    values: new Map(development ? [["--development", "true"]] : []),
  });
  return { name, auth, runtime };
}

/** @throws {SettingsError} where no service has this name. */
function serviceName(name: string | undefined): string {
  if (name !== undefined) return knownService("--service", name);
  throw new SettingsError([`--service: expected a service of ${Object.keys(SERVICES).join(", ")}, got none`]);
}

async function create(flags: CreateFlags): Promise<number> {
  const { name: service, auth } = await placeOf(flags);
  const expiresInSeconds = readLifetime(flags.expires, auth.token_expiry_seconds);
  const { secret } = auth;
  if (secret === undefined) return noSecret(service, "make a token", "Set one");
  const permissions = (flags.permission ?? ["read"]).map((name) => qualified(name, service));
  for (const permission of permissions.filter((name) => !isPermission(name, service))) {
    console.error(`Warning: permission "${permission}" allows nothing at ${service}`);
  }
  const userId = flags.user ?? null;
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

async function verify(token: string, flags: VerifyFlags): Promise<number> {
  const { name: service, auth, runtime: { files } } = await placeOf(flags);
  const log = lineLog({ level: "warn" });
  const check = createTokenCheck({ service, auth, files: () => files, clock: systemClock, log });
  if (!check.verify) return noSecret(service, "check a token", "Set one, or keys (auth.jwks_url),");
  await check.prepare();
  const result = await check.verify(token === "-" ? await readInput() : token);
  if (flags.json) console.log(plainJson(asJson(service, result)));
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
    `  user         ${userId === null ? "nobody in particular" : plainJson(userId)}`,
    `  permissions  ${permissions.map((name) => plainJson(name).slice(1, -1)).join(", ") || "none"}`,
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
