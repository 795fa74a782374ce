/**
 * Secrets of settings and tokens of clients stay where they are, whatever goes wrong: not in the log, at its most
 * talkative too, not in what is printed, answered or sent, and not where the system shows processes to everybody.
 */
import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createToken } from "../../src/auth/token.ts";
import { systemClock } from "../../src/ports/clock.ts";
import { sqliteEngine } from "../../src/runtimes/sqlite-driver.ts";
import { buildOnce } from "../support/build-once.ts";
import { FrameClient, refusedUpgrade } from "../support/frame-client.ts";
import { get, post } from "../support/http-client.ts";
import { RawSocket } from "../support/raw-socket.ts";
import { findSecrets, shownBySystem } from "../support/secret-search.ts";
import { freePort, makeScratch, runToEnd, type Scratch, serve } from "../support/serve-process.ts";
import { hasRuntime } from "../support/start-program.ts";

const SECRET = "sEcReT-of-this-test-4f1c9a77e2b0/+=";
const TARGET_TOKEN = "tArGeT-token-of-this-test-5d02c6";
/** The headers of a handshake that a plain request does not have. */
const NO_UPGRADE = { Connection: undefined, Upgrade: undefined };
const ADAPTER = { domain: "d", key: "k", provider: "p", version: "1", content: "a few bytes" };

let scratch: Scratch;
beforeAll(async () => {
  await buildOnce();
  scratch = await makeScratch();
}, 120_000);
afterAll(() => scratch?.remove());

const tokenBy = (secret: string, permissions: string[], expiresInSeconds = 600) =>
  createToken({ secret, userId: "ada", permissions, expiresInSeconds, clock: systemClock });
const runtimes = (["node", "deno", "bun"] as const).filter((name) => hasRuntime(name));

