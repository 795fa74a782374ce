import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Output, tailOf } from "../../../services/mahavishnu/domain/output.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

function outputOf(bound: number, ...parts: readonly Uint8Array[]): Output {
  const output = new Output(bound);
  for (const part of parts) output.add(part);
  return output;
}

describe("Output", () => {
  test("keeps all of what fits into its bound", () => {
    const output = outputOf(8, bytes("abcd"), bytes("efgh"));
    expect(output.read()).toEqual({ text: "abcdefgh", totalBytes: 8, omittedBytes: 0 });
  });

  test("keeps beginning and end of more, and says how much is left out between", () => {
    const output = outputOf(8, bytes("abcdefghi"), bytes("jkl"));
    expect(output.read()).toEqual({
      text: "abcd\n[... 4 bytes left out ...]\nijkl",
      totalBytes: 12,
      omittedBytes: 4,
    });
  });

  test("is head and tail of all that was added, however it was cut", () => {
    const part = fc.stringMatching(/^[ -~]{0,40}$/).map(bytes);
    fc.assert(fc.property(fc.integer({ min: 2, max: 64 }), fc.array(part), (bound, parts) => {
      const all = new TextDecoder().decode(Uint8Array.from(parts.flatMap((part) => [...part])));
      const half = Math.floor(bound / 2);
      const omitted = Math.max(0, all.length - 2 * half);
      const text = omitted === 0
        ? all
        : `${all.slice(0, half)}\n[... ${omitted} bytes left out ...]\n${all.slice(all.length - half)}`;
      expect(outputOf(bound, ...parts).read()).toEqual({
        text,
        totalBytes: all.length,
        omittedBytes: omitted,
      });
    }));
  });

  test("can be read while it grows", () => {
    const output = outputOf(8, bytes("abc"));
    expect(output.read().text).toBe("abc");
    output.note("def");
    expect(output.read().text).toBe("abcdef\n");
  });

  test("shows NUL and bytes that are no UTF-8 as what cannot be shown", () => {
    expect(outputOf(16, Uint8Array.of(0x61, 0, 0xff, 0x62)).read().text).toBe("a\ufffd\ufffdb");
  });
});

test("tailOf gives the end, and no half of a surrogate pair", () => {
  expect(tailOf("abcdef", 3)).toBe("def");
  expect(tailOf("abc", 3)).toBe("abc");
  expect(tailOf("a😀b", 2)).toBe("\ufffdb");
  expect(tailOf("abc", 0)).toBe("");
  expect(tailOf("x".repeat(5_000))).toHaveLength(1_024);
});
