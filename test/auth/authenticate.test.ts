import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  AUTH_TEXTS,
  authenticateHeader,
  authenticateToken,
  parseBearer,
} from "../../src/auth/authenticate.ts";
import { createToken, createVerifier } from "../../src/auth/token.ts";
import { ANONYMOUS } from "../../src/ports/call.ts";
import { FakeClock } from "../support/fake-clock.ts";

async function setUp() {
  const clock = new FakeClock();
  const verify = createVerifier({ secret: "s", service: "dhruva", clock });
  const token = await createToken({
    secret: "s",
    userId: "ada",
    permissions: ["read"],
    expiresInSeconds: 5,
    clock,
  });
  return { clock, verify, token };
}

describe("parseBearer", () => {
  test("parseBearer takes the token out, whatever the case of the scheme", () => {
    for (const header of ["Bearer a.b-c_d", "bearer   a.b-c_d", " BEARER a.b-c_d "]) {
      expect(parseBearer(header)).toEqual({ kind: "token", token: "a.b-c_d" });
    }
  });

  test("parseBearer tells another scheme from a bearer without a proper token", () => {
    for (const header of [null, undefined, "", "Basic YTpi", "Bearerx a", "a.b.c"]) {
      expect(parseBearer(header)).toEqual({ kind: "absent" });
    }
    for (
      const header of [
        "Bearer",
        "Bearer ",
        "Bearer a b",
        "Bearer a, Bearer b",
        'Bearer "a"',
        "Bearer,a",
        "Bearer\ta",
      ]
    ) {
      expect(parseBearer(header)).toEqual({ kind: "malformed" });
    }
  });

  test("parseBearer takes any header", () => {
    fc.assert(fc.property(fc.string(), (text) => {
      const bearer = parseBearer(`Bearer ${text}`);
      if (bearer.kind === "token") expect(bearer.token).toBe(text.trim());
    }));
  });
});

describe("authenticateHeader", () => {
  test("authenticateHeader knows the owner of a good token", async () => {
    const { clock, verify, token } = await setUp();
    expect(await authenticateHeader(`Bearer ${token}`, verify)).toEqual({
      ok: true,
      identity: { userId: "ada", permissions: ["read"], authenticated: true },
      expiresAt: clock.now() + 5000,
    });
  });

  test("authenticateHeader takes a caller who shows nothing for anonymous", async () => {
    const { verify, token } = await setUp();
    const anonymous = { ok: true, identity: ANONYMOUS, expiresAt: null };
    expect(await authenticateHeader(undefined, verify)).toEqual(anonymous);
    expect(await authenticateHeader("Basic YTpi", verify)).toEqual(anonymous);
    expect(await authenticateHeader(`Bearer ${token}`, null)).toEqual(anonymous);
  });

  test("authenticateHeader refuses a bad bearer", async () => {
    const { clock, verify, token } = await setUp();
    expect(await authenticateHeader("Bearer", verify)).toEqual({ ok: false, text: AUTH_TEXTS.malformed });
    expect(await authenticateHeader("Bearer nonsense", verify)).toEqual({
      ok: false,
      text: AUTH_TEXTS.invalid,
    });
    clock.advance(5000);
    expect(await authenticateHeader(`Bearer ${token}`, verify)).toEqual({
      ok: false,
      text: AUTH_TEXTS.invalid,
    });
  });
});

describe("authenticateToken", () => {
  test("authenticateToken answers with the text that fits", async () => {
    const { verify, token } = await setUp();
    expect(await authenticateToken(token, verify)).toMatchObject({ ok: true, identity: { userId: "ada" } });
    for (const missing of [undefined, null, "", 5, {}]) {
      expect(await authenticateToken(missing, verify)).toEqual({ ok: false, text: AUTH_TEXTS.malformed });
    }
    expect(await authenticateToken(`${token}x`, verify)).toEqual({ ok: false, text: AUTH_TEXTS.invalid });
  });

  test("AUTH_TEXTS has the sentences and codes that existing clients know", () => {
    expect(
      Object.values(AUTH_TEXTS).map(({ error, closeCode, closeReason }) =>
        `${error?.code} ${error?.message} ${closeCode} ${closeReason}`
      ),
    ).toEqual([
      "AUTH_FAILED Missing or malformed auth token 1008 Authentication failed",
      "AUTH_FAILED Invalid or expired token 1008 Authentication failed",
      // Python's layer knows no keys out of reach: how such a connection ends tells a client to come back.
      "NOT_AVAILABLE The token cannot be checked at the moment: try again later 1011 Authentication error",
      "AUTH_REQUIRED Authentication required 1008 Authentication required",
      "undefined undefined 1011 Authentication error",
      "AUTH_REQUIRED Authentication required 1008 Authentication required",
    ]);
  });
});
