import { webcrypto } from "node:crypto";
import { createContext, runInContext } from "node:vm";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { SessionBuddyWebSocketServer } from "../../services/session-buddy/mod.ts";
import type { sessionBuddy } from "../../services/session-buddy/contract.ts";
import type * as client from "../../src/client/mod.ts";
import { type RunningService, startService } from "../suite/running-service.ts";
import { hasRuntime } from "../support/start-program.ts";
import { type BrowserBundle, bundleForBrowsers } from "./browser-bundle.ts";

const MAX_GZIPPED_BYTES = 6_144;

/** Without the word before the braces: names of the module, and what the bundle calls them. */
const EXPORTS = /export\{([^{}]*)\};?\s*$/;

/** Run an ES module without imports where nothing is known but what it is given. */
function load(text: string, globals: object): typeof client {
  const [, list = ""] = EXPORTS.exec(text) ?? [];
  const members = list.split(",").map((row) => row.trim().split(" as ")).map(([inner, outer = inner]) => {
    return `${outer}:${inner}`;
  });
  return runInContext(
    `(() => {"use strict"; ${text.replace(EXPORTS, "")}
    return {${members}}; })()`,
    createContext(globals),
  );
}

describe.runIf(hasRuntime("bun"))("the client for browsers", () => {
  let bundle: BrowserBundle;
  let service: RunningService;
  beforeAll(async () => {
    bundle = bundleForBrowsers();
    service = await startService({ name: "session-buddy", Server: SessionBuddyWebSocketServer });
  }, 60_000);
  afterAll(() => service.stop());

  it(`has at most ${MAX_GZIPPED_BYTES} bytes, minified and gzipped`, () => {
    const size = gzipSync(bundle.text, { level: 9 }).length;
    console.log(`client for browsers: ${size} bytes gzipped, ${bundle.text.length} minified`);
    expect(size).toBeLessThanOrEqual(MAX_GZIPPED_BYTES);
  });

  it("is made of the client, the protocol and the ports, and of no package", () => {
    expect(bundle.inputs).toContain("src/client/mod.ts");
    expect(bundle.inputs.filter((path) => !/^src\/(client|protocol|ports)\//.test(path))).toEqual([]);
    // The first brings `ws`, the second valibot.
    for (const path of ["src/client/node.ts", "src/protocol/contract.ts"]) {
      expect(bundle.inputs).not.toContain(path);
    }
  });

  it("names nothing of Node, and imports nothing", () => {
    expect(bundle.text).toMatch(EXPORTS);
    for (
      const word of [
        /\bnode:/,
        /\bprocess\b/,
        /\bBuffer\b/,
        /\brequire\b/,
        /\bimport\b/,
        /\bvalibot\b/,
        /["']ws["']/,
      ]
    ) {
      expect(bundle.text).not.toMatch(word);
    }
  });

  it("connects, subscribes, asks and hears where there is nothing but what browsers have", async () => {
    const { createClient } = load(bundle.text, {
      WebSocket,
      crypto: webcrypto,
      performance,
      TextEncoder,
      setTimeout,
      clearTimeout,
      setInterval,
      clearInterval,
    });
    const client = createClient<typeof sessionBuddy>({ url: service.url });
    try {
      const sessions = client.subscribe("session:*");
      expect(await sessions.ready).toMatchObject({ recovered: null, position: { seq: 0 } });
      const asked = client.request("start_session", { session_id: "page", project: "browser" });
      for await (const item of sessions) {
        expect(item).toMatchObject({
          type: "event",
          event: "session.created",
          channel: "session:page",
          data: { session_id: "page", project: "browser" },
        });
        break;
      }
      expect(await asked).toMatchObject({ session_id: "page", version: 1 });
    } finally {
      client.close();
    }
  });
});
