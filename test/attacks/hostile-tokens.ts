/**
 * Tokens that look like good ones. Each asks for everything; none of them may get it.
 *
 * @module
 */
import { exportJWK, exportSPKI, importJWK } from "jose";
import { createHmac } from "node:crypto";
import { type IssuerKey, makeKey, signWith } from "../support/issuer.ts";
import { ISSUER, type Service, type Target } from "./target.ts";

export interface HostileToken {
  readonly what: string;
  /** Usually text; as the first frame says it, anything. */
  readonly token: unknown;
  /** The text of its refusal in a frame, where it is not that of a token which does not hold. */
  readonly malformed?: boolean;
}

const encoded = (value: unknown) =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

function hmac(header: unknown, claims: unknown, secret: string | Uint8Array, hash = "sha256"): string {
  const signed = `${encoded(header)}.${encoded(claims)}`;
  return `${signed}.${createHmac(hash, secret).update(signed).digest("base64url")}`;
}

const HS256 = { alg: "HS256", typ: "JWT" };

/** @param elsewhere An address that a token could point to. Whoever asks there has been led on. */
export async function hostileTokens(
  target: Target,
  { name }: Service,
  elsewhere: string,
): Promise<HostileToken[]> {
  const now = Math.floor(Date.now() / 1_000);
  const claims = { user_id: "intruder", permissions: [`${name}:admin`, "admin"], iat: now, exp: now + 3_600 };
  const issued = { ...claims, iss: ISSUER, aud: name };
  const { secret, key } = target;
  const good = hmac(HS256, claims, secret);
  const [goodHeader, goodClaims, goodSignature] = good.split(".") as [string, string, string];
  const mine = await makeKey("RS256", key.id);
  const mineEc = await makeKey("ES256", key.id);
  return [
    ...unsigned(claims),
    ...forged(claims, secret, { goodHeader, goodClaims, goodSignature, good }),
    ...outOfTime(claims, secret, now),
    ...await forOthers(issued, claims, target, name),
    ...await confused(issued, key),
    ...await ownKeys(issued, mine, mineEc, elsewhere),
    ...strangeKids({ issued, claims, mine, elsewhere, secret }),
    ...shapeless({ goodHeader, goodClaims, goodSignature, good }),
  ];
}

function unsigned(claims: object): HostileToken[] {
  const names = ["none", "None", "NONE", "nOnE", "none ", "", " HS256", "hs256", "null", "undefined"];
  return names.flatMap((alg) => {
    const signed = `${encoded({ alg, typ: "JWT" })}.${encoded(claims)}`;
    return [
      { what: `alg "${alg}", no signature`, token: `${signed}.` },
      { what: `alg "${alg}", some signature`, token: `${signed}.${encoded("x")}` },
    ];
  }).concat(
    [null, 0, [], ["HS256"], {}, true].map((alg) => ({
      what: `alg ${JSON.stringify(alg)}`,
      token: `${encoded({ alg })}.${encoded(claims)}.${encoded("x")}`,
    })),
    { what: "no alg", token: `${encoded({})}.${encoded(claims)}.` },
    {
      what: "two algs, the first none",
      token: `${encoded('{"alg":"none","alg":"HS256"}')}.${encoded(claims)}.`,
    },
  );
}

interface Parts {
  readonly good: string;
  readonly goodHeader: string;
  readonly goodClaims: string;
  readonly goodSignature: string;
}

