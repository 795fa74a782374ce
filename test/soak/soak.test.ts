import { beforeAll, describe, expect, it } from "vitest";
import { buildOnce } from "../support/build-once.ts";
import { requireOrSkip } from "../support/require.ts";
import { soak, soakReport } from "./soak.ts";

/** The same program as `npm run soak -- --minutes 30`, for as long as a test may take. */
const SECONDS = 40;

/** The server is Node's whatever runs the tests: once is enough. */
const isNode = !("Deno" in globalThis) && !("Bun" in globalThis);
const isLinux = requireOrSkip("Linux", process.platform === "linux", "run it there");

describe.runIf(isNode && isLinux)("soak", () => {
  beforeAll(buildOnce, 120_000);

  it("leaves a server with the memory, handles, timers, rooms and connections that it had", async () => {
    const result = await soak({ seconds: SECONDS });
    expect(result.faults, soakReport(result)).toEqual([]);
    // All have been there, and what is to be refused was.
    for (
      const what of ["session-buddy", "mahavishnu", "akosha", "crackerjack", "dhruva", "excalidraw", "agents"]
    ) {
      expect(result.counts[what], what).toBeGreaterThan(3);
    }
    for (const what of ["looks", "bad frames", "vanished", "broken beginnings", "slow"]) {
      expect(result.counts[what], what).toBeGreaterThan(0);
    }
  }, 600_000);
});
