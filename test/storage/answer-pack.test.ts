import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AnswerPack, packName } from "../../src/storage/answer-pack.ts";

describe("AnswerPack", () => {
  it("finds what was saved last under each name, as a map does", () => {
    const names = fc.oneof(fc.constantFrom("", "a", "a\0", "é", "日😀"), fc.string({ maxLength: 3 }));
    const texts = fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.nat(5_000).map((length) => "é".repeat(length)),
    );
    const steps = fc.array(fc.tuple(names, texts, texts), { maxLength: 300 });
    fc.assert(fc.property(steps, (steps) => {
      const pack = new AnswerPack();
      const model = new Map<string, { digest: string; answer: string; at: number }>();
      for (const [at, [name, digest, answer]] of steps.entries()) {
        pack.save(packName(name), { digest, answer, at });
        model.set(name, { digest, answer, at });
      }
      for (const [name, kept] of model) expect(pack.find(packName(name))).toEqual(kept);
      expect(pack.find(packName("a name that nobody saved"))).toBeUndefined();
    }));
  });

  it("tells many names apart, and counts them and their bytes", () => {
    let pack = new AnswerPack();
    for (let generation = 0; generation < 2; generation++) {
      pack = new AnswerPack(pack);
      for (let n = 0; n < 10_000; n++) {
        pack.save(packName(`name ${n}`), { digest: "d", answer: `${n}`, at: n });
      }
      for (let n = 0; n < 10_000; n++) expect(pack.find(packName(`name ${n}`))?.answer).toBe(`${n}`);
      expect(pack.find(packName("name 10000"))).toBeUndefined();
      expect([pack.count, pack.bytes]).toEqual([10_000, 2 * 38_890 + 10_000 * ("name ".length + 1)]);
    }
  });

  it("keeps a byte order mark at the beginning of an answer", () => {
    const pack = new AnswerPack();
    pack.save(packName("a"), { digest: "", answer: "\ufeff1", at: 0 });
    expect(pack.find(packName("a"))?.answer).toBe("\ufeff1");
  });
});
