/**
 * What a server says at its start of settings by which tokens prove less than they seem to.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SettingsPart } from "../../src/settings/schema.ts";
import { keySetOf, makeKey } from "../support/issuer.ts";
import { startOwn } from "./own-service.ts";

const LONG = "thirty-two bytes of a secret: ab";
const SHORT = LONG.slice(1);

let folder: string;
let file: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "realtime-warnings-"));
  file = join(folder, "keys.json");
  await writeFile(file, keySetOf(await makeKey("ES256", "only")));
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The whole log of a server that is started and stopped. */
async function logOf(auth: SettingsPart["auth"], more: SettingsPart = {}): Promise<string> {
  const own = await startOwn({ auth, ...more });
  await own.server.stop();
  return own.log.join("\n");
}

const warningsIn = (log: string) => [...log.matchAll(/ WARN {2}(.*)/g)].map(([, said]) => said);

describe("A server that requires authentication", () => {
  const warning =
    "The secret of tokens (auth.secret) is shorter than 32 bytes, and whoever has a token may guess it: " +
    "make one with 'openssl rand -hex 32' service=own";

  test("warns once of a secret that is shorter than 32 bytes, and does not show it", async () => {
    const log = await logOf({ required: true, secret: SHORT });
    expect(warningsIn(log)).toEqual([warning]);
    expect(log).not.toContain(SHORT);
  });

  test.each([
    ["32 bytes", LONG],
    ["32 bytes in fewer characters", "ä".repeat(16)],
  ])("says nothing of one of %s", async (_what, secret) => {
    expect(warningsIn(await logOf({ required: true, secret }))).toEqual([]);
  });
});

test("A server that takes everybody says nothing of a short secret, nor does one in development mode", async () => {
  expect(warningsIn(await logOf({ secret: SHORT }))).toEqual([]);
  expect(warningsIn(await logOf({ required: true, secret: SHORT }, { development: true }))).toEqual([]);
});

describe("A server with the keys of an issuer", () => {
  const audience = "own";
  const issuer = "https://login.example.org";

  test.each([
    ["auth.issuer and auth.audience", {}],
    ["auth.issuer", { audience }],
    ["auth.audience", { issuer: [issuer] }],
  ])("warns where it lacks %s", async (missing, given) => {
    expect(warningsIn(await logOf({ required: true, jwks_file: file, ...given }))).toEqual([
      `Tokens of the key set that its issuer made for others may be taken: set ${missing} service=own`,
    ]);
  });

  test("says nothing where it has both", async () => {
    expect(warningsIn(await logOf({ required: true, jwks_file: file, issuer, audience: [audience] })))
      .toEqual([]);
  });
});
