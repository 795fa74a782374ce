import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fingerprint, utf8Length } from "../../src/protocol/utf8.ts";

const LONG = 'é日😀"x'.repeat(20_000);

describe("utf8Length", () => {
  it("counts the bytes that a text has in UTF-8", () => {
    const encoder = new TextEncoder();
    const strings = fc.oneof(fc.string(), fc.string({ unit: "binary" }));
    fc.assert(
      fc.property(strings, (text) => void expect(utf8Length(text)).toBe(encoder.encode(text).length)),
    );
    for (const text of ["", "a", "\ud800", "\udc00x", LONG]) {
      expect(utf8Length(text)).toBe(encoder.encode(text).length);
    }
  });
});

describe("fingerprint", () => {
  it("gives twelve plain characters, always the same for a text", () => {
    for (const text of ["", "a", LONG]) {
      expect(fingerprint(text)).toMatch(/^[0-o]{12}$/);
      expect(fingerprint(`${text}`)).toBe(fingerprint(text));
    }
  });

  it("tells texts apart that differ in one character, at the end or in length", () => {
    const texts = new Set<string>();
    for (let n = 0; n < 300; n++) {
      texts.add("a".repeat(n)).add("\0".repeat(n)).add(`${LONG}${n}`).add(`${n}${LONG}`);
    }
    for (let at = 0; at < 100; at++) {
      for (const unit of "bé日") texts.add("a".repeat(at) + unit + "a".repeat(99 - at));
    }
    expect(new Set([...texts].map(fingerprint)).size).toBe(texts.size);
  });
});
