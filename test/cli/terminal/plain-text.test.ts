/**
 * Text of others, made fit for a terminal.
 */
import { expect, it } from "vitest";
import { cut, cutPainted, plainJson, plainText } from "../../../src/cli/terminal/plain-text.ts";

it("plainText escapes whatever steers a terminal or turns the reading direction, and nothing else", () => {
  expect(plainText("a\u001b[31m\u0007\u009b\u007f\r\n\u2028\u202e\u{e0001}")).toBe(
    "a\\u001b[31m\\u0007\\u009b\\u007f\\u000d\\u000a\\u2028\\u202e\\udb40\\udc01",
  );
  expect(plainText("häuser 家 🏠 \"'\\")).toBe("häuser 家 🏠 \"'\\");
});

it("plainJson stays the JSON of the same value", () => {
  const value = { "a\u009b": ["\u202e", "\u001b[2J", "\u{e0001}", 12n ** 20n], "\u2028": null };
  const text = plainJson(value);
  expect(text).not.toMatch(/[\p{Cc}\p{Cf}\u2028]/u);
  expect(JSON.parse(text)).toEqual({
    ...value,
    "a\u009b": ["\u202e", "\u001b[2J", "\u{e0001}", Number(12n ** 20n)],
  });
});

it("cut never exceeds the width, nor halves a character", () => {
  expect(cut("abcdef", 6)).toBe("abcdef");
  expect(cut("abcdef", 5)).toBe("abcd…");
  expect(cut("🏠🏠🏠", 3)).toBe("🏠🏠🏠");
  expect(cut("🏠🏠🏠", 2)).toBe("🏠…");
});

it("cutPainted counts no colours, and ends them", () => {
  const text = "\u001b[32m●\u001b[39m akosha: \u001b[31mlost\u001b[39m";
  expect(cutPainted(text, 14)).toBe(text);
  expect(cutPainted(text, 13)).toBe("\u001b[32m●\u001b[39m akosha: \u001b[31mlo\u001b[39m…");
  expect(cutPainted(text, 1)).toBe("\u001b[32m\u001b[39m\u001b[31m\u001b[39m…");
});
