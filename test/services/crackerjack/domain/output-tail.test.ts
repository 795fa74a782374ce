import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { OutputTail } from "../../../../services/crackerjack/domain/output-tail.ts";

const SIZE = 16_384;
const bytes = (text: string) => new TextEncoder().encode(text);

function tailOf(chunks: readonly Uint8Array[]): string {
  const tail = new OutputTail();
  for (const chunk of chunks) tail.push(chunk);
  return tail.text;
}

describe("OutputTail", () => {
  test("is the last 16 KiB, whatever pieces it came in", () => {
    const letters = fc.array(fc.integer({ min: 97, max: 122 }), { maxLength: 400 });
    const chunk = fc.tuple(letters, fc.integer({ min: 0, max: 60 })).map(([some, times]) =>
      new Uint8Array(Array.from({ length: times }, () => some).flat())
    );
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 8 }), (chunks) => {
        const whole = chunks.map((chunk) => new TextDecoder().decode(chunk)).join("");
        expect(tailOf(chunks)).toBe(whole.slice(-SIZE));
      }),
      { numRuns: 200 },
    );
  });

  test("is empty where nothing came", () => {
    expect(tailOf([])).toBe("");
    expect(tailOf([new Uint8Array(), new Uint8Array()])).toBe("");
  });

  test("has no colours, no other control characters and no half characters", () => {
    expect(tailOf([bytes("\u001b[31mred\u001b[0m\u0007 and\tplain\r\n")])).toBe("red and\tplain");
    expect(tailOf([bytes("€".repeat(SIZE))]) === "€".repeat(Math.floor(SIZE / 3))).toBe(true);
    expect(tailOf([new Uint8Array(SIZE + 1).fill(0x80)]).length).toBe(SIZE - 3);
  });

  test("keeps no hold of the bytes that it was given", () => {
    const tail = new OutputTail();
    const chunk = bytes("before");
    tail.push(chunk);
    chunk.fill(120);
    expect(tail.text).toBe("before");
  });
});
