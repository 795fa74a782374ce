/**
 * `mcp-realtime token`, as a person runs it: a process of its own, on each runtime.
 */
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createToken, createVerifier } from "../../src/auth/token.ts";
import { systemClock } from "../../src/ports/clock.ts";
import { buildOnce } from "../support/build-once.ts";
import { KeyServer, keySetOf, makeKey, signWith } from "../support/issuer.ts";
import { executable, hasRuntime, type RuntimeName } from "../support/start-program.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const SECRET = "a secret that only this file knows";
const PATIENCE_MS = 120_000;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "realtime-token-"));
  await mkdir(join(folder, "settings"));
  await writeFile(
    join(folder, "settings/dhruva.yaml"),
    `auth: { secret: "${SECRET}", token_expiry_seconds: 90 }\n`,
  );
  await buildOnce();
}, PATIENCE_MS);
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Ran {
  readonly code: number | string | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Run {
  readonly runtime?: RuntimeName;
  readonly environment?: Record<string, string>;
  readonly input?: string;
}

/** Run `token` with these words, in a folder of its own. */
async function run(words: readonly string[], options: Run = {}): Promise<Ran> {
  const { runtime = "node", environment = {}, input } = options;
  const source = join(root, "src/cli/main.ts");
  const program = {
    node: [join(root, "dist/src/cli/main.js")],
    deno: ["run", "-A", "--config", join(root, "deno.json"), source],
    bun: ["--bun", "run", source],
  }[runtime];
  const child = spawn(executable(runtime)!, [...program, "token", ...words], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, NO_COLOR: "1", ...environment },
    stdio: ["pipe", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => void (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => void (stderr += text));
  child.stdin.on("error", () => {}).end(input ?? "");
  const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
  const code = await new Promise<number | string | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve(code ?? signal));
  });
  clearTimeout(timer);
  return { code, stdout, stderr };
}

const environment = { AKOSHA_JWT_SECRET: SECRET };
const verify = createVerifier({ secret: SECRET, service: "akosha", clock: systemClock });

