import { exportJWK, generateKeyPair } from "jose";
import * as fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { readKeys } from "../../src/auth/key-list.ts";
import { ALGORITHMS, type IssuerKey, keySetOf, makeKey } from "../support/issuer.ts";

let keys: IssuerKey[];

beforeAll(async () => {
  keys = await Promise.all(ALGORITHMS.map((algorithm) => makeKey(algorithm, algorithm)));
}, 60_000);

const read = async (...entries: object[]) => await readKeys(JSON.stringify({ keys: entries }));

describe("readKeys", () => {
  test("reads keys of each algorithm, also without alg, use and kid", async () => {
    expect((await readKeys(keySetOf(...keys))).map(({ id, algorithm }) => [id, algorithm])).toEqual(
      ALGORITHMS.map((algorithm) => [algorithm, algorithm]),
    );
    const bare = keys.map(({ jwk: { alg: _alg, use: _use, kid: _kid, ...jwk } }) => jwk);
    expect((await read(...bare)).map(({ id, algorithm }) => [id, algorithm])).toEqual(
      ALGORITHMS.map((algorithm) => [null, algorithm]),
    );
  });

  test("takes of a private key the public half", async () => {
    for (const { algorithm, privateKey } of keys) {
      const [key] = await read(await exportJWK(privateKey));
      expect(key).toMatchObject({ algorithm, key: { type: "public", usages: ["verify"] } });
    }
  });

  test("leaves out what no token of these algorithms can be checked with", async () => {
    const [rsa, ec, ed] = keys.map(({ jwk }) => jwk) as [object, object, object];
    const short = await exportJWK(
      (await crypto.subtle.generateKey(
        {
          name: "RSASSA-PKCS1-v1_5",
          modulusLength: 1024,
          publicExponent: new Uint8Array([1, 0, 1]),
          hash: "SHA-256",
        },
        true,
        ["sign", "verify"],
      )).publicKey,
    );
    const otherCurve = await exportJWK((await generateKeyPair("ES384", { extractable: true })).publicKey);
    const useless = [
      { kty: "oct", k: "c2VjcmV0", alg: "HS256" },
      { ...rsa, use: "enc" },
      { ...rsa, alg: "RS512" },
      { ...rsa, alg: "PS256" },
      { ...rsa, alg: "HS256" },
      { ...ec, alg: "RS256" },
      { ...ed, key_ops: ["sign"] },
      { ...ed, key_ops: "verify" },
      { ...ed, kid: 5 },
      { ...ed, crv: "X25519" },
      { ...ec, x: "AAAA" },
      { ...ec, y: undefined },
      { ...rsa, n: 5 },
      short,
      otherCurve,
      {},
    ];
    expect(await read(...useless)).toEqual([]);
    expect(await readKeys(JSON.stringify({ keys: [null, 5, "key", [], ...useless, ec] }))).toHaveLength(1);
    expect(await read({ ...ed, key_ops: ["verify"] })).toHaveLength(1);
  });

  test("says of what is no key set what was expected", async () => {
    await expect(readKeys("<html>")).rejects.toThrow("a JSON Web Key Set, got what is no JSON");
    for (const text of ["null", "[]", "{}", '{"keys":{}}', "5", '"keys"']) {
      await expect(readKeys(text), text).rejects.toThrow(
        'a JSON Web Key Set, got JSON without a list "keys"',
      );
    }
  });

  test("answers any JSON with keys, none of which it has made up, or with its sentence", async () => {
    const entry = fc.dictionary(
      fc.constantFrom("kty", "crv", "alg", "use", "kid", "n", "e", "x", "y"),
      fc.jsonValue(),
    );
    await fc.assert(fc.asyncProperty(fc.array(entry), async (entries) => {
      expect(await read(...entries)).toEqual([]);
    }));
    await fc.assert(fc.asyncProperty(fc.string(), async (text) => {
      await expect(readKeys(text)).rejects.toThrow(/^a JSON Web Key Set, got/);
    }));
  });
});
