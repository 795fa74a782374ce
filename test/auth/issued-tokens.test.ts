/**
 * Tokens that an issuer has signed with a key of its own.
 */
import { createHmac } from "node:crypto";
import * as fc from "fast-check";
import { exportSPKI, importJWK } from "jose";
import { beforeAll, describe, expect, test } from "vitest";
import { KeySet } from "../../src/auth/key-set.ts";
import { createToken, createVerifier, type VerifierOptions } from "../../src/auth/token.ts";
import { silentLog } from "../../src/ports/log.ts";
import { FakeClock } from "../support/fake-clock.ts";
import {
  type Algorithm,
  ALGORITHMS,
  type IssuerKey,
  keySetOf,
  makeKey,
  signWith,
} from "../support/issuer.ts";

const INVALID = { ok: false, reason: "invalid" };
const EXPIRED = { ok: false, reason: "expired" };

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

let keys: Record<Algorithm, IssuerKey>;
let stranger: Record<Algorithm, IssuerKey>;

beforeAll(async () => {
  const make = async (): Promise<Record<Algorithm, IssuerKey>> => ({
    RS256: await makeKey("RS256", "rsa"),
    ES256: await makeKey("ES256", "ec"),
    EdDSA: await makeKey("EdDSA", "ed"),
  });
  [keys, stranger] = [await make(), await make()];
}, 60_000);

function setUp(options: Partial<VerifierOptions> = {}, text = keySetOf(...Object.values(keys))) {
  const clock = new FakeClock();
  const set = new KeySet({ read: () => Promise.resolve(text), clock, log: silentLog });
  const verify = createVerifier({ keys: set, service: "akosha", clock, ...options });
  return { clock, verify, now: clock.now() / 1000 };
}

