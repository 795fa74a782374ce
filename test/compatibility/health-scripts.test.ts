/**
 * The scripts by which existing deployments look after their servers, pointed at ours. See `test/python/check_health.py` and
 * `test/python/verify_deployment.py` for what they do.
 */
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createToken } from "../../src/auth/token.ts";
import { systemClock } from "../../src/ports/clock.ts";
import { buildOnce } from "../support/build-once.ts";
import { type Files, makeAuthority, makeFiles } from "../support/certificates.ts";
import { startPython } from "../support/python-program.ts";
import { pythonPath, requireOrSkip } from "../support/require.ts";
import { freePort, makeScratch, type Scratch, serve, type Serving } from "../support/serve-process.ts";

const PATIENCE = 240_000;
const SECRET = "a secret of more than thirty-two characters";
const hasPython = requireOrSkip(
  "Python with the packages websockets and pydantic",
  pythonPath() !== undefined,
  "python3 -m venv .venv && .venv/bin/pip install websockets pydantic",
);

let scratch: Scratch;
let files: Files;
beforeAll(async () => {
  await buildOnce();
  scratch = await makeScratch();
  files = await makeFiles();
}, PATIENCE);
afterAll(async () => {
  await scratch?.remove();
  await files?.remove();
});

/** Runs a script to its end. */
async function run(
  script: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
) {
  const python = startPython(script, args, null, environment);
  const code = await python.ended;
  return { code, lines: python.lines.map((line) => JSON.parse(line)), stderr: python.stderr() };
}

/** Open connections and drop them without a word, in each way that there is. */
async function scan(port: number): Promise<void> {
  for (const leave of ["destroy", "end", "resetAndDestroy"] as const) {
    const socket = connect({ host: "127.0.0.1", port });
    socket.on("error", () => {});
    await once(socket, "connect");
    socket[leave]();
    if (!socket.closed) await once(socket, "close");
  }
}

async function stop(program: Serving): Promise<void> {
  program.kill("SIGTERM");
  expect(await program.ended).toMatchObject({ code: 0, complaints: [] });
}

