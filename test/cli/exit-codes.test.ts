/**
 * Exit codes of docs/command-line.md that no other test of a command sees.
 */
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocketServer } from "ws";
import { useBuiltScratch } from "../support/built-scratch.ts";
import { type ServedService, serveIn } from "../support/cli-service.ts";
import { runCommand, startCommand } from "../support/command-process.ts";

const PATIENCE_MS = 120_000;

const scratch = useBuiltScratch();

describe("A service that takes connections and answers nothing", { timeout: PATIENCE_MS }, () => {
  let silent: WebSocketServer;
  let words: string[];
  beforeAll(async () => {
    silent = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    await once(silent, "listening");
    words = ["--url", `ws://127.0.0.1:${(silent.address() as AddressInfo).port}`];
  });
  afterAll(() => {
    for (const client of silent.clients) client.terminate();
    silent.close();
  });

  test("ends record with 130 by Ctrl-C, and leaves no file", async () => {
    const record = startCommand(["record", "akosha", "anomalies", ...words, "--output", "none.ndjson"], {
      folder: scratch.folder,
    });
    const [socket] = await once(silent, "connection");
    // It asks for its channel: from here on it listens to signals.
    await once(socket, "message");
    record.kill("SIGINT");
    expect(await record.ended).toEqual({
      code: 130,
      stdout: "",
      stderr: "Stopped before the service answered: nothing is recorded\n",
    });
  });

  test.each([
    [["request", "akosha", "get_status"]],
    [["publish", "mahavishnu", "system.announcement", "message=hello"]],
  ])("ends %j with 3 when its time is over", async (command) => {
    const { code, stdout, stderr } = await runCommand([...command, ...words, "--timeout", "500ms"], {
      folder: scratch.folder,
    });
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr).toMatch(/^\w+: No answer in 500 ms\n$/);
  });
});

describe("A service that wants a token", { timeout: PATIENCE_MS }, () => {
  let service: ServedService;
  let here: { readonly folder: string };
  beforeAll(async () => {
    const folder = join(scratch.folder, "guarded");
    here = { folder: join(scratch.folder, "elsewhere") };
    await Promise.all([mkdir(folder), mkdir(here.folder)]);
    const auth = { required: true, secret: "a secret of more than 32 bytes, that only this file knows" };
    service = await serveIn({ service: "mahavishnu", folder, settings: { auth } });
  }, PATIENCE_MS);
  afterAll(() => service.stop());

  test.each([
    [["request", "mahavishnu", "get_status"]],
    [["publish", "mahavishnu", "system.announcement", "message=hello"]],
    [["tail", "mahavishnu", "global"]],
    [["record", "mahavishnu", "global", "--output", "none.ndjson"]],
  ])("ends %j with 4", async (command) => {
    const { code, stdout, stderr } = await runCommand([...command, "--url", service.websocket], here);
    expect([code, stdout]).toEqual([4, ""]);
    expect(stderr).toMatch(/AUTH_REQUIRED/);
  });

  test("ends status with 4", async () => {
    const { code, stdout } = await runCommand(["status", "mahavishnu", "--url", service.http], here);
    expect([code, stdout]).toEqual([4, expect.stringContaining("wants a token to say more")]);
  });
});
