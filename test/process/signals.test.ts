/**
 * What SIGHUP and a second SIGTERM do to real processes.
 */
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { useBuiltScratch } from "../support/built-scratch.ts";
import { makeAuthority, makeFiles } from "../support/certificates.ts";
import { FrameClient, refusedUpgrade } from "../support/frame-client.ts";
import { serve, type Serving } from "../support/serve-process.ts";
import { hasRuntime, type RuntimeName } from "../support/start-program.ts";

const PATIENCE_MS = 60_000;

const scratch = useBuiltScratch();

/** Resolves when standard error holds `part` so many times. */
async function logged({ stderr, ended }: Serving, part: string, times = 1): Promise<void> {
  const late = Date.now() + PATIENCE_MS / 2;
  let over = false;
  void ended.then(() => over = true);
  while (stderr().split(part).length <= times) {
    if (over || Date.now() > late) throw new Error(`Expected '${part}' in the log, got: ${stderr()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe.each<RuntimeName>(["node", "deno", "bun"])("serve on %s", { timeout: PATIENCE_MS }, (runtime) => {
  it.runIf(hasRuntime(runtime))(
    "reads its settings again on SIGHUP, and a wrong file changes nothing",
    async () => {
      const file = join(scratch.folder, `${runtime}.yaml`);
      const settings = async (text: string) => await writeFile(file, text);
      await settings("log: { level: info }\n");
      const program = await serve(runtime, {
        entry: "session-buddy",
        args: ["--settings", file, ...scratch.flags(`signals-${runtime}`)],
        lifetimeMs: PATIENCE_MS,
      });
      const page = { origin: "https://page.example" };
      const client = await FrameClient.open(program.websocket);
      expect((await refusedUpgrade(program.websocket, page)).status).toBe(403);

      await settings("origins: { allowed: ['https://page.example'] }\nhistory: { events: 7 }\n");
      program.kill("SIGHUP");
      await logged(program, "Settings have changed service=session-buddy changed=origins.allowed");
      await logged(
        program,
        "Settings change with the next start only service=session-buddy settings=history.events",
      );
      await (await FrameClient.open(program.websocket, page)).close();

      await settings("origins: { allowed: [] }\nhistory: { evnts: 7 }\n");
      program.kill("SIGHUP");
      await logged(program, "The settings were read again and cannot be used: nothing has changed");
      await logged(program, 'did you mean \\"events\\"?');
      await (await FrameClient.open(program.websocket, page)).close();

      await settings("");
      program.kill("SIGHUP");
      await logged(program, "expected the settings file that was there before, got an empty one");
      await (await FrameClient.open(program.websocket, page)).close();

      await settings("origins: { allowed: ['https://page.example'] }\n");
      program.kill("SIGHUP");
      await logged(program, "Settings were read again: nothing has changed");
      expect((await client.request("get_status")).type).toBe("response");
      program.kill("SIGTERM");
      expect(await client.closed).toMatchObject({ code: 1001 });
      expect((await program.ended).code).toBe(0);
    },
  );

  it.runIf(hasRuntime(runtime))("shows a renewed certificate, or says that it needs a restart", async () => {
    const files = await makeFiles();
    onTestFinished(() => files.remove());
    const [first, second] = [await makeAuthority(), await makeAuthority()];
    const { cert_file, key_file } = await files.store("server", await first.issue());
    const program = await serve(runtime, {
      entry: "session-buddy",
      args: scratch.flags(`renewal-${runtime}`),
      environment: { SESSION_BUDDY_CERT_FILE: cert_file, SESSION_BUDDY_KEY_FILE: key_file },
      lifetimeMs: PATIENCE_MS,
    });
    const staying = await FrameClient.open(program.websocket, { ca: first.cert });
    await files.store("server", await second.issue());
    program.kill("SIGHUP");
    const isRenewed = runtime !== "bun";
    const named = `"the certificate ${cert_file}"`;
    await logged(
      program,
      isRenewed
        ? `Settings have changed service=session-buddy changed=${named}`
        : `Settings change with the next start only service=session-buddy settings=${named}`,
    );
    const trusted = isRenewed ? second : first;
    await (await FrameClient.open(program.websocket, { ca: trusted.cert })).close();
    expect((await staying.request("get_status")).type).toBe("response");
    program.kill("SIGTERM");
    expect((await program.ended).code).toBe(0);
  });

  it.runIf(hasRuntime(runtime))("ends at once at a second signal", async () => {
    const program = await serve(runtime, {
      args: ["session-buddy", ...scratch.flags(`twice-${runtime}`)],
      lifetimeMs: PATIENCE_MS,
    });
    // A request whose body does not come is waited for.
    const { port } = new URL(program.http);
    const stalled = connect({ host: "127.0.0.1", port: Number(port) });
    const head = "Content-Type: application/json\r\nContent-Length: 9\r\nExpect: 100-continue";
    stalled.on("error", () => {});
    stalled.write(`POST /api/requests/list_sessions HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${head}\r\n\r\n`);
    const client = await FrameClient.open(program.websocket);
    await once(stalled, "data");
    program.kill("SIGTERM");
    expect(await client.closed).toMatchObject({ code: 1001 });
    program.kill("SIGTERM");
    const { code, stderr } = await program.ended;
    stalled.destroy();
    expect(stderr).toContain("Told to stop a second time: ended without waiting");
    expect(code).toBe(1);
  });
});

describe("serve on node", { timeout: PATIENCE_MS }, () => {
  it("changes the level of what its ports log, too", async () => {
    const file = join(scratch.folder, "level.yaml");
    const tls = "tls: { enabled: true, dev_certificate: true }\n";
    await writeFile(file, `${tls}log: { level: info }\n`);
    const program = await serve("node", {
      entry: "session-buddy",
      args: ["--settings", file, ...scratch.flags("level")],
      folder: scratch.folder,
      lifetimeMs: PATIENCE_MS,
    });
    onTestFinished(() => program.kill("SIGKILL"));
    await speakPlainly(program.websocket);
    await writeFile(file, `${tls}log: { level: debug }\n`);
    program.kill("SIGHUP");
    await logged(program, "Settings have changed service=session-buddy changed=log.level");
    expect(program.stderr()).not.toContain("A TLS handshake failed");
    await speakPlainly(program.websocket);
    await logged(program, "DEBUG A TLS handshake failed");
    program.kill("SIGTERM");
    expect((await program.ended).code).toBe(0);
  });
});

/** To a port that speaks TLS. Resolves when it has closed the connection. */
async function speakPlainly(address: string): Promise<void> {
  const { hostname, port } = new URL(address);
  const socket = connect(Number(port), hostname);
  const closed = once(socket, "close");
  socket.on("error", () => {}).resume().end("GET / HTTP/1.0\r\n\r\n");
  await closed;
}