interface Server {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

describe.runIf(hasPython)("check_health.py", () => {
  let program: Serving;
  let servers: Server[];
  beforeAll(async () => {
    const environment: Record<string, string> = {};
    for (const name of ["SESSION_BUDDY", "MAHAVISHNU", "AKOSHA", "CRACKERJACK", "DHRUVA", "EXCALIDRAW"]) {
      environment[`${name}_PORT`] = "0";
      environment[`${name}_HTTP_PORT`] = "0";
      environment[`${name}_STORAGE_PATH`] = ":memory:";
    }
    // Its feeds would look for others than these.
    await mkdir(join(scratch.folder, "settings"), { recursive: true });
    await writeFile(join(scratch.folder, "settings/akosha.yaml"), "akosha: { feeds: {} }\n");
    program = await serve("node", { environment, folder: scratch.folder, lifetimeMs: PATIENCE });
    const found = [...program.stdout().matchAll(/^([a-z-]+)\n {2}WebSocket +ws:\/\/127\.0\.0\.1:(\d+)$/gm)];
    servers = found.map(([, name, port]) => ({ name: name!, host: "127.0.0.1", port: Number(port) }));
  }, PATIENCE);
  afterAll(async () => {
    // Nothing that the scripts have done was worth a warning: they open ports and drop them.
    const log = program.stderr();
    await stop(program);
    expect(log).not.toMatch(/ (WARN|ERROR) /);
  }, PATIENCE);

  const check = async (asked: readonly Server[], ...args: string[]) => {
    const config = await files.write("servers.json", JSON.stringify({ websocket_servers: asked }));
    const { code, lines, stderr } = await run("check_health.py", ["--config", config, ...args]);
    expect(lines, stderr).toHaveLength(1);
    return { code, ...lines[0] };
  };

  test.each([["a TCP connection", []], ["a ping", ["--advanced"]]])(
    "finds all six services healthy within 100 ms by %s",
    async (_, args) => {
      expect(servers.map(({ name }) => name).sort()).toHaveLength(6);
      // A machine that is busy with something else may make one try slow, not all of them.
      let checked = await check(servers, ...args);
      for (let more = 0; checked.code !== 0 && more < 9; more++) {
        expect(checked.summary).toMatchObject({ total: 6, unhealthy: 0 });
        checked = await check(servers, ...args);
      }
      expect(checked).toMatchObject({
        code: 0,
        summary: { total: 6, healthy: 6, degraded: 0, unhealthy: 0 },
      });
      for (const server of checked.servers) {
        expect(server).toMatchObject({ status: "healthy", error: null });
        expect(server.latency_ms).toBeLessThanOrEqual(100);
      }
    },
    PATIENCE,
  );

  test("tells a service that is gone from those that are there", async () => {
    const gone = { name: "gone", host: "127.0.0.1", port: await freePort() };
    const { code, servers: checked } = await check([...servers, gone]);
    expect(code).toBe(1);
    expect(checked.at(-1)).toMatchObject({ name: "gone", status: "unhealthy" });
    expect(checked.slice(0, -1)).not.toContainEqual(expect.objectContaining({ status: "unhealthy" }));
    expect((await check([gone], "--advanced")).code).toBe(2);
  }, PATIENCE);
});

describe.runIf(hasPython)("verify_deployment.py", () => {
  const token = () =>
    createToken({ secret: SECRET, userId: "ada", permissions: ["mahavishnu:read"], clock: systemClock });

  /** What the script finds at a mahavishnu that is set up by the same variables. */
  const verify = async (environment: Readonly<Record<string, string>>, args: readonly string[] = []) => {
    const program = await serve("node", {
      args: ["mahavishnu", ...scratch.flags(`verify-${crypto.randomUUID()}`)],
      environment,
      folder: scratch.folder,
      lifetimeMs: PATIENCE,
    });
    const { port } = new URL(program.websocket);
    try {
      // The numbers are where health is: on the WebSocket port, and on the one for HTTP.
      const runs = [port, new URL(program.http).port].map((metrics) =>
        run("verify_deployment.py", ["--port", port, "--metrics-port", metrics, ...args], environment)
      );
      const done = await Promise.all(runs);
      // A port scan, also of a port that speaks TLS, is no fault.
      await scan(Number(port));
      expect(program.stderr()).not.toMatch(/ ERROR /);
      return done;
    } finally {
      await stop(program);
    }
  };
  const certificates = async () => {
    const authority = await makeAuthority();
    const { cert_file, key_file } = await files.store("server", await authority.issue());
    return {
      ca: await files.write("ca.pem", authority.cert),
      variables: {
        MAHAVISHNU_TLS_ENABLED: "true",
        MAHAVISHNU_CERT_FILE: cert_file,
        MAHAVISHNU_KEY_FILE: key_file,
      },
    };
  };
  const passed = (check: string, saw: unknown = expect.anything()) => ({ check, passed: true, saw });

  test("passes a server without TLS", async () => {
    for (const { code, lines } of await verify({ MAHAVISHNU_JWT_SECRET: SECRET })) {
      expect(lines).toEqual([
        passed("health", "healthy"),
        passed("metrics"),
        passed("websocket", "event"),
        passed("tls_versions", "off"),
        passed("environment", { tls: false, auth: false }),
      ]);
      expect(code).toBe(0);
    }
  }, PATIENCE);

  test(
    "passes a server with TLS 1.2 and 1.3, and with authentication for whoever brings a token",
    async () => {
      const { ca, variables } = await certificates();
      const environment = { ...variables, MAHAVISHNU_AUTH_ENABLED: "true", MAHAVISHNU_JWT_SECRET: SECRET };
      for (const { code, lines } of await verify(environment, ["--ca", ca, "--token", await token()])) {
        expect(lines).toEqual([
          passed("health", "healthy"),
          passed("metrics"),
          passed("websocket", "event"),
          passed("tls_versions", ["TLSv1.2", "TLSv1.3"]),
          passed("environment", { tls: true, auth: true }),
        ]);
        expect(code).toBe(0);
      }
    },
    PATIENCE,
  );

  test("is told nothing but health where authentication is required and it brings no token", async () => {
    for (
      const { code, lines } of await verify({
        MAHAVISHNU_AUTH_ENABLED: "true",
        MAHAVISHNU_JWT_SECRET: SECRET,
      })
    ) {
      expect(code).toBe(1);
      expect(lines.map(({ check, passed }) => [check, passed])).toEqual([
        ["health", true],
        ["metrics", false],
        ["websocket", false],
        ["tls_versions", true],
        ["environment", true],
      ]);
      expect(lines[1].saw).toContain("401");
    }
  }, PATIENCE);
});
