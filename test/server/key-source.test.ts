/**
 * Reading a key set over a real connection, from a server that does not always behave.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../src/ports/clock.ts";
import { detectRuntime } from "../../src/runtimes/detect.ts";
import { fetchKeySet, readKeyFile } from "../../src/server/key-source.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { KeyServer } from "../support/issuer.ts";

let server: KeyServer;

beforeAll(async () => {
  server = await KeyServer.start('{"keys":[]}');
});
afterEach(() => {
  server.answer = null;
});
afterAll(() => server.stop());

describe("fetchKeySet", () => {
  const fetched = () => fetchKeySet(server.url, systemClock);

  test("gives the text that stands at the address", async () => {
    expect(await fetched()).toBe('{"keys":[]}');
  });

  test.each([301, 302, 303, 307, 308])("does not follow a redirect with status %i", async (status) => {
    const before = server.requests;
    server.answer = (response, path) => {
      if (path === "/keys.json") response.writeHead(status, { Location: "/elsewhere" }).end();
      else response.end('{"keys":["of somebody else"]}');
    };
    await expect(fetched()).rejects.toThrow(/^an answer with status 200, got (\d+|a redirect)$/);
    expect(server.requests).toBe(before + 1);
  });

  test.each([404, 500, 503])("takes nothing from an answer with status %i", async (status) => {
    server.answer = (response) => void response.writeHead(status).end('{"keys":[]}');
    await expect(fetched()).rejects.toThrow(`an answer with status 200, got ${status}`);
  });

  test(
    "takes a key set of just the greatest size, and stops reading a larger one, also one without an end",
    async () => {
      server.answer = (response) => void response.end("x".repeat(262_144));
      expect(await fetched()).toHaveLength(262_144);
      server.answer = (response) => void response.end("x".repeat(262_145));
      await expect(fetched()).rejects.toThrow("at most 262144 bytes, got more");
      let cut = () => {};
      const isCut = new Promise<void>((resolve) => cut = resolve);
      server.answer = (response) => {
        response.on("close", cut);
        const more = () => void response.write("x".repeat(65_536), (error) => error ?? setImmediate(more));
        more();
      };
      await expect(fetched()).rejects.toThrow("at most 262144 bytes, got more");
      await isCut;
    },
    30_000,
  );

  test("gives up after five seconds, whether the answer does not begin or does not end", async () => {
    for (const begins of [false, true]) {
      const clock = new FakeClock();
      let gone = () => {};
      const isGone = new Promise<void>((resolve) => gone = resolve);
      server.answer = (response) => {
        response.on("close", gone);
        if (begins) response.write('{"keys":');
      };
      const asked = server.asked();
      const outcome = fetchKeySet(server.url, clock).catch((error: Error) => error.message);
      await asked;
      clock.advance(4_999);
      expect(clock.pending).toBe(1);
      clock.advance(1);
      expect(await outcome).toBe("an answer within 5 seconds, got none");
      await isGone;
      expect(clock.pending).toBe(0);
    }
  }, 30_000);

  test("says in a sentence that nobody answers, that an answer broke off, and that it is no text", async () => {
    server.answer = (response) => void response.socket!.destroy();
    await expect(fetched()).rejects.toThrow(/^an answer, got none: ./);
    server.answer = (response) => {
      response.writeHead(200, { "Content-Length": "100" });
      response.write("{", () => response.socket!.destroy());
    };
    await expect(fetched()).rejects.toThrow(/^(a whole answer|an answer), got (a part of one|none: .)/);
    server.answer = (response) => void response.end(new Uint8Array([0xff, 0xfe]));
    await expect(fetched()).rejects.toThrow(/^an answer/);
    const gone = await KeyServer.start("");
    const { url } = gone;
    await gone.stop();
    await expect(fetchKeySet(url, systemClock)).rejects.toThrow(/^an answer, got none: ./);
  });
});

describe("readKeyFile", () => {
  test("reads a file, and says what is wrong with one that it cannot use", async () => {
    const folder = await mkdtemp(join(tmpdir(), "realtime-keys-"));
    try {
      const { files } = await detectRuntime();
      const path = join(folder, "keys.json");
      await expect(readKeyFile(path, files)).rejects.toThrow(`a file, got "${path}", which does not exist`);
      await writeFile(path, "{}");
      expect(await readKeyFile(path, files)).toBe("{}");
      await writeFile(path, "x".repeat(262_145));
      await expect(readKeyFile(path, files)).rejects.toThrow(
        "a file of at most 262144 bytes, got a larger one",
      );
      await expect(readKeyFile(folder, files)).rejects.toThrow(
        /^a file that can be read, got: .*realtime-keys-/,
      );
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
