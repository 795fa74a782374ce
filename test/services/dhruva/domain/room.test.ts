import { describe, expect, it } from "vitest";
import { Room } from "../../../../services/dhruva/domain/room.ts";

describe("Room", () => {
  it("holds what was announced until it is kept or given up", () => {
    let kept = 40;
    const room = new Room(100, () => kept);
    const first = room.reserve(50)!;
    expect(room.reserve(11)).toBeNull();
    const second = room.reserve(10)!;
    expect(room.reserve(1)).toBeNull();
    first.release();
    first.release();
    expect(room.reserve(51)).toBeNull();
    kept += 10;
    second.release();
    expect(room.reserve(50)).not.toBeNull();
  });

  it("grows with what was not announced, as far as there is room", () => {
    const room = new Room(10, () => 0);
    const first = room.reserve(0)!;
    const second = room.reserve(4)!;
    expect([first.grow(6), first.grow(7), second.grow(4), second.grow(5)]).toEqual([
      true,
      false,
      true,
      false,
    ]);
    first.release();
    expect(second.grow(10)).toBe(true);
    expect(first.grow(1)).toBe(true);
    expect(first.grow(7)).toBe(false);
  });

  it("has no end where there is no limit, and takes nothing where the limit is below what is kept", () => {
    expect(new Room(0, () => 1e15).reserve(1e15)).not.toBeNull();
    const over = new Room(10, () => 20);
    expect(over.reserve(1)).toBeNull();
    expect(over.reserve(0)!.grow(1)).toBe(false);
  });
});
