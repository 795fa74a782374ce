/**
 * When keys are read, and what holds in between: with a source that a test answers for, and a clock that stands still.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { KeySet } from "../../src/auth/key-set.ts";
import { lineLog } from "../../src/ports/log.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { type IssuerKey, keySetOf, makeKey } from "../support/issuer.ts";

let first: IssuerKey;
let second: IssuerKey;

beforeAll(async () => {
  [first, second] = [await makeKey("ES256", "first"), await makeKey("ES256", "second")];
}, 60_000);

const MINUTE = 60_000;
const UNKNOWN = { ok: false, reason: "unknown" };
const UNAVAILABLE = { ok: false, reason: "unavailable" };

function setUp(text = keySetOf(first)) {
  const clock = new FakeClock();
  const lines: string[] = [];
  const source = { text, reads: 0, fails: false, waits: null as Promise<void> | null };
  const read = async () => {
    source.reads++;
    const { fails, text, waits } = source;
    await waits;
    if (fails) throw new Error("an answer, got none");
    return text;
  };
  const keys = new KeySet({ read, clock, log: lineLog({ write: (line) => lines.push(line) }) });
  const has = async (id: string) => (await keys.find("ES256", id)).ok;
  return { clock, source, keys, lines, has, find: (id: string) => keys.find("ES256", id) };
}

describe("KeySet", () => {
  test("reads the keys with the first token, once, and uses them until they are old", async () => {
    const { clock, source, has } = setUp();
    expect(source.reads).toBe(0);
    expect(await Promise.all([has("first"), has("first"), has("first")])).toEqual([true, true, true]);
    clock.advance(10 * MINUTE - 1);
    expect(await has("first")).toBe(true);
    expect(source.reads).toBe(1);
    clock.advance(1);
    expect(await Promise.all([has("first"), has("first")])).toEqual([true, true]);
    expect(source.reads).toBe(2);
  });

  test("no longer takes a key that the issuer has withdrawn, once the keys are old", async () => {
    const { clock, source, has, find } = setUp(keySetOf(first, second));
    expect(await has("second")).toBe(true);
    source.text = keySetOf(first);
    clock.advance(10 * MINUTE - 1);
    expect(await has("second")).toBe(true);
    clock.advance(1);
    expect(await find("second")).toEqual(UNKNOWN);
    expect(await has("first")).toBe(true);
  });

  test("an issuer that withdraws all keys is believed, and the log says so", async () => {
    const { clock, source, has, lines } = setUp();
    expect(await has("first")).toBe(true);
    source.text = keySetOf();
    clock.advance(10 * MINUTE);
    expect(await has("first")).toBe(false);
    expect(lines.join()).toContain("The key set holds no key that a token can be checked with");
  });

  test("reads again for a key that it does not know, which is how an issuer begins to use a new one", async () => {
    const { clock, source, has } = setUp();
    expect(await has("first")).toBe(true);
    source.text = keySetOf(first, second);
    clock.advance(30_000);
    expect(await has("second")).toBe(true);
    expect(await has("first")).toBe(true);
    expect(source.reads).toBe(2);
  });

  test("reads once per cooldown, however many keys it does not know", async () => {
    const { clock, source, find, has } = setUp();
    const flood = async (count: number) =>
      await Promise.all(
        Array.from({ length: count }, (_, index) => find(`made up ${source.reads} ${index}`)),
      );
    expect(new Set((await flood(1_000)).map((answer) => JSON.stringify(answer)))).toEqual(
      new Set([JSON.stringify(UNKNOWN)]),
    );
    expect(source.reads).toBe(1);
    clock.advance(29_999);
    await flood(1_000);
    expect(source.reads).toBe(1);
    clock.advance(1);
    await flood(1_000);
    await flood(1_000);
    expect(source.reads).toBe(2);
    expect(await has("first")).toBe(true);
  });

  test("waits for a read with those whose key is not known, and with nobody else", async () => {
    const { clock, source, has } = setUp();
    expect(await has("first")).toBe(true);
    clock.advance(MINUTE);
    let answer = () => {};
    source.waits = new Promise((resolve) => answer = resolve);
    source.text = keySetOf(first, second);
    const waiting = Promise.all([has("second"), has("third")]);
    expect(await has("first")).toBe(true);
    answer();
    expect(await waiting).toEqual([true, false]);
    expect(source.reads).toBe(2);
  });

  test("while the source is out of reach, known keys go on, and of others it says that it cannot tell", async () => {
    const { clock, source, has, find, lines } = setUp();
    expect(await has("first")).toBe(true);
    source.fails = true;
    clock.advance(60 * MINUTE);
    expect(await has("first")).toBe(true);
    expect(await find("second")).toEqual(UNAVAILABLE);
    expect(source.reads).toBe(2);
    clock.advance(24 * 60 * MINUTE);
    expect(await has("first")).toBe(true);
    await expect.poll(() => lines.length).toBe(2);
    expect(lines[0]).toMatch(
      /WARN +Keys for tokens could not be read reason="expected an answer, got none" known=1/,
    );
    source.fails = false;
    source.text = keySetOf(first, second);
    clock.advance(30_000);
    expect(await has("second")).toBe(true);
    expect(lines.at(-1)).toContain("Keys for tokens can be read again");
  });

  test("an outage makes those with known keys wait for one read, and not for those that follow", async () => {
    const { clock, source, has } = setUp();
    expect(await has("first")).toBe(true);
    source.fails = true;
    clock.advance(10 * MINUTE);
    expect(await has("first")).toBe(true);
    clock.advance(30_000);
    let giveUp = () => {};
    source.waits = new Promise((resolve) => giveUp = resolve);
    expect(await Promise.all([has("first"), has("first")])).toEqual([true, true]);
    expect(source.reads).toBe(3);
    giveUp();
  });

  test("cannot tell of any key before it could read some, and tries again after the cooldown", async () => {
    const { clock, source, find, has } = setUp();
    source.fails = true;
    expect(await find("first")).toEqual(UNAVAILABLE);
    source.fails = false;
    clock.advance(29_999);
    expect(await find("first")).toEqual(UNAVAILABLE);
    expect(source.reads).toBe(1);
    clock.advance(1);
    expect(await has("first")).toBe(true);
  });

  test("keeps the keys that it has where what comes is no key set", async () => {
    const { clock, source, has, lines } = setUp();
    expect(await has("first")).toBe(true);
    for (const [index, text] of ["<html>down for maintenance</html>", "{}", ""].entries()) {
      source.text = text;
      clock.advance(10 * MINUTE);
      expect(await has("first"), text).toBe(true);
      await expect.poll(() => lines.length).toBe(index + 1);
    }
    expect(lines.join()).not.toContain("maintenance");
  });

  test("prepare() reads before the first token and says what is wrong", async () => {
    const good = setUp();
    expect(await good.keys.prepare()).toBeNull();
    expect(await good.has("first")).toBe(true);
    expect(good.source.reads).toBe(1);
    expect((await setUp("{}").keys.prepare())?.message).toBe(
      'a JSON Web Key Set, got JSON without a list "keys"',
    );
    expect((await setUp(keySetOf()).keys.prepare())?.message).toBe(
      "a JSON Web Key Set with a key for RS256, ES256 or EdDSA, got none",
    );
  });
});
