/**
 * A JSON Web Key Set as public keys that a token can be checked with. What a key is for follows from the key itself,
 * never from a token.
 *
 * @module
 */
import { importJWK, type JWK } from "jose";

/** What a token may be signed with besides a shared secret. */
export type KeyAlgorithm = "RS256" | "ES256" | "EdDSA";

export interface PublicKey {
  /** Its `kid`; null for a key without name. */
  readonly id: string | null;
  readonly algorithm: KeyAlgorithm;
  readonly key: CryptoKey;
}

/** Shorter RSA keys can be broken. In bits. */
const MIN_MODULUS = 2_048;

/**
 * Read the keys of a key set. One that cannot check signatures of these algorithms (for encryption, symmetric, of
 * another curve, too short, malformed) is left out, as key sets are shared with others. Private parts are not looked at.
 *
 * @throws {Error} where the text is no key set; the message ends a sentence that begins with "expected".
 */
export async function readKeys(text: string): Promise<PublicKey[]> {
  let set: unknown;
  try {
    set = JSON.parse(text);
  } catch {
    throw new Error("a JSON Web Key Set, got what is no JSON");
  }
  const keys = typeof set === "object" && set !== null ? (set as { keys?: unknown }).keys : undefined;
  if (!Array.isArray(keys)) throw new Error('a JSON Web Key Set, got JSON without a list "keys"');
  const read = await Promise.all(keys.map(readKey));
  return read.filter((key) => key !== null);
}

async function readKey(entry: unknown): Promise<PublicKey | null> {
  if (typeof entry !== "object" || entry === null) return null;
  const jwk = entry as JWK;
  const { kid, use, key_ops: operations } = jwk;
  if (kid !== undefined && typeof kid !== "string") return null;
  if (use !== undefined && use !== "sig") return null;
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes("verify"))) return null;
  const found = publicParts(jwk);
  if (!found || (jwk.alg !== undefined && jwk.alg !== found.algorithm)) return null;
  try {
    const key: unknown = await importJWK(found.parts, found.algorithm);
    if (!(key instanceof CryptoKey)) return null;
    const { modulusLength = MIN_MODULUS } = key.algorithm as Partial<RsaKeyAlgorithm>;
    return modulusLength < MIN_MODULUS ? null : { id: kid ?? null, algorithm: found.algorithm, key };
  } catch {
    return null;
  }
}

/** Coordinates of both curves have 32 bytes. Runtimes differ in what else they take. */
const isCoordinate = (text: unknown): boolean => typeof text === "string" && /^[\w-]{43}$/.test(text);

/** The one algorithm that a key is for. */
function publicParts({ kty, crv, n, e, x, y }: JWK): { algorithm: KeyAlgorithm; parts: JWK } | null {
  if (kty === "RSA") return { algorithm: "RS256", parts: { kty, n: n!, e: e! } };
  if (!isCoordinate(x)) return null;
  if (kty === "EC" && crv === "P-256" && isCoordinate(y)) {
    return { algorithm: "ES256", parts: { kty, crv, x: x!, y: y! } };
  }
  if (kty === "OKP" && crv === "Ed25519") return { algorithm: "EdDSA", parts: { kty, crv, x: x! } };
  return null;
}
