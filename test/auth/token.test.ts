import { createHmac } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createToken, createVerifier, MAX_TOKEN_LENGTH } from "../../src/auth/token.ts";
import { FakeClock } from "../support/fake-clock.ts";

const SECRET = "a secret that only this file knows";

function part(value: unknown): string {
  return Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
}

/** A token made without the code under test. Claims given as a string are taken as JSON text. */
function forge(
  claims: unknown,
  { header = { alg: "HS256", typ: "JWT" }, secret = SECRET, hash = "sha256" }: {
    header?: unknown;
    secret?: string;
    hash?: string;
  } = {},
): string {
  const signed = `${part(header)}.${part(claims)}`;
  return `${signed}.${createHmac(hash, secret).update(signed).digest("base64url")}`;
}

function setUp(options: { secret?: string; skewSeconds?: number } = {}) {
  const clock = new FakeClock();
  const verify = createVerifier({ secret: SECRET, service: "akosha", clock, ...options });
  return { clock, verify, now: clock.now() / 1000 };
}

const INVALID = { ok: false, reason: "invalid" };
const EXPIRED = { ok: false, reason: "expired" };
const MALFORMED = { ok: false, reason: "malformed" };

describe("createToken", () => {
  test("createToken makes a token that createVerifier accepts until it expires", async () => {
    const { clock, verify } = setUp();
    const token = await createToken({
      secret: SECRET,
      userId: "ada",
      permissions: ["akosha:read"],
      expiresInSeconds: 60,
      clock,
    });
    expect(await verify(token)).toEqual({
      ok: true,
      identity: { userId: "ada", permissions: ["akosha:read"], authenticated: true },
      expiresAt: clock.now() + 60_000,
    });
    clock.advance(59_999);
    expect(await verify(token)).toMatchObject({ ok: true });
    clock.advance(1);
    expect(await verify(token)).toEqual(EXPIRED);
  });

  test("createToken gives an hour where nothing else is said, and for ever where null is", async () => {
    const { clock, verify } = setUp();
    const base = { secret: SECRET, userId: null, permissions: [], clock };
    expect(await verify(await createToken(base))).toMatchObject({
      identity: { userId: null },
      expiresAt: clock.now() + 3_600_000,
    });
    expect(await verify(await createToken({ ...base, expiresInSeconds: null }))).toMatchObject({
      expiresAt: null,
    });
  });

  test("createToken and createVerifier take a secret that names a PEM file as it is", async () => {
    for (const secret of ["OUR PUBLIC word", "-----BEGIN PRIVATE KEY-----", "ключ", "x"]) {
      const { clock, verify } = setUp({ secret });
      const token = await createToken({ secret, userId: "ada", permissions: [], clock });
      expect(await verify(token)).toMatchObject({ ok: true });
      expect(await verify(forge({ user_id: "ada" }, { secret }))).toMatchObject({ ok: true });
    }
  });

  test("createToken and createVerifier refuse an empty secret", async () => {
    const clock = new FakeClock();
    expect(() => createVerifier({ secret: "", service: "akosha", clock })).toThrow(TypeError);
    await expect(createToken({ secret: "", userId: null, permissions: [], clock })).rejects.toThrow(
      TypeError,
    );
  });
});