describe.each(ALGORITHMS)("createVerifier with keys, %s", (algorithm) => {
  test("takes a token that a known key has signed, with the claims of each family", async () => {
    const { verify, now, clock } = setUp();
    expect(
      await verify(
        await signWith(keys[algorithm], { sub: "ada", scope: "akosha:read  read", exp: now + 60 }),
      ),
    )
      .toEqual({
        ok: true,
        identity: { userId: "ada", permissions: ["akosha:read", "read"], authenticated: true },
        expiresAt: clock.now() + 60_000,
      });
    expect(
      await verify(
        await signWith(keys[algorithm], { user_id: "ada", permissions: ["read"], scope: "admin" }),
      ),
    )
      .toMatchObject({ identity: { userId: "ada", permissions: ["read"] }, expiresAt: null });
    expect(await verify(await signWith(keys[algorithm], { sub: "bob", scopes: ["write"], scope: "admin" })))
      .toMatchObject({ identity: { userId: "bob", permissions: ["write"] } });
  });

  test("refuses one that another key has signed under a known name, and one that was changed", async () => {
    const { verify } = setUp();
    expect(await verify(await signWith(stranger[algorithm], { sub: "eve" }))).toEqual(INVALID);
    const [header, , signature] = (await signWith(keys[algorithm], { sub: "ada" })).split(".");
    expect(await verify(`${header}.${part({ sub: "eve" })}.${signature}`)).toEqual(INVALID);
    expect(await verify(`${header}.${part({ sub: "ada" })}.AAAA`)).toEqual(INVALID);
  });

  test("refuses a token whose header names another algorithm than its key has", async () => {
    const { verify } = setUp();
    const [, claims, signature] = (await signWith(keys[algorithm], { sub: "eve" })).split(".");
    const others = [
      ...ALGORITHMS.filter((name) => name !== algorithm),
      "none",
      "HS256",
      "RS512",
      "PS256",
      "ES384",
    ];
    for (const alg of others) {
      const header = part({ alg, kid: keys[algorithm].id, typ: "JWT" });
      expect(await verify(`${header}.${claims}.${signature}`), alg).toEqual(INVALID);
      expect(await verify(`${header}.${claims}.`), alg).toEqual(INVALID);
    }
  });

  test("refuses a token that is signed HS256 with the text of the public key", async () => {
    const { jwk } = keys[algorithm];
    const imported = await importJWK(jwk, algorithm, { extractable: true });
    const pem = await exportSPKI(imported as Exclude<typeof imported, Uint8Array>);
    const { verify } = setUp();
    const withSecret = setUp({ secret: "a secret of tests" });
    const signed = `${part({ alg: "HS256", kid: jwk.kid, typ: "JWT" })}.${part({ sub: "eve" })}`;
    for (const secret of [pem, pem.trimEnd(), JSON.stringify(jwk), jwk.n ?? jwk.x!]) {
      const token = `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
      expect(await verify(token)).toEqual(INVALID);
      expect(await withSecret.verify(token)).toEqual(INVALID);
    }
  });

  test("refuses a token that brings its own key, or says what must be understood", async () => {
    const { verify } = setUp();
    const { jwk } = stranger[algorithm];
    const headers = [
      { jwk },
      { jku: "https://evil.example/keys" },
      { x5u: "https://evil.example/chain" },
      { x5c: ["AAAA"] },
      { crit: ["exp"], exp: 1 },
      { crit: [] },
      { b64: false, crit: ["b64"] },
    ];
    for (const header of headers) {
      // Made by hand, as a library would not sign all of these. The signature is good but for that.
      const signed = await signWith(keys[algorithm], { sub: "eve" }, "crit" in header ? {} : header);
      expect(await verify(await resigned(keys[algorithm], signed, header)), JSON.stringify(header)).toEqual(
        INVALID,
      );
    }
    const embedded = await signWith(stranger[algorithm], { sub: "eve" }, { jwk, kid: undefined });
    expect(await verify(embedded)).toEqual(INVALID);
  });

  test("refuses a token of a name that no key has, and one without name where more than one key fits", async () => {
    const { verify } = setUp();
    const nameless = await signWith(keys[algorithm], { sub: "ada" }, { kid: undefined });
    expect(await verify(await signWith(keys[algorithm], { sub: "ada" }, { kid: "other" }))).toEqual(INVALID);
    expect(await verify(nameless)).toMatchObject({ ok: true });
    const { verify: ofTwo } = setUp({}, keySetOf(keys[algorithm], stranger[algorithm]));
    expect(await ofTwo(nameless)).toEqual(INVALID);
    for (const kid of [5, null, ["rsa"], {}]) {
      expect(await verify(await signWith(keys[algorithm], { sub: "ada" }, { kid })), String(kid)).toEqual(
        INVALID,
      );
    }
  });

  test("accepts no token in which one character was changed", async () => {
    const { verify } = setUp();
    const good = await signWith(keys[algorithm], { sub: "ada" });
    // The last character of a signature has bits that mean nothing.
    const places = fc.nat(good.length - 2);
    await fc.assert(
      fc.asyncProperty(places, fc.constantFrom(..."aZ09-_.= "), async (at, character) => {
        fc.pre(good[at] !== character);
        expect((await verify(good.slice(0, at) + character + good.slice(at + 1))).ok).toBe(false);
      }),
    );
  });
});

/** The token with more in its header, signed again by its key. */
async function resigned(key: IssuerKey, token: string, header: object): Promise<string> {
  const signed = `${part({ alg: key.algorithm, kid: key.id, ...header })}.${token.split(".")[1]}`;
  const algorithms = {
    RS256: { name: "RSASSA-PKCS1-v1_5" },
    ES256: { name: "ECDSA", hash: "SHA-256" },
    EdDSA: { name: "Ed25519" },
  };
  const bytes = new TextEncoder().encode(signed);
  const signature = await crypto.subtle.sign(algorithms[key.algorithm], key.privateKey, bytes);
  return `${signed}.${Buffer.from(signature).toString("base64url")}`;
}

describe("createVerifier with keys", () => {
  test("a hand-signed token with a plain header is good, so that those above are refused for their headers", async () => {
    const { verify } = setUp();
    for (const algorithm of ALGORITHMS) {
      const token = await resigned(keys[algorithm], await signWith(keys[algorithm], { sub: "ada" }), {
        x: 1,
      });
      expect(await verify(token), algorithm).toMatchObject({ ok: true });
    }
  });

  test("takes tokens of both families where there are a secret and keys, and each where there is its own alone", async () => {
    const secret = "a secret of tests";
    const clock = new FakeClock();
    const own = await createToken({ secret, userId: "ada", permissions: ["read"], clock });
    const issued = await signWith(keys.ES256, { sub: "bob" });
    const both = setUp({ secret });
    expect(await both.verify(own)).toMatchObject({ identity: { userId: "ada" } });
    expect(await both.verify(issued)).toMatchObject({ identity: { userId: "bob" } });
    expect(await setUp().verify(own)).toEqual(INVALID);
    expect(await createVerifier({ secret, service: "akosha", clock })(issued)).toEqual(INVALID);
    expect(await createVerifier({ service: "akosha", clock })(own)).toEqual(INVALID);
  });

  test("wants aud and iss to name the service where they are there, and no more is said", async () => {
    const { verify } = setUp();
    const claims = (more: object) => signWith(keys.EdDSA, { sub: "ada", ...more });
    expect(await verify(await claims({ aud: "akosha", iss: "akosha" }))).toMatchObject({ ok: true });
    expect(await verify(await claims({ aud: "dhruva" }))).toEqual(INVALID);
    expect(await verify(await claims({ iss: "https://login.example.org" }))).toEqual(INVALID);
  });

  test("wants one of the issuers and one of the audiences that were named", async () => {
    const issuers = ["https://one.example", "https://two.example"];
    const { verify } = setUp({ issuers, audiences: ["live", "akosha"], secret: "s" });
    const claims = (more: object) =>
      signWith(keys.EdDSA, { sub: "ada", iss: issuers[1], aud: "live", ...more });
    for (const good of [{}, { iss: issuers[0] }, { aud: ["x", "akosha"] }]) {
      expect(await verify(await claims(good)), JSON.stringify(good)).toMatchObject({ ok: true });
    }
    const bad = [
      { iss: undefined },
      { aud: undefined },
      { iss: "akosha" },
      { iss: "https://two.example/" },
      { iss: null },
      { aud: "dhruva" },
      { aud: [] },
      { aud: [["live"]] },
      { aud: null },
    ];
    for (const more of bad) expect(await verify(await claims(more)), JSON.stringify(more)).toEqual(INVALID);
    // Tokens by the secret are the service's own.
    const own = await createToken({ secret: "s", userId: "ada", permissions: [], clock: new FakeClock() });
    expect(await verify(own)).toMatchObject({ ok: true });
  });

  test("holds exp, nbf and iat to the second without skew, and to the edge of the skew with it", async () => {
    for (const skewSeconds of [0, 5]) {
      const { clock, verify, now } = setUp({ skewSeconds });
      const judged = async (claims: object) => await verify(await signWith(keys.ES256, claims));
      expect(await judged({ exp: now - skewSeconds })).toEqual(EXPIRED);
      expect(await judged({ exp: now - skewSeconds + 1 })).toMatchObject({
        ok: true,
        expiresAt: clock.now() + 1_000,
      });
      for (const claim of ["nbf", "iat"]) {
        expect(await judged({ [claim]: now + skewSeconds })).toMatchObject({ ok: true });
        expect(await judged({ [claim]: now + skewSeconds + 1 })).toEqual(INVALID);
      }
      const token = await signWith(keys.ES256, { exp: now + 10 });
      clock.advance((10 + skewSeconds) * 1_000 - 1);
      expect(await verify(token)).toMatchObject({ ok: true });
      clock.advance(1);
      expect(await verify(token)).toEqual(EXPIRED);
    }
  });

  test("refuses claims of the wrong type", async () => {
    const { verify } = setUp();
    for (
      const claims of [{ exp: "1" }, { sub: {} }, { scope: 5 }, { scope: { admin: true } }, {
        scopes: "admin",
      }]
    ) {
      expect(await verify(await signWith(keys.ES256, claims)), JSON.stringify(claims)).toEqual(INVALID);
    }
  });
});
