import { describe, expect, it } from "vitest";
import { createVerifier } from "../../src/auth/token.ts";
import { credentialsFor } from "../../src/cli/mcp/credentials.ts";
import type { Settings } from "../../src/settings/schema.ts";
import { FakeClock } from "../support/fake-clock.ts";

const SECRET = "a secret that only this file knows";

function credentials(auth: Partial<Settings["auth"]>, token?: string) {
  const clock = new FakeClock();
  const made = credentialsFor({ service: "akosha", auth: auth as Settings["auth"], token, clock });
  const header = async () => (await made.headers()).Authorization;
  return { clock, header, advice: made.advice };
}

describe("credentialsFor", () => {
  it("says nothing where nobody asks, or no secret is known", async () => {
    expect(await credentials({ required: false, secret: SECRET }).header()).toBeUndefined();
    const { header, advice } = credentials({ required: true });
    expect(await header()).toBeUndefined();
    expect(advice).toBe("give a token of akosha in MCP_REALTIME_TOKEN");
  });

  it("prefers the token that it is given", async () => {
    const { header } = credentials({ required: true, secret: SECRET }, "given");
    expect(await header()).toBe("Bearer given");
  });

  it("refuses what is no token, and does not show it", async () => {
    const asked = credentials({ required: true }, "hush\nhush").header();
    await expect(asked).rejects.toThrow(
      /^MCP_REALTIME_TOKEN: expected one token, got a text with line breaks/,
    );
    await expect(asked).rejects.not.toThrow("hush");
    expect(await credentials({ required: true }, "given\n").header()).toBe("Bearer given");
  });

  it("makes a short-lived token for the user stdio, and another one at half of its life", async () => {
    const { clock, header } = credentials({ required: true, secret: SECRET });
    const first = await header();
    const verify = createVerifier({ secret: SECRET, service: "akosha", clock });
    expect(await verify(first!.replace("Bearer ", ""))).toEqual({
      ok: true,
      identity: { userId: "stdio", permissions: ["akosha:admin"], authenticated: true },
      expiresAt: clock.now() + 600_000,
    });
    clock.advance(299_000);
    expect(await header()).toBe(first);
    clock.advance(1_000);
    expect(await header()).not.toBe(first);
  });
});