describe("createVerifier", () => {
  test("a verifier reads the claims of both families", async () => {
    const { verify } = setUp();
    expect(await verify(forge({ user_id: "ada", permissions: ["read"] }))).toMatchObject({
      identity: { userId: "ada", permissions: ["read"], authenticated: true },
      expiresAt: null,
    });
    expect(await verify(forge({ sub: "bob", iss: "akosha", aud: "akosha", scopes: ["read", "admin"] })))
      .toMatchObject({ identity: { userId: "bob", permissions: ["read", "admin"] } });
    expect(await verify(forge({ user_id: "ada", sub: "bob", permissions: [], scopes: ["admin"] })))
      .toMatchObject({ identity: { userId: "ada", permissions: [] } });
    expect(await verify(forge({}))).toMatchObject({ identity: { userId: null, permissions: [] } });
  });

  test("a verifier compares permissions without blanks and in lower case", async () => {
    const { verify } = setUp();
    expect(await verify(forge({ permissions: [" Akosha:READ ", "", "  "] }))).toMatchObject({
      identity: { permissions: ["akosha:read"] },
    });
  });

  test("a verifier calls what is no text malformed", async () => {
    const { verify } = setUp();
    for (const token of [undefined, null, "", 5, true, {}, ["a"], 5n, Symbol("token")]) {
      expect(await verify(token)).toEqual(MALFORMED);
    }
  });

  test("a verifier refuses what is no token", async () => {
    const { verify } = setUp();
    const good = forge({ user_id: "ada" });
    const [header, claims, signature] = good.split(".") as [string, string, string];
    const bad = [
      "x",
      "..",
      "a.b.c",
      `${header}.${claims}`,
      `${header}.${claims}.`,
      `${good}.`,
      ` ${good}`,
      `${header}.${claims}.${signature.slice(0, -2)}`,
      `${header}.${claims}.!!!`,
      forge("not json"),
      forge(null),
      forge([]),
      forge('"text"'),
      forge("5"),
      forge({ user_id: "ada" }, { header: "not json" }),
      forge({ user_id: "ada" }, { header: null }),
      forge({ user_id: "ada" }, { header: { alg: "HS256", crit: ["exp"] } }),
    ];
    for (const token of bad) expect(await verify(token), token).toEqual(INVALID);
  });

  test("a verifier refuses a token that somebody else signed or changed", async () => {
    const { verify } = setUp();
    const [header, , signature] = forge({ user_id: "ada" }).split(".");
    expect(await verify(forge({ user_id: "ada" }, { secret: "another" }))).toEqual(INVALID);
    expect(await verify(`${header}.${part({ user_id: "eve" })}.${signature}`)).toEqual(INVALID);
  });

  test("a verifier refuses every algorithm but HS256", async () => {
    const { verify } = setUp();
    const unsigned = `${part({ alg: "none" })}.${part({ user_id: "eve" })}.`;
    expect(await verify(unsigned)).toEqual(INVALID);
    for (const alg of ["none", "None", "RS256", "ES256", "EdDSA", "PS256", "HS384", "hs256", "", 256, null]) {
      expect(await verify(forge({ user_id: "eve" }, { header: { alg, typ: "JWT" } })), String(alg))
        .toEqual(INVALID);
    }
    expect(await verify(forge({}, { header: { alg: "HS512" }, hash: "sha512" }))).toEqual(INVALID);
    expect(await verify(forge({}, { header: { typ: "JWT" } }))).toEqual(INVALID);
  });

  test("a verifier checks exp, nbf and iat against the clock it was given", async () => {
    const { verify, now } = setUp();
    expect(await verify(forge({ exp: now + 0.001 }))).toMatchObject({ ok: true });
    expect(await verify(forge({ exp: now }))).toEqual(EXPIRED);
    expect(await verify(forge({ exp: -1 }))).toEqual(EXPIRED);
    expect(await verify(forge({ nbf: now, iat: now }))).toMatchObject({ ok: true });
    expect(await verify(forge({ nbf: now + 1 }))).toEqual(INVALID);
    expect(await verify(forge({ iat: now + 1 }))).toEqual(INVALID);
  });

  test("a verifier grants the skew either way and counts it into expiresAt", async () => {
    const { verify, now, clock } = setUp({ skewSeconds: 30 });
    expect(await verify(forge({ exp: now - 29, nbf: now + 30, iat: now + 30 }))).toMatchObject({
      ok: true,
      expiresAt: clock.now() + 1000,
    });
    expect(await verify(forge({ exp: now - 30 }))).toEqual(EXPIRED);
    expect(await verify(forge({ nbf: now + 31 }))).toEqual(INVALID);
  });

  test("a verifier says expired only of a token that would be good otherwise", async () => {
    const { verify, now } = setUp();
    expect(await verify(forge({ exp: now - 1 }, { secret: "another" }))).toEqual(INVALID);
    expect(await verify(forge({ exp: now - 1, aud: "dhruva" }))).toEqual(INVALID);
    expect(await verify(forge({ exp: now - 1, permissions: "admin" }))).toEqual(INVALID);
  });

  test("a verifier takes aud and iss only where they name its service", async () => {
    const { verify } = setUp();
    for (const good of ["akosha", ["dhruva", "akosha"]]) {
      expect(await verify(forge({ aud: good }))).toMatchObject({ ok: true });
    }
    for (const bad of ["dhruva", "Akosha", "", null, 5, {}, [], ["dhruva"], [["akosha"]], "akosha dhruva"]) {
      expect(await verify(forge({ aud: bad })), JSON.stringify(bad)).toEqual(INVALID);
    }
    expect(await verify(forge({ iss: "akosha" }))).toMatchObject({ ok: true });
    expect(await verify(forge({ iss: "dhruva", aud: "akosha" }))).toEqual(INVALID);
  });

  test("a verifier refuses claims of the wrong type", async () => {
    const { verify } = setUp();
    const bad = [
      '{"exp":"9999999999"}',
      '{"exp":null}',
      '{"exp":1e400}',
      '{"exp":[9999999999]}',
      '{"nbf":"0"}',
      '{"iat":true}',
      '{"user_id":{}}',
      '{"user_id":["ada"]}',
      '{"user_id":true}',
      '{"user_id":1.5}',
      '{"permissions":"admin"}',
      '{"permissions":{"admin":true}}',
      '{"permissions":["read",5]}',
      '{"scopes":"admin"}',
    ];
    for (const claims of bad) expect(await verify(forge(claims)), claims).toEqual(INVALID);
  });

  test("a verifier takes a whole number as a user, but none that two users could share", async () => {
    const { verify } = setUp();
    expect(await verify(forge('{"user_id":42}'))).toMatchObject({ identity: { userId: "42" } });
    expect(await verify(forge('{"user_id":9007199254740991}'))).toMatchObject({ ok: true });
    expect(await verify(forge('{"user_id":9007199254740993}'))).toEqual(INVALID);
    expect(await verify(forge('{"sub":123456789012345678901234567890}'))).toEqual(INVALID);
    expect(await verify(forge('{"exp":123456789012345678901234567890}'))).toMatchObject({
      expiresAt: 8.64e15,
    });
  });

  test("a verifier refuses a user with half a character, whom others would be taken for, and takes an empty one for nobody", async () => {
    const { verify } = setUp();
    expect(await verify(forge('{"user_id":"\\ud83d\\ude00"}'))).toMatchObject({ identity: { userId: "😀" } });
    for (const claims of ['{"user_id":"\\ud800"}', '{"sub":"ad\\udc00a"}']) {
      expect(await verify(forge(claims)), claims).toEqual(INVALID);
    }
    expect(await verify(forge('{"sub":""}'))).toMatchObject({ ok: true, identity: { userId: null } });
  });

  test("a verifier looks at a token's own claims and at nothing inherited", async () => {
    const { verify } = setUp();
    expect(await verify(forge('{"__proto__":{"user_id":"eve","permissions":["admin"]}}')))
      .toMatchObject({ identity: { userId: null, permissions: [] } });
  });

  test("a verifier refuses a huge token at once, and takes one of just the greatest length", async () => {
    const { verify } = setUp();
    expect(await verify("a.".repeat(5_000_000))).toEqual(INVALID);
    const length = (pad: number) => forge({ pad: "x".repeat(pad) });
    let pad = MAX_TOKEN_LENGTH * 0.75 - 120;
    while (length(pad + 1).length <= MAX_TOKEN_LENGTH) pad++;
    expect(await verify(length(pad))).toMatchObject({ ok: true });
    expect(await verify(length(pad + 3))).toEqual(INVALID);
  });

  test("a verifier answers any text without failing, and accepts none of it", async () => {
    const { verify } = setUp();
    const segment = fc.oneof(
      fc.string(),
      fc.base64String(),
      fc.json().map(part),
      fc.constant(part({ alg: "HS256" })),
    );
    const token = fc.oneof(fc.string(), fc.array(segment, { maxLength: 5 }).map((parts) => parts.join(".")));
    await fc.assert(fc.asyncProperty(token, async (text) => {
      expect((await verify(text)).ok).toBe(false);
    }));
  });

  test("a verifier answers any well-signed claims without failing", async () => {
    const { verify } = setUp();
    const name = fc.constantFrom(
      "exp",
      "nbf",
      "iat",
      "aud",
      "iss",
      "user_id",
      "sub",
      "permissions",
      "scopes",
      "x",
    );
    await fc.assert(fc.asyncProperty(fc.dictionary(name, fc.jsonValue()), async (claims) => {
      const answer = await verify(forge(claims));
      if (answer.ok) {
        expect(answer.identity.permissions.every((permission) => typeof permission === "string")).toBe(true);
        expect(["string", "object"]).toContain(typeof answer.identity.userId);
      } else expect(["invalid", "expired"]).toContain(answer.reason);
    }));
  });

  test("a verifier accepts no token in which one character was changed", async () => {
    const { verify } = setUp();
    const good = forge({ user_id: "ada" });
    // The last character of a signature has bits that mean nothing.
    await fc.assert(
      fc.asyncProperty(fc.nat(good.length - 2), fc.constantFrom(..."aZ09-_.="), async (at, character) => {
        fc.pre(good[at] !== character);
        expect(await verify(good.slice(0, at) + character + good.slice(at + 1))).toEqual(INVALID);
      }),
    );
  });
});