describe.each<RuntimeName>(["node", "deno", "bun"])("mcp-realtime token, on %s", (runtime) => {
  test.skipIf(!hasRuntime(runtime))(
    "makes a token, alone on standard output, that verify knows again",
    async () => {
      const before = Math.floor(Date.now() / 1_000);
      const words = [
        "--user",
        "ada",
        "--permission",
        "akosha:write",
        "--permission=admin",
        "--expires",
        "15m",
      ];
      const made = await run(["create", "--service", "akosha", ...words], { runtime, environment });
      expect(made).toMatchObject({ code: 0, stderr: "" });
      expect(made.stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
      const token = made.stdout.trim();
      const result = await verify(token);
      // A bare name would count at every service that has the secret.
      const permissions = ["akosha:write", "akosha:admin"];
      expect(result).toMatchObject({ identity: { userId: "ada", permissions } });
      const seconds = (result as { expiresAt: number }).expiresAt / 1_000 - 900;
      expect(seconds).toBeGreaterThanOrEqual(before);
      expect(seconds).toBeLessThanOrEqual(Date.now() / 1_000);

      const known = await run(["verify", "-", "--service", "akosha", "--json"], {
        runtime,
        environment,
        input: made.stdout,
      });
      expect(known).toMatchObject({ code: 0, stderr: "" });
      expect(JSON.parse(known.stdout)).toEqual({
        valid: true,
        service: "akosha",
        user_id: "ada",
        permissions,
        // The skew of 5 seconds that a server allows is part of it.
        expires_at: new Date((seconds + 905) * 1_000).toISOString(),
      });
    },
    PATIENCE_MS,
  );

  test.skipIf(!hasRuntime(runtime))("refuses a forged token with exit code 4", async () => {
    const forged = await createToken({
      secret: "another",
      userId: "eve",
      permissions: ["admin"],
      clock: systemClock,
    });
    const told = await run(["verify", forged, "--service", "akosha"], { runtime, environment });
    expect(told).toEqual({
      code: 4,
      stdout: "",
      stderr: "Cannot accept the token: it is forged, malformed, not valid yet, or not meant for akosha\n",
    });
  }, PATIENCE_MS);
});

describe("mcp-realtime token verify", () => {
  test(
    "shows names as escapes where they would steer a terminal, and the same names to programs",
    async () => {
      const userId = "eve\u202e\u009b2J";
      const permissions = ["akosha:read", "a\u2066b"];
      const token = await createToken({ secret: SECRET, userId, permissions, clock: systemClock });
      for (const form of [[], ["--json"]]) {
        const { code, stdout } = await run(["verify", token, "--service", "akosha", ...form], {
          environment,
        });
        expect(code).toBe(0);
        expect(stdout).not.toMatch(/[\u0080-\u009f\u202e\u2066]/);
        expect(stdout).toContain("eve\\u202e\\u009b2J");
        if (form.length > 0) expect(JSON.parse(stdout)).toMatchObject({ user_id: userId });
      }
    },
    PATIENCE_MS,
  );
});

describe("mcp-realtime token create", () => {
  test(
    "takes secret and lifetime from the settings file, and allows reading where nothing is said",
    async () => {
      const made = await run(["create", "--service", "dhruva"]);
      expect(made).toMatchObject({ code: 0, stderr: "" });
      const [, claims] = made.stdout.split(".");
      const { iat, exp, ...rest } = JSON.parse(Buffer.from(claims!, "base64url").toString());
      expect([exp - iat, rest]).toEqual([90, { permissions: ["dhruva:read"] }]);
      const told = await run(["verify", made.stdout.trim(), "--service", "dhruva"]);
      expect(told).toMatchObject({ code: 0, stderr: "" });
      expect(told.stdout).toMatch(
        /^Good for dhruva\n {2}user {9}nobody in particular\n {2}permissions {2}dhruva:read\n {2}until {8}20\S+Z\n$/,
      );
    },
    PATIENCE_MS,
  );

  test("makes a token that never expires, and one for a file of settings that is named", async () => {
    const made = await run([
      "create",
      "--service",
      "akosha",
      "--settings",
      "settings/own.yaml",
      "--expires",
      "never",
    ]);
    expect(made).toMatchObject({ code: 2, stdout: "" });
    await writeFile(join(folder, "settings/own.yaml"), `auth: { secret: "${SECRET}" }\n`);
    const again = await run([
      "create",
      "--service",
      "akosha",
      "--settings",
      "settings/own.yaml",
      "--expires",
      "never",
    ]);
    expect(await verify(again.stdout.trim())).toMatchObject({ ok: true, expiresAt: null });
    const told = await run(["verify", again.stdout.trim(), "--service", "akosha"], { environment });
    expect(told.stdout).toContain("until        for ever");
  }, PATIENCE_MS);

  test("warns of a permission that allows nothing there, and makes the token", async () => {
    const made = await run(["create", "--service", "akosha", "--permission", "akosha:raed"], { environment });
    expect(made).toMatchObject({
      code: 0,
      stderr: 'Warning: permission "akosha:raed" allows nothing at akosha\n',
    });
    expect(await verify(made.stdout.trim())).toMatchObject({ ok: true });
  }, PATIENCE_MS);

  test("says where a secret belongs, with exit code 1, and takes none from the command line", async () => {
    expect(await run(["create", "--service", "akosha"])).toEqual({
      code: 1,
      stdout: "",
      stderr:
        "Cannot make a token: akosha has no secret. Set one in the environment (AKOSHA_JWT_SECRET) or its settings (auth.secret)\n",
    });
    const told = await run(["create", "--service", "akosha", `--secret=${SECRET}`], { environment });
    expect(told).toMatchObject({ code: 2, stdout: "" });
    expect(told.stderr).toMatch(/^token create: unknown option "--secret"/);
    expect(told.stderr).not.toContain(SECRET);
  }, PATIENCE_MS);

  test("takes the development secret in development mode alone", async () => {
    const known = { AKOSHA_JWT_SECRET: "dev-secret-change-in-production" };
    const refused = await run(["create", "--service", "akosha"], { environment: known });
    expect(refused).toMatchObject({ code: 2, stdout: "" });
    expect(refused.stderr).toContain("expected a secret of your own");
    const made = await run(["create", "--service", "akosha", "--development"], { environment: known });
    expect(made).toMatchObject({ code: 0, stderr: "" });
  }, PATIENCE_MS);

  test.each<[string, string[], string]>([
    ["nothing", [], "Usage: mcp-realtime token create|verify"],
    [
      "another word",
      ["make"],
      "token: expected create, verify, got another word; see mcp-realtime token --help",
    ],
    ["no service", ["create"], "--service: expected a service of session-buddy, mahavishnu"],
    ["an unknown service", ["create", "--service", "akasha"], 'got "akasha": did you mean "akosha"?'],
    [
      "a flag without its value",
      ["create", "--service", "--user", "a"],
      "--service: expected a value (NAME), got none",
    ],
    [
      "an empty value",
      ["create", "--service", "akosha", "--user="],
      "--user: expected a value (U), got none",
    ],
    [
      "a flag twice",
      ["create", "--service", "akosha", "--user", "a", "--user", "b"],
      "--user: expected it once",
    ],
    [
      "a value too many",
      ["verify", "x", "--service", "akosha", "--json=yes"],
      'option "--json" takes no value, and got one',
    ],
    [
      "a flag of the other",
      ["verify", "x", "--service", "akosha", "--user", "a"],
      'unknown option "--user"',
    ],
    [
      "a word too many",
      ["create", "--service", "akosha", "ada"],
      "token create: too many arguments",
    ],
    [
      "no token",
      ["verify", "--service", "akosha"],
      'token verify: missing required argument "TOKEN"',
    ],
    [
      "a lifetime of 0",
      ["create", "--service", "akosha", "--expires", "0s"],
      "--expires: expected a time like 30s",
    ],
    ["a bare number", ["create", "--service", "akosha", "--expires", "60"], 'or never, got "60"'],
    ["11 years", ["create", "--service", "akosha", "--expires", "4015d"], "(at most 3650d)"],
  ])("answers %s with exit code 2 and a sentence", async (_, words, sentence) => {
    const told = await run(words, { environment });
    expect(told).toMatchObject({ code: 2, stdout: "" });
    expect(told.stderr).toContain(sentence);
  }, PATIENCE_MS);

  test("explains itself", async () => {
    for (const words of [["--help"], ["create", "-h"], ["verify", "--help"]]) {
      const told = await run(words);
      expect(told).toMatchObject({ code: 0, stderr: "" });
      expect(told.stdout).toContain("Exit codes: 0 done");
    }
  }, PATIENCE_MS);
});

describe("mcp-realtime token verify", () => {
  const token = (options: object) =>
    createToken({
      secret: SECRET,
      userId: "ada",
      permissions: ["akosha:read"],
      clock: systemClock,
      ...options,
    });

  test("tells an expired token, and one that is none, from a good one, also as JSON", async () => {
    const expired = await token({ expiresInSeconds: -60 });
    expect(await run(["verify", expired, "--service", "akosha"], { environment })).toEqual({
      code: 4,
      stdout: "",
      stderr: "Cannot accept the token: it has expired\n",
    });
    const json = ["verify", "-", "--service", "akosha", "--json"];
    for (const [input, reason] of [[expired, "expired"], ["x", "invalid"], ["\n", "malformed"]]) {
      const told = await run(json, { environment, input: input! });
      expect(told).toMatchObject({ code: 4, stderr: "" });
      expect(JSON.parse(told.stdout)).toEqual({ valid: false, service: "akosha", reason });
    }
    // Far more than any token.
    expect((await run(json, { environment, input: "x".repeat(5_000_000) })).code).toBe(4);
  }, PATIENCE_MS);

  test("shows a user's name so that it cannot pass for more than a name", async () => {
    const odd = await token({ userId: "ada\n  until        for ever\u001b[2J", permissions: ["a\nb"] });
    const told = await run(["verify", odd, "--service", "akosha"], { environment });
    expect(told.stdout.split("\n")).toHaveLength(5);
    expect(told.stdout).not.toContain("\u001b");
  }, PATIENCE_MS);

  test(
    "checks a token by the issuer's keys, and says with exit code 1 where they are out of reach",
    async () => {
      const key = await makeKey("EdDSA", "one");
      const issuer = await KeyServer.start(keySetOf(key));
      try {
        const issued = await signWith(key, { sub: "ada", scope: "akosha:read", iss: "us", aud: "akosha" });
        const keys = { AKOSHA_JWKS_URL: issuer.url, AKOSHA_JWT_ISSUER: "them, us" };
        const words = ["verify", issued, "--service", "akosha", "--json"];
        const known = await run(words, { environment: keys });
        expect(JSON.parse(known.stdout)).toMatchObject({ valid: true, user_id: "ada", expires_at: null });
        issuer.answer = (response) => void response.writeHead(500).end();
        const told = await run(words, { environment: keys });
        expect(told.code).toBe(1);
        expect(JSON.parse(told.stdout)).toMatchObject({ valid: false, reason: "unavailable" });
        expect(told.stderr).toContain("expected an answer with status 200, got 500");
      } finally {
        await issuer.stop();
      }
    },
    PATIENCE_MS,
  );

  test("says where secret or keys belong, with exit code 1, where there are neither", async () => {
    const told = await run(["verify", "x", "--service", "akosha"]);
    expect(told).toMatchObject({ code: 1, stdout: "" });
    expect(told.stderr).toMatch(/^Cannot check a token: akosha has no secret\. Set one, or keys/);
  }, PATIENCE_MS);
});
