/** The example that watches: against a service that wants a token, speaks TLS, refuses, or is not there. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createToken } from "../../src/auth/token.ts";
import { systemClock } from "../../src/ports/clock.ts";
import { buildOnce } from "../support/build-once.ts";
import { freePort, makeScratch, type Scratch, serve, type Serving } from "../support/serve-process.ts";
import { command, hasRuntime, type RuntimeName, sendSignal } from "../support/start-program.ts";
import { START_TIMEOUT_MS, startExample } from "./running-example.ts";

const SECRET = "a secret of the test that is long enough";
const FREE = ["--port", "0", "--http-port", "0", "--storage", ":memory:"];
const root = fileURLToPath(new URL("../..", import.meta.url));
const LIFETIME_MS = 10 * START_TIMEOUT_MS;

let scratch: Scratch;
let guarded: Serving;
let encrypted: Serving;
let certificate: string;

const tokenOf = (permission: string) =>
  createToken({
    secret: SECRET,
    userId: "ada",
    permissions: [permission],
    expiresInSeconds: 600,
    clock: systemClock,
  });

/** Watch until that ends by itself. */
async function watch(runtime: RuntimeName, url: string, environment: Record<string, string> = {}) {
  const { program, args } = command(runtime, "examples/watch.mjs");
  const child = spawn(program, [...args, url, "session:*"], {
    cwd: root,
    env: { ...process.env, NO_COLOR: "1", MCP_REALTIME_TOKEN: "", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stderr = "";
  let stdout = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => void (stderr += text));
  child.stdout.setEncoding("utf8").on("data", (text: string) => void (stdout += text));
  const timer = setTimeout(() => sendSignal(child.pid, "SIGKILL"), START_TIMEOUT_MS);
  const [code, signal] = await once(child, "close");
  clearTimeout(timer);
  return { code: code ?? signal, stdout, stderr };
}

beforeAll(async () => {
  await buildOnce();
  scratch = await makeScratch();
  certificate = join(scratch.folder, "cert.pem");
  guarded = await serve("node", {
    entry: "session-buddy",
    args: FREE,
    environment: { SESSION_BUDDY_JWT_SECRET: SECRET, SESSION_BUDDY_AUTH_ENABLED: "true" },
    lifetimeMs: LIFETIME_MS,
  });
  encrypted = await serve("node", {
    entry: "session-buddy",
    args: [...FREE, "--dev-certificate"],
    environment: {
      SESSION_BUDDY_CERT_FILE: certificate,
      SESSION_BUDDY_KEY_FILE: join(scratch.folder, "key.pem"),
    },
    lifetimeMs: LIFETIME_MS,
  });
}, 240_000);
afterAll(async () => {
  for (const program of [guarded, encrypted]) {
    program?.kill("SIGKILL");
    await program?.ended;
  }
  await scratch?.remove();
});

it("watch.mjs ends with exit code 0 where the service has stopped in order", async () => {
  const program = await serve("node", { entry: "session-buddy", args: FREE });
  try {
    const watching = watch("node", program.websocket);
    await expect.poll(() => program.stderr(), { timeout: START_TIMEOUT_MS }).toContain("Client connected");
    program.kill("SIGTERM");
    expect(await watching).toMatchObject({ code: 0, stdout: expect.stringContaining("closed: ") });
  } finally {
    program.kill("SIGKILL");
    await program.ended;
  }
}, 2 * START_TIMEOUT_MS);

describe.each(["node", "deno", "bun"] as const)("watch.mjs on %s", (runtime) => {
  const when = it.skipIf(!hasRuntime(runtime));

  when("shows the token of MCP_REALTIME_TOKEN to a service that wants one", async () => {
    const example = await startExample(runtime, "examples/watch.mjs", {
      isUp: /^watching|^closed/,
      args: [guarded.websocket, "session:*"],
      environment: { MCP_REALTIME_TOKEN: await tokenOf("session-buddy:read") },
    });
    expect(example.lines.at(-1)).toBe("watching session:*");
    await example.stop();
  }, 2 * START_TIMEOUT_MS);

  when.each([
    ["without a token", () => "", "AUTH_REQUIRED: "],
    ["with a token that does not hold", () => "guessed", "AUTH_FAILED: "],
    ["with one that may not read", () => tokenOf("session-buddy:write"), "FORBIDDEN: "],
  ])("ends with exit code 1 and the reason %s", async (_what, token, reason) => {
    const ended = await watch(runtime, guarded.websocket, { MCP_REALTIME_TOKEN: await token() });
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining(reason) });
  }, 2 * START_TIMEOUT_MS);

  when("ends with exit code 1 where nobody listens, and where it is not let in", async () => {
    const gone = await watch(runtime, `ws://127.0.0.1:${await freePort()}`);
    expect(gone).toMatchObject({ code: 1, stderr: expect.stringContaining("is the service running?") });
    const refused = await watch(runtime, `${guarded.http.replace("http", "ws")}/nowhere`);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/^Cannot watch/) });
  }, 2 * START_TIMEOUT_MS);

  when("names NODE_EXTRA_CA_CERTS where the certificate is not trusted", async () => {
    const { code, stderr } = await watch(runtime, encrypted.websocket);
    expect([code, stderr]).toEqual([1, expect.stringContaining("set NODE_EXTRA_CA_CERTS")]);
  }, 2 * START_TIMEOUT_MS);

  when("watches where NODE_EXTRA_CA_CERTS names it", async () => {
    const example = await startExample(runtime, "examples/watch.mjs", {
      isUp: /^watching|^closed/,
      args: [encrypted.websocket, "session:*"],
      environment: { NODE_EXTRA_CA_CERTS: certificate },
    });
    expect(example.lines.at(-1)).toBe("watching session:*");
    await example.stop();
  }, 2 * START_TIMEOUT_MS);
});
