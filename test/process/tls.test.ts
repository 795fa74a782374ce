/**
 * Services that speak TLS, as a person starts them, on every runtime.
 */
import type { X509Certificate } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { connect } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildOnce } from "../support/build-once.ts";
import { type Authority, type Files, makeAuthority, makeFiles } from "../support/certificates.ts";
import { FrameClient, refusedUpgrade } from "../support/frame-client.ts";
import { get, post, type TlsClient } from "../support/http-client.ts";
import { startPython } from "../support/python-program.ts";
import { pythonPath, requireOrSkip } from "../support/require.ts";
import { makeScratch, runToEnd, type Scratch, serve, type Serving } from "../support/serve-process.ts";
import { hasRuntime, type RuntimeName, startProgram } from "../support/start-program.ts";

const AGENT = new URL("./tls-agent-program.ts", import.meta.url).pathname;
const PATIENCE = 120_000;

let scratch: Scratch;
let files: Files;
let authority: Authority;
let named: { cert_file: string; key_file: string };
let trust: TlsClient;
beforeAll(async () => {
  await buildOnce();
  scratch = await makeScratch();
  files = await makeFiles();
  authority = await makeAuthority();
  named = await files.store("server", await authority.issue());
  await files.write("ca.pem", authority.cert);
  trust = { ca: authority.cert };
}, PATIENCE);
afterAll(async () => {
  await scratch?.remove();
  await files?.remove();
});

/** Variables that existing deployments set. */
const variables = (prefix = "SESSION_BUDDY_WS") => ({
  [`${prefix}_TLS_ENABLED`]: "true",
  [`${prefix}_CERT_FILE`]: named.cert_file,
  [`${prefix}_KEY_FILE`]: named.key_file,
});

/** What the clients of `tls-agent-program.ts` are answered, which trust `certificate`. */
async function askAs(
  runtime: RuntimeName,
  { websocket, mcp }: Serving,
  certificate: string,
): Promise<unknown> {
  const agent = await startProgram<unknown>(runtime, AGENT, {
    args: [websocket, mcp],
    environment: { [runtime === "deno" ? "DENO_CERT" : "NODE_EXTRA_CA_CERTS"]: certificate },
  });
  await agent.ended;
  return agent.ready;
}

async function stop(program: Serving): Promise<void> {
  program.kill("SIGTERM");
  expect(await program.ended).toMatchObject({ code: 0, complaints: [] });
}

describe.each<RuntimeName>(["node", "deno", "bun"])("serve with TLS on %s", (runtime) => {
  it.runIf(hasRuntime(runtime))(
    "prints addresses of wss and https, and serves there whoever checks its certificate",
    async () => {
      const program = await serve(runtime, {
        args: ["session-buddy", ...scratch.flags(`tls-${runtime}`)],
        environment: { ...variables(), SESSION_BUDDY_JWT_SECRET: "a secret for this test only" },
        lifetimeMs: PATIENCE,
      });
      const { websocket, http, mcp } = program;
      expect([websocket, http, mcp]).toEqual([
        expect.stringMatching(/^wss:\/\/127\.0\.0\.1:\d+$/),
        expect.stringMatching(/^https:\/\/127\.0\.0\.1:\d+$/),
        `${http}/mcp`,
      ]);
      const readers = await Promise.all(
        [websocket, `${http.replace("https", "wss")}/ws`].map((url) => FrameClient.open(url, trust)),
      );
      for (const reader of readers) await reader.request("subscribe", { channel: "session:s1" });
      const made = await post(
        `${http}/api/requests/start_session`,
        { session_id: "s1", project: "tls" },
        {},
        trust,
      );
      expect(made).toMatchObject({ status: 200, body: { session_id: "s1", version: 1 } });
      for (const reader of readers) {
        expect((await reader.event("session.created", "session:s1")).data.project).toBe("tls");
      }

      readers[1]!.send("x".repeat(1_048_577));
      expect((await readers[1]!.closed).code).toBe(1009);
      const origin = "https://evil.example";
      expect((await refusedUpgrade(websocket, { ...trust, origin })).status).toBe(403);
      expect((await get(`${http}/health`, { origin }, trust)).status).toBe(403);
      const headers = { authorization: "Bearer none" };
      expect((await refusedUpgrade(websocket, { ...trust, headers })).status).toBe(401);

      expect(await askAs("node", program, files.path("ca.pem"))).toMatchObject({
        status: { service: "session-buddy", connections: 2 },
        tool: { running: true, connections: 2, secure: true, uri: websocket },
      });

      program.kill("SIGTERM");
      expect((await readers[0]!.closed).code).toBe(1001);
      expect(await program.ended).toMatchObject({ code: 0, complaints: [] });
    },
    PATIENCE,
  );

  it.runIf(hasRuntime(runtime))(
    "makes a certificate for development, whose fingerprint is in the log, and keeps its key to itself",
    async () => {
      const program = await serve(runtime, {
        args: ["session-buddy", "--dev-certificate", ...scratch.flags(`dev-${runtime}`)],
        folder: scratch.folder,
        lifetimeMs: PATIENCE,
      });
      const { port } = new URL(program.websocket);
      const certificate = await new Promise<X509Certificate>((resolve, reject) => {
        const socket = connect({ host: "127.0.0.1", port: Number(port), rejectUnauthorized: false });
        socket.on("error", reject);
        socket.on("secureConnect", () => {
          resolve(socket.getPeerX509Certificate()!);
          socket.destroy();
        });
      });
      expect(program.stderr()).toContain(`fingerprint=${certificate.fingerprint256}`);
      // Whoever has compared it may trust it.
      const compared = { ca: certificate.toString() };
      const client = await FrameClient.open(program.websocket, compared);
      await client.close();
      for (const name of ["localhost", "127.0.0.1"]) {
        const url = `${program.http.replace("127.0.0.1", name)}/health`;
        expect((await get(url, {}, compared)).status).toBe(200);
      }
      await stop(program);
      expect(program.stdout() + program.stderr()).not.toContain("PRIVATE KEY");
    },
    PATIENCE,
  );
});