describe.each(runtimes)("a service on %s", { timeout: 120_000 }, (runtime) => {
  it("shows neither its secret nor a token, whatever fails", async () => {
    const database = join(scratch.folder, `${runtime}.db`);
    const program = await serve(runtime, {
      entry: "session-buddy",
      args: ["--port", "0", "--http-port", "0", "--storage", database, "--log-level", "debug"],
      environment: { SESSION_BUDDY_JWT_SECRET: SECRET, SESSION_BUDDY_AUTH_ENABLED: "true" },
    });
    const tokens = {
      good: await tokenBy(SECRET, ["admin"]),
      powerless: await tokenBy(SECRET, []),
      expired: await tokenBy(SECRET, ["admin"], -60),
      forged: await tokenBy("another secret", ["admin"]),
    };
    const answers: string[] = [];
    const keep = (answer: { status: number; headers: object; body: unknown }) => {
      answers.push(JSON.stringify(answer));
      return answer;
    };
    try {
      if (process.platform === "linux") {
        // It is there to be found: in the one place that only the service's own user may read.
        expect(readFileSync(`/proc/${program.pid}/environ`, "utf8")).toContain(SECRET);
      }
      const good = { authorization: `Bearer ${tokens.good}` };
      for (const token of Object.values(tokens)) {
        for (
          const authorization of [
            `Bearer ${token}`,
            `bearer ${token} x`,
            `Bearer ${token}\u00e9`,
            `Basic ${token}`,
          ]
        ) {
          for (
            const path of [
              "/health",
              "/metrics",
              "/api/status",
              "/api/channels",
              "/mcp",
              `/nowhere?token=${token}`,
            ]
          ) {
            keep(await get(`${program.http}${path}`, { authorization }));
          }
          keep(await post(`${program.http}/api/requests/get_session`, "{", { authorization }));
        }
        keep(await get(`${program.http}/api/status?token=${token}`));
        // As the first frame, and later.
        const late = await FrameClient.open(program.websocket);
        late.send({ type: "request", event: "auth", data: { token } });
        await late.next();
        const known = await FrameClient.open(program.websocket, { headers: good });
        await known.request("auth", { token });
        await known.request("refresh_token", { token: [token] });
        await known.request("refresh_token", { token });
        const refused = await refusedUpgrade(program.websocket, {
          headers: { authorization: `Bearer ${token}`, host: "evil.example" },
        });
        expect(refused.status).toBe(403);
        await Promise.all([known.close(), late.close()]);
        answers.push(JSON.stringify([late.frames, known.frames, refused]));
      }

      if (runtime === "node") {
        // What is told at the level debug alone: an upload that ends early. One that ends before its route begins to
        // read is told nowhere, so that several may be needed.
        const length = { "Content-Type": "application/json", "Content-Length": "99", Expect: "100-continue" };
        const endEarly = async () => {
          const half = await RawSocket.open(Number(new URL(program.http).port));
          const headers = { ...NO_UPGRADE, ...length, Authorization: good.authorization };
          half.request("/api/requests/get_session", headers, "POST");
          await half.until("100 Continue");
          half.reset();
          return program.stderr();
        };
        await expect.poll(endEarly, { timeout: 30_000 }).toContain("DEBUG");
      }

      // A fault of the service itself: a table has gone.
      const other = (await sqliteEngine())(database);
      other.exec("DROP TABLE checkpoints");
      other.close();
      const client = await FrameClient.open(program.websocket, { headers: good });
      await client.request("start_session", { session_id: "s", project: "p" });
      const failed = await client.request("list_checkpoints", { session_id: "s" });
      expect(failed.error_code).toBe("SERVER_ERROR");
      await expect.poll(() => program.stderr(), { timeout: 30_000 }).toContain("no such table");
      keep(await post(`${program.http}/api/requests/list_checkpoints`, { session_id: "s" }, good));
      keep(await get(`${program.http}/metrics`, good));
      await client.close();
      answers.push(JSON.stringify(client.frames));

      const told = JSON.stringify(client.frames) + answers.slice(-3).join("");
      expect(told).not.toMatch(/no such table|SELECT|\.ts\b|\.js\b|node_modules|checkpoints" *WHERE/);

      const shown = shownBySystem(program.pid);
      program.kill("SIGTERM");
      const { stdout, stderr, code } = await program.ended;
      expect(code).toBe(0);
      const places = { stdout, stderr, answers: answers.join("\n"), ...shown };
      expect(findSecrets({ secret: SECRET, ...tokens }, places)).toEqual([]);
    } finally {
      program.kill("SIGKILL");
      await program.ended;
    }
  });
});

describe("tokens for others, in a service's own settings", { timeout: 120_000 }, () => {
  it.each([
    [
      "dhruva",
      (port: number) =>
        `  targets: { shop: { url: "http://127.0.0.1:${port}/x", token: "${TARGET_TOKEN}" } }\n  attempts: 1\n`,
    ],
    [
      "akosha",
      (port: number) =>
        `  feeds:\n    shop:\n      url: ws://127.0.0.1:${port}\n      token: "${TARGET_TOKEN}"\n` +
        `      channels: { "test:*": [{ event: test.completed, metric: m, value: /duration_seconds }] }\n`,
    ],
  ])("are not shown by %s where nobody answers there", async (name, own) => {
    const file = join(scratch.folder, `${name}.yaml`);
    await writeFile(file, `${name}:\n${own(await freePort())}log: { level: debug }\n`);
    const program = await serve("node", { args: [name, ...scratch.flags(name), "--settings", file] });
    try {
      const answers: unknown[] = [];
      const ask = async (request: string, data: object = {}) => {
        const answer = await post(`${program.http}/api/requests/${request}`, data);
        answers.push(answer);
        return answer.body;
      };
      if (name === "dhruva") {
        await ask("store_adapter", ADAPTER);
        const { distribution_id } = await ask("distribute_adapter", {
          adapter_id: "d:k:p",
          targets: ["shop"],
        });
        await expect.poll(async () => (await ask("get_distribution_status", { distribution_id })).status, {
          timeout: 30_000,
        }).toBe("failed");
      } else {
        await expect.poll(async () => JSON.stringify(await ask("get_status")), { timeout: 30_000 })
          .toMatch(/"shop"/);
        await expect.poll(() => program.stderr(), { timeout: 30_000 }).toMatch(/shop/);
      }
      answers.push(await get(`${program.http}/metrics`), await get(`${program.http}/api/status`));
      const shown = shownBySystem(program.pid);
      program.kill("SIGTERM");
      const { stdout, stderr } = await program.ended;
      const places = { stdout, stderr, answers: JSON.stringify(answers), ...shown };
      expect(findSecrets({ token: TARGET_TOKEN }, places)).toEqual([]);
    } finally {
      program.kill("SIGKILL");
      await program.ended;
    }
  });
});

describe("settings that are wrong", { timeout: 60_000 }, () => {
  const inFile: [string, string][] = [
    ["an unknown key beside it", `auth:\n  secret: "${SECRET}"\n  sekret: "${SECRET}"\n`],
    ["a secret where a block belongs", `auth: "${SECRET}"\n`],
    ["a secret where the settings belong", `"${SECRET}"\n`],
    ["a list for a secret", `auth:\n  secret: ["${SECRET}"]\n`],
    ["a map for a secret", `auth:\n  secret: { value: "${SECRET}" }\n`],
    ["a secret at the top", `jwt_secret: "${SECRET}"\n`],
    ["a key twice", `auth:\n  secret: "${SECRET}"\n  secret: "${SECRET}"\n`],
    ["a quote that does not end", `auth:\n  secret: "${SECRET}\n  required: true\n`],
    ["a line that is no YAML", `auth:\n  secret: "${SECRET}" "${SECRET}"\n`],
    ["a wrong indentation", `auth:\n   secret: "${SECRET}"\n  required: true\n`],
    ["a tag that nobody knows", `auth:\n  secret: !vault "${SECRET}"\n`],
    [
      "an address with a password",
      `auth:\n  jwks_url: "https://ada:${encodeURIComponent(SECRET)}@login.example"\n`,
    ],
    [
      "an address with a password that is no address",
      `auth:\n  jwks_url: "ftp://ada:${SECRET}@login.example"\n`,
    ],
    [
      "a token of the own block with a key too many",
      `dhruva:\n  targets: { t: { url: "http://x.example/", token: "${SECRET}", no: 1 } }\n`,
    ],
    [
      "an address of the own block with a password",
      `dhruva:\n  targets: { t: { url: "http://ada:${SECRET}@x.example/" } }\n`,
    ],
    [
      "a token as an object",
      `dhruva:\n  targets: { t: { url: "http://x.example/", token: { a: "${SECRET}" } } }\n`,
    ],
    ["a port that is taken for a secret", `websocket: { port: 99999 }\nauth: { secret: "${SECRET}" }\n`],
  ];

  it.each(inFile)("%s is told of without the secret", async (what, text) => {
    const folder = join(scratch.folder, what.replaceAll(/\W+/g, "-"));
    await mkdir(folder);
    await writeFile(join(folder, "settings.yaml"), text);
    const { code, stdout, stderr } = await runToEnd("node", {
      args: [
        "dhruva",
        "--settings",
        join(folder, "settings.yaml"),
        "--storage",
        ":memory:",
        "--log-level",
        "debug",
      ],
      environment: { DHRUVA_JWT_SECRET: SECRET },
    });
    expect(code).toBe(2);
    expect(stderr).toContain("settings.yaml:");
    expect(findSecrets({ secret: SECRET }, { stdout, stderr })).toEqual([]);
  });

  const onLine: [string, string[]][] = [
    ["a flag for it that is not there", ["--jwt-secret", SECRET]],
    ["the same with an equals sign", [`--secret=${SECRET}`]],
    ["a token as a flag", ["--token", SECRET]],
  ];

  it.each(onLine)("%s is told of without the secret", async (_what, args) => {
    const environment = { SESSION_BUDDY_JWT_SECRET: "", SESSION_BUDDY_AUTH_ENABLED: "maybe" };
    const { code, stdout, stderr } = await runToEnd("node", { entry: "session-buddy", args, environment });
    expect(code).toBe(2);
    expect(stderr).toContain("--");
    expect(findSecrets({ secret: SECRET }, { stdout, stderr })).toEqual([]);
  });
});