function forged(claims: object, secret: string, parts: Parts): HostileToken[] {
  const { goodHeader, goodClaims, goodSignature } = parts;
  const first = goodSignature.startsWith("A") ? "B" : "A";
  const named = (what: string, token: string) => ({ what, token });
  return [
    named("another secret", hmac(HS256, claims, `${secret}x`)),
    named("an empty secret", hmac(HS256, claims, "")),
    named("the known development secret", hmac(HS256, claims, "dev-secret-change-in-production")),
    named("a changed signature", `${goodHeader}.${goodClaims}.${first}${goodSignature.slice(1)}`),
    named("half a signature", `${goodHeader}.${goodClaims}.${goodSignature.slice(0, 20)}`),
    named("no signature", `${goodHeader}.${goodClaims}.`),
    named(
      "other claims under a good signature",
      `${goodHeader}.${encoded({ ...claims, user_id: "root" })}.${goodSignature}`,
    ),
    named(
      "another header over a good signature",
      `${encoded({ alg: "HS256" })}.${goodClaims}.${goodSignature}`,
    ),
    named("HS384 by the secret", hmac({ alg: "HS384" }, claims, secret, "sha384")),
    named("HS512 by the secret", hmac({ alg: "HS512" }, claims, secret, "sha512")),
    named("HS256 over SHA-512", hmac(HS256, claims, secret, "sha512")),
    named("crit", hmac({ ...HS256, crit: ["exp"] }, claims, secret)),
    named("a payload that is not encoded", hmac({ ...HS256, b64: false, crit: ["b64"] }, claims, secret)),
    named("packed", hmac({ ...HS256, zip: "DEF" }, claims, secret)),
    named("claims that are no object", hmac(HS256, [claims], secret)),
    named("claims that are no JSON", hmac(HS256, "{permissions", secret)),
    named("claims nested deep", hmac(HS256, `${"[".repeat(5_000)}${"]".repeat(5_000)}`, secret)),
    named(
      "permissions that are no list",
      hmac(HS256, { ...claims, permissions: { length: 1, 0: "admin" } }, secret),
    ),
    named("a user that is an object", hmac(HS256, { ...claims, user_id: { toString: "admin" } }, secret)),
  ];
}

function outOfTime(claims: object, secret: string, now: number): HostileToken[] {
  const at = (what: string, more: object) => ({ what, token: hmac(HS256, { ...claims, ...more }, secret) });
  return [
    at("expired a minute ago", { exp: now - 60 }),
    at("expired long ago", { exp: 1 }),
    at("expired before time began", { exp: -1e9 }),
    at("expires as text", { exp: String(now + 3_600) }),
    at("expires never, as null", { exp: null }),
    at("expires as a list", { exp: [now + 3_600] }),
    at("not valid yet", { nbf: now + 600 }),
    at("not valid yet, as text", { nbf: "0" }),
    at("made in the future", { iat: now + 600 }),
    {
      what: "expires at infinity",
      token: hmac(HS256, JSON.stringify(claims).replace(/"exp":\d+/, '"exp":1e999'), secret),
    },
    {
      what: "expires twice, the second time in the past",
      token: hmac(HS256, JSON.stringify(claims).replace(/}$/, `,"exp":${now - 60}}`), secret),
    },
  ];
}

async function forOthers(
  issued: object,
  claims: object,
  { secret, key }: Target,
  name: string,
): Promise<HostileToken[]> {
  const other = name === "akosha" ? "dhruva" : "akosha";
  const bySecret = (what: string, more: object) => ({
    what,
    token: hmac(HS256, { ...claims, ...more }, secret),
  });
  const byIssuer = async (what: string, more: object) => ({
    what,
    // A claim that is undefined is left out.
    token: await signWith(key, JSON.parse(JSON.stringify({ ...issued, ...more }))),
  });
  return [
    bySecret("for another service", { aud: other }),
    bySecret("for several others", { aud: [other, "mahavishnu-test"] }),
    bySecret("for a service in upper case", { aud: name.toUpperCase() }),
    bySecret("for nobody", { aud: [] }),
    bySecret("for an object", { aud: { [name]: name } }),
    bySecret("issued by another service", { iss: other }),
    bySecret("issued by an issuer, signed with the secret", { iss: ISSUER }),
    await byIssuer("issued for another service", { aud: other }),
    await byIssuer("issued for nobody", { aud: undefined }),
    await byIssuer("issued for a name that begins as this one", { aud: `${name}-2` }),
    await byIssuer("issued by another", { iss: "https://evil.test" }),
    await byIssuer("issued by a name that begins as this one", { iss: `${ISSUER}.evil.test` }),
    await byIssuer("issued by nobody", { iss: undefined }),
  ];
}