it("reads the variables without _WS, and the block of the settings file", async () => {
  const byVariables = await serve("node", {
    args: ["session-buddy", ...scratch.flags("variables")],
    environment: variables("SESSION_BUDDY"),
  });
  expect((await get(`${byVariables.http}/health`, {}, trust)).status).toBe(200);
  await stop(byVariables);

  const file = join(scratch.folder, "tls.yaml");
  await writeFile(file, `tls:\n  cert_file: ${named.cert_file}\n  key_file: ${named.key_file}\n`);
  const byFile = await serve("node", {
    args: ["session-buddy", "--settings", file, ...scratch.flags("file")],
  });
  expect((await get(`${byFile.http}/health`, {}, trust)).status).toBe(200);
  await stop(byFile);
}, PATIENCE);

it("gives all services of a process one certificate for development", async () => {
  const program = await serve("node", {
    args: [
      "session-buddy",
      "dhruva",
      "--dev-certificate",
      ...scratch.flags("two").slice(0, 4),
      "--storage",
      ":memory:",
    ],
    folder: scratch.folder,
  });
  const fingerprints = [...program.stderr().matchAll(/fingerprint=(\S+)/g)].map((match) => match[1]);
  expect(fingerprints).toHaveLength(2);
  expect(new Set(fingerprints).size).toBe(1);
  await stop(program);
}, PATIENCE);

it(
  "ends with a sentence where the settings do not go together, and where a file cannot be used",
  async () => {
    const usage = await runToEnd("node", {
      args: ["session-buddy", ...scratch.flags("usage")],
      environment: { SESSION_BUDDY_TLS_ENABLED: "true" },
    });
    expect(usage).toMatchObject({
      code: 2,
      stdout: "",
      stderr:
        "SESSION_BUDDY_TLS_ENABLED: tls.enabled: expected a certificate and its key beside it (tls.cert_file, " +
        "tls.key_file), got none: name both, or start with --dev-certificate for one that is made at the start\n",
    });

    const beyond = await runToEnd("node", {
      args: ["session-buddy", "--host", "0.0.0.0", "--dev-certificate", ...scratch.flags("beyond")],
    });
    expect(beyond).toMatchObject({ code: 2, stdout: "" });
    expect(beyond.stderr).toContain("beyond this machine authentication (auth.required) must be on");

    const other = await files.store("other", await authority.issue());
    const wrong = await runToEnd("node", {
      args: ["session-buddy", ...scratch.flags("wrong")],
      environment: { ...variables(), SESSION_BUDDY_WS_KEY_FILE: other.key_file },
    });
    expect(wrong).toMatchObject({
      code: 1,
      stdout: "",
      stderr:
        `Cannot use the key "${other.key_file}": it is not that of the certificate "${named.cert_file}"; ` +
        "name the key that belongs to it\n",
    });
    expect(wrong.stderr).not.toContain((await readFile(other.key_file, "utf8")).split("\n")[1]);
  },
  PATIENCE,
);

describe("a certificate for development that is kept", () => {
  const hasPython = requireOrSkip(
    "Python",
    pythonPath() !== undefined,
    "run .venv/bin/pip install websockets pydantic",
  );

  async function serveKept(runtime: RuntimeName): Promise<{ program: Serving; certificate: string }> {
    const certificate = join(scratch.folder, "kept.pem");
    const program = await serve(runtime, {
      args: ["session-buddy", "--dev-certificate", ...scratch.flags(`kept-${runtime}`)],
      environment: {
        SESSION_BUDDY_CERT_FILE: certificate,
        SESSION_BUDDY_KEY_FILE: join(scratch.folder, "kept.key"),
      },
      lifetimeMs: PATIENCE,
    });
    return { program, certificate };
  }

  for (const runtime of ["node", "deno", "bun"] as const) {
    it.runIf(hasRuntime(runtime))(`can be trusted by clients on ${runtime}`, async () => {
      const { program, certificate } = await serveKept("node");
      expect(await askAs(runtime, program, certificate)).toMatchObject({ tool: { secure: true } });
      await stop(program);
    }, PATIENCE);

    it.runIf(hasRuntime(runtime) && hasPython)(
      `of a server on ${runtime} can be trusted by Python's websockets, by its address`,
      async () => {
        const { program, certificate } = await serveKept(runtime);
        expect(new URL(program.websocket).hostname).toBe("127.0.0.1");
        const python = startPython("tls_client.py", [], { url: program.websocket, ca: certificate });
        const seen = JSON.parse(await python.line((line) => line.startsWith("{")));
        expect(seen).toMatchObject({
          newest: "TLSv1.3",
          older: "TLSv1.2",
          untrusting: "SSLCertVerificationError",
        });
        expect(seen.plain).toMatch(
          /^(InvalidMessage|InvalidHandshake|ConnectionReset|EOFError|ConnectionClosed)/,
        );
        expect(await python.ended).toBe(0);
        await stop(program);
      },
      PATIENCE,
    );
  }
});
