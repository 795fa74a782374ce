import { describe, expect, test } from "vitest";
import { Places } from "../../src/limits/places.ts";

const take = (places: Places, address: string | null) => {
  const place = places.take(address);
  return typeof place === "string" ? place : "taken";
};

describe("Places", () => {
  test("places are given up to the bound of an address, and again when one comes back", () => {
    const places = new Places({ total: 0, perAddress: 2, loopbackExempt: true });
    const first = places.take("192.0.2.1");
    expect(take(places, "192.0.2.1")).toBe("taken");
    expect(take(places, "::ffff:192.0.2.1")).toBe("address");
    expect(take(places, "192.0.2.2")).toBe("taken");
    if (typeof first !== "string") {
      first();
      first();
    }
    expect(take(places, "192.0.2.1")).toBe("taken");
    expect(take(places, "192.0.2.1")).toBe("address");
  });

  test("places are given up to the bound in all, whoever asks", () => {
    const places = new Places({ total: 2, perAddress: 0, loopbackExempt: true });
    const first = places.take(null);
    expect(take(places, "127.0.0.1")).toBe("taken");
    expect(take(places, "192.0.2.1")).toBe("total");
    if (typeof first !== "string") first();
    expect(take(places, "192.0.2.1")).toBe("taken");
  });

  test("this machine is held to the bound of an address only where it is not exempt", () => {
    const [exempt, held] = [true, false].map((loopbackExempt) =>
      new Places({ total: 0, perAddress: 1, loopbackExempt })
    );
    for (const address of ["127.0.0.1", "::1"]) {
      expect([take(exempt!, address), take(exempt!, address)]).toEqual(["taken", "taken"]);
      expect([take(held!, address), take(held!, address)]).toEqual(["taken", "address"]);
    }
  });

  test("places that are entered and left count with those that are taken and given back", () => {
    const places = new Places({ total: 3, perAddress: 2, loopbackExempt: false });
    expect([places.enter("192.0.2.1"), take(places, "::ffff:192.0.2.1")]).toEqual([null, "taken"]);
    expect([places.enter("192.0.2.1"), take(places, "192.0.2.1")]).toEqual(["address", "address"]);
    expect([places.enter(null), places.enter("192.0.2.2")]).toEqual([null, "total"]);
    places.leave("192.0.2.1");
    expect([places.enter("192.0.2.1"), places.enter("192.0.2.1")]).toEqual([null, "total"]);
    places.leave(null);
    expect([places.enter("192.0.2.1"), places.enter("192.0.2.2")]).toEqual(["address", null]);
  });

  test("an address that nobody knows is held to the bound in all only", () => {
    const places = new Places({ total: 3, perAddress: 1, loopbackExempt: false });
    expect([1, 2, 3, 4].map(() => take(places, null))).toEqual(["taken", "taken", "taken", "total"]);
  });
});
