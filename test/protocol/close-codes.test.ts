import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CLOSE_CODES, closeReason, shouldReconnect } from "../../src/protocol/close-codes.ts";

const bytes = (text: string): number => new TextEncoder().encode(text).length;

describe("CLOSE_CODES", () => {
  it("has ten codes, each once", () => {
    const codes = Object.values(CLOSE_CODES).map((row) => row.code);
    expect(codes).toStrictEqual([1000, 1001, 1008, 1009, 1011, 1013, 4000, 4001, 4002, 4500]);
  });

  it("says of each code what shouldReconnect says", () => {
    for (const row of Object.values(CLOSE_CODES)) expect(shouldReconnect(row.code)).toBe(row.reconnect);
  });
});

describe("shouldReconnect", () => {
  it.each([1001, 1005, 1006, 1011, 1012, 1013, 1014, 4000, 4001, 4002, 4003, 4499])(
    "is true for %i",
    (code) => expect(shouldReconnect(code)).toBe(true),
  );

  it.each([0, 999, 1000, 1002, 1003, 1007, 1008, 1009, 1010, 1015, 3000, 3999, 4500, 4501, 4999, 5000, NaN])(
    "is false for %d",
    (code) => expect(shouldReconnect(code)).toBe(false),
  );
});

describe("closeReason", () => {
  it.each([
    ["a short text as it is", "Slow consumer", "Slow consumer"],
    ["nothing as nothing", "", ""],
    ["123 bytes as they are", "a".repeat(123), "a".repeat(123)],
    ["124 bytes without the last", "a".repeat(124), "a".repeat(123)],
    ["no half of a character of two bytes", "a" + "é".repeat(62), "a" + "é".repeat(61)],
    ["no half of a character of three bytes", "日".repeat(42), "日".repeat(41)],
    ["no half of a character of four bytes", "a".repeat(120) + "😀", "a".repeat(120)],
    ["a character of four bytes that just fits", "a".repeat(119) + "😀b", "a".repeat(119) + "😀"],
    ["a lone surrogate as U+FFFD", "a\ud800", "a\ufffd"],
  ])("returns %s", (_, text, cut) => expect(closeReason(text)).toBe(cut));

  it("never takes more than 123 bytes, and never a byte less than fits", () => {
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
      const cut = closeReason(text);
      expect(text.startsWith(cut)).toBe(true);
      expect(bytes(cut)).toBeLessThanOrEqual(123);
      const next = [...text.slice(cut.length)][0];
      if (next !== undefined) expect(bytes(cut + next)).toBeGreaterThan(123);
    }));
  });
});
