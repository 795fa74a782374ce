/**
 * How commands reach a service that speaks TLS, as a person runs them.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBuiltScratch } from "../support/built-scratch.ts";
import { makeAuthority } from "../support/certificates.ts";
import { type ServedService, serveIn } from "../support/cli-service.ts";
import { runCommand } from "../support/command-process.ts";
import { hasRuntime, type RuntimeName } from "../support/start-program.ts";

const PATIENCE_MS = 120_000;

const scratch = useBuiltScratch();
const services: ServedService[] = [];
/** One with a certificate that it has made itself, one with a certificate of an authority that nobody knows. */
let [own, issued]: ServedService[] = [];
beforeAll(async () => {
  const serveWith = async (name: string, dev_certificate: boolean) => {
    const folder = join(scratch.folder, name);
    await mkdir(folder, { recursive: true });
    const tls = { cert_file: "server.pem", key_file: "server.key", dev_certificate };
    const service = await serveIn({ folder, service: "session-buddy", settings: { tls } });
    services.push(service);
    return service;
  };
  own = await serveWith("own", true);
  const { cert, key } = await (await makeAuthority()).issue({ hosts: ["elsewhere.example.org"] });
  await mkdir(join(scratch.folder, "issued"));
  await writeFile(join(scratch.folder, "issued/server.pem"), cert);
  await writeFile(join(scratch.folder, "issued/server.key"), key, { mode: 0o600 });
  issued = await serveWith("issued", false);
}, PATIENCE_MS);
afterAll(() => Promise.all(services.map((service) => service.stop())));

describe.each<RuntimeName>(["node", "deno", "bun"])(
  "over TLS, on %s",
  { timeout: PATIENCE_MS },
  (runtime) => {
    it.skipIf(!hasRuntime(runtime))("commands trust the certificate that the settings name", async () => {
      // Deno takes one that somebody has issued only where it knows the issuer.
      for (const { here, websocket } of runtime === "deno" ? [own!] : [own!, issued!]) {
        expect(websocket).toMatch(/^wss:/);
        const asked = await runCommand(["request", "session-buddy", "get_status", "--json"], {
          ...here,
          runtime,
        });
        expect(asked).toMatchObject({ code: 0, stderr: "" });
        expect(JSON.parse(asked.stdout)).toMatchObject({ service: "session-buddy", running: true });
        const status = await runCommand(["status", "session-buddy", "--json"], { ...here, runtime });
        expect(status).toMatchObject({ code: 0, stderr: "" });
        expect(JSON.parse(status.stdout)).toMatchObject({ state: "ready", url: websocket });
      }
    });

    it.skipIf(!hasRuntime(runtime))("commands trust no other certificate", async () => {
      const words = ["request", "session-buddy", "get_status", "--url", own!.websocket];
      const { code, stdout, stderr } = await runCommand(words, { folder: scratch.folder, runtime });
      expect([code, stdout]).toEqual([1, ""]);
      expect(stderr).toMatch(/^Cannot reach session-buddy at wss:/);
      // With the file of another service.
      await writeFile(
        join(own!.here.folder, "other.pem"),
        await readFile(join(issued!.here.folder, "server.pem")),
      );
      const port = Number(new URL(own!.websocket).port);
      const settings = { websocket: { port }, tls: { cert_file: "other.pem", key_file: "server.key" } };
      await writeFile(join(own!.here.folder, "other.yaml"), JSON.stringify(settings));
      const mistaken = ["request", "session-buddy", "get_status", "--settings", "other.yaml"];
      expect(await runCommand(mistaken, { ...own!.here, runtime })).toMatchObject({ code: 1, stdout: "" });
    });
  },
);