/** A public key is known to everybody: it must not be taken for a secret. */
async function confused(issued: object, key: IssuerKey): Promise<HostileToken[]> {
  const publicKey = await importJWK({ ...key.jwk, ext: true }, "RS256") as unknown as CryptoKey;
  const spki = await exportSPKI(publicKey);
  const jwk = await exportJWK(publicKey);
  const der = Buffer.from(spki.replace(/-----[^-]+-----|\s/g, ""), "base64");
  const by = (what: string, secret: string | Uint8Array) => ({
    what: `HS256 by ${what}`,
    token: hmac({ ...HS256, kid: key.id }, issued, secret),
  });
  return [
    by("the public key as PEM", spki),
    by("the public key as PEM without its last line end", spki.trim()),
    by("the public key as DER", der),
    by("the public key as JWK", JSON.stringify(jwk)),
    by("the known JWK", JSON.stringify(key.jwk)),
    by("the modulus", Buffer.from(jwk.n!, "base64url")),
    by("the modulus as text", jwk.n!),
  ];
}

/** The attacker's keys, brought along, pointed to, or under the name of a good one. */
async function ownKeys(
  issued: object,
  mine: IssuerKey,
  mineEc: IssuerKey,
  elsewhere: string,
): Promise<HostileToken[]> {
  const by = async (what: string, header: object, key = mine) => ({
    what,
    token: await signWith(key, issued, header),
  });
  const { kid: _, ...jwk } = mine.jwk;
  return [
    await by("an own key under a known name", {}),
    await by("an own key without a name", { kid: undefined }),
    await by("an own key, brought along", { jwk, kid: undefined }),
    await by("an own key, brought along under a known name", { jwk }),
    await by("an own key, pointed to", { jku: elsewhere }),
    await by("a certificate, pointed to", { x5u: elsewhere }),
    await by("a certificate, brought along", { x5c: [encoded("certificate")] }),
    await by("a key of another kind under a known name", {}, mineEc),
  ];
}

const HEADER_ROOM = 6_000;

function strangeKids({ issued, claims, mine, elsewhere, secret }: {
  readonly issued: object;
  readonly claims: object;
  readonly mine: IssuerKey;
  readonly elsewhere: string;
  readonly secret: string;
}): HostileToken[] {
  const kids: unknown[] = [
    "../../../../../../dev/null",
    "/dev/null",
    "/dev/zero",
    "file:///etc/passwd",
    elsewhere,
    "' UNION SELECT 'x' --",
    "| touch pwned",
    "\u0000",
    "__proto__",
    "constructor",
    "toString",
    "",
    "k".repeat(HEADER_ROOM),
    ["signing-key"],
    { toString: mine.id },
    7,
    null,
  ];
  return kids.flatMap((kid) => {
    const said = JSON.stringify(kid).slice(0, 40);
    const unsigned = `${encoded({ alg: "RS256", kid })}.${encoded(issued)}`;
    const tokens = [
      { what: `kid ${said}, RS256`, token: `${unsigned}.${encoded("x".repeat(256))}` },
      { what: `kid ${said}, HS256 by nothing`, token: hmac({ ...HS256, kid }, claims, "") },
    ];
    // A name of a key that is text says nothing about a secret; one that is something else makes no token.
    const isText = typeof kid === "string";
    return isText ? tokens : [...tokens, {
      what: `kid ${said}, HS256 by the secret`,
      token: hmac({ ...HS256, kid }, claims, secret),
    }];
  });
}

function shapeless({ good, goodHeader, goodClaims, goodSignature }: Parts): HostileToken[] {
  const flattened = { payload: goodClaims, protected: goodHeader, signature: goodSignature };
  const wrong = [
    "Bearer",
    ".",
    "..",
    "...",
    "a.b.c",
    "null",
    "x".repeat(200),
    `${good}.${good}`,
    `${good}.x.y`,
    `.${good}`,
  ];
  const framed: unknown[] = [
    good.replaceAll(".", " "),
    `${good}=`,
    ` ${good}`,
    `${good}\n`,
    `${good}\u0000`,
    `Bearer ${good}`,
    `${good},${good}`,
    JSON.stringify(flattened),
    "é".repeat(50),
    "a".repeat(900_000),
    `${goodHeader}.${"A".repeat(500_000)}.${goodSignature}`,
  ];
  const noText: unknown[] = [null, undefined, 0, true, [], [good], {}, flattened, { token: good }, ""];
  return [
    ...[...wrong, ...framed].map((token) => ({ what: `text ${JSON.stringify(token).slice(0, 30)}`, token })),
    ...noText.map((token) => ({
      what: `no text: ${JSON.stringify(token)?.slice(0, 30)}`,
      token,
      malformed: true,
    })),
  ];
}
