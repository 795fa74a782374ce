/** The example that watches, against a service that wants a token. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { createToken } from "../../src/auth/token.ts";
import { systemClock } from "../../src/ports/clock.ts";
import { buildOnce } from "../support/build-once.ts";
import { makeScratch, type Scratch, serve } from "../support/serve-process.ts";
import { START_TIMEOUT_MS, startExample } from "./running-example.ts";

const SECRET = "a secret of the test that is long enough";

let scratch: Scratch;
beforeAll(async () => {
  await buildOnce();
  scratch = await makeScratch();
}, 120_000);
afterAll(() => scratch?.remove());

it("watch.mjs shows the token of MCP_REALTIME_TOKEN to a service that wants one", async () => {
  const program = await serve("node", {
    entry: "session-buddy",
    args: ["--port", "0", "--http-port", "0", "--storage", ":memory:"],
    environment: { SESSION_BUDDY_JWT_SECRET: SECRET, SESSION_BUDDY_AUTH_ENABLED: "true" },
  });
  try {
    const token = await createToken({
      secret: SECRET,
      userId: "ada",
      permissions: ["session-buddy:read"],
      expiresInSeconds: 600,
      clock: systemClock,
    });
    const example = await startExample("node", "examples/watch.mjs", {
      isUp: /^watching|^closed/,
      args: [program.websocket, "session:*"],
      environment: { MCP_REALTIME_TOKEN: token },
    });
    expect(example.lines.at(-1)).toBe("watching session:*");
    await example.stop();
  } finally {
    program.kill("SIGKILL");
    await program.ended;
  }
}, 2 * START_TIMEOUT_MS);
