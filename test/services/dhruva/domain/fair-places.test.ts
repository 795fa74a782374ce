import { describe, expect, it } from "vitest";
import { FairPlaces, type GiveBack } from "../../../../services/dhruva/domain/fair-places.ts";

/** Take places until there is none for this caller. */
function takeAll(places: FairPlaces, caller: string): GiveBack[] {
  const taken: GiveBack[] = [];
  for (;;) {
    const place = places.take(caller);
    if (typeof place === "string") return taken;
    taken.push(place);
  }
}

describe("FairPlaces", () => {
  it("gives one caller two thirds of all places, and leaves the others for those who come later", () => {
    const places = new FairPlaces(64);
    expect(takeAll(places, "eve")).toHaveLength(43);
    expect(places.take("eve")).toBe("share");
    expect(places.take("ada")).toBeTypeOf("function");
  });

  it("gives each who comes later a share of what is left", () => {
    const places = new FairPlaces(64);
    const held = ["a", "b", "c", "d"].map((caller) => takeAll(places, caller).length);
    expect(held).toEqual([43, 14, 5, 1]);
    expect(places.take("e")).toBeTypeOf("function");
    expect(places.take("f")).toBe("all");
  });

  it.each([[1, 1], [2, 1], [3, 2], [4, 3], [6, 4]])("of %i gives one caller %i", (most, held) => {
    expect(takeAll(new FairPlaces(most), "eve")).toHaveLength(held);
  });

  it("says when all are taken, by however many", () => {
    const places = new FairPlaces(3);
    for (const caller of ["a", "b", "c"]) places.take(caller);
    expect(places.take("d")).toBe("all");
    expect(places.take("a")).toBe("all");
  });

  it("takes a place back once, and forgets whom it was given to", () => {
    const places = new FairPlaces(3);
    const [first, second] = takeAll(places, "eve");
    first!();
    first!();
    expect(places.taken).toBe(1);
    expect(places.take("eve")).toBeTypeOf("function");
    second!();
    expect(places.taken).toBe(1);
  });
});
