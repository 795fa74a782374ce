import { describe, expect, it } from "vitest";
import { LeaseKeeper } from "../../src/storage/lease-keeper.ts";
import type { Lease } from "../../src/storage/leases.ts";
import { MemoryLeases } from "../../src/storage/memory-leases.ts";
import { FakeClock } from "../support/fake-clock.ts";

const LEASE_MS = 20_000;

function makeKeeper(leaseMs = LEASE_MS) {
  const clock = new FakeClock();
  const kept = new MemoryLeases();
  const ended: string[] = [];
  const errors: unknown[] = [];
  const wishes = { fails: false };
  const batches: number[] = [];
  const keeper: LeaseKeeper<Lease> = new LeaseKeeper({
    clock,
    leaseMs,
    kept,
    idOf: ({ channel, holder, user_id }) => JSON.stringify([channel, holder, user_id]),
    end(leases) {
      if (wishes.fails) throw new Error("disk full");
      batches.push(leases.length);
      for (const lease of leases) {
        kept.remove(lease);
        keeper.forget(lease);
        ended.push(`${lease.user_id} ${lease.holder}`);
      }
    },
    onError: (error) => errors.push(error),
  });
  const put = (user_id: string, holder: string) => {
    const lease = { channel: "doc:a", holder, user_id };
    kept.put(lease);
    keeper.begin(lease);
    return lease;
  };
  return { clock, kept, keeper, ended, errors, wishes, batches, put };
}

describe("LeaseKeeper", () => {
  it("keeps what is held by a holder that is up, and ends it with its holder", () => {
    const { clock, keeper, ended, put } = makeKeeper();
    keeper.start();
    keeper.up("c1");
    put("ada", "c1");
    put("bob", "c1");
    clock.advance(10 * LEASE_MS);
    expect(ended).toEqual([]);
    keeper.down("c1");
    expect(ended).toEqual(["ada c1", "bob c1"]);
    expect(keeper.isUp("c1")).toBe(false);
  });

  it("gives what a former process has left a time from the first sweep on", () => {
    const { clock, kept, keeper, ended } = makeKeeper();
    kept.put({ channel: "doc:a", holder: "former", user_id: "ada" });
    keeper.sweep();
    keeper.start();
    clock.advance(LEASE_MS - 1);
    expect(ended).toEqual([]);
    clock.advance(5_000);
    expect(ended).toEqual(["ada former"]);
  });

  it("ends what a former process has left at once where leases have no time", () => {
    const { kept, keeper, ended } = makeKeeper(0);
    kept.put({ channel: "doc:a", holder: "former", user_id: "ada" });
    keeper.sweep();
    expect(ended).toEqual(["ada former"]);
  });

  it("renews a lease that would end by time, and no other", () => {
    const { clock, kept, keeper, ended, put } = makeKeeper();
    keeper.start();
    const ada = put("ada", "nobody");
    put("bob", "nobody");
    clock.advance(15_000);
    keeper.renew(ada);
    const eve = { channel: "doc:a", holder: "nobody", user_id: "eve" };
    keeper.renew(eve);
    clock.advance(10_000);
    expect(ended).toEqual(["bob nobody"]);
    expect(kept.of("doc:a")).toEqual([ada]);
    clock.advance(15_000);
    expect(ended).toEqual(["bob nobody", "ada nobody"]);
  });

  it("sees in a later sweep to what could not be ended, and tells of every failure", () => {
    const { clock, keeper, ended, errors, wishes, put } = makeKeeper();
    keeper.start();
    keeper.up("c1");
    put("ada", "c1");
    wishes.fails = true;
    expect(() => keeper.down("c1")).toThrow("disk full");
    clock.advance(2 * LEASE_MS);
    expect(errors.length).toBeGreaterThan(0);
    wishes.fails = false;
    clock.advance(5_000);
    expect(ended).toEqual(["ada c1"]);
  });

  it("ends many in transactions of at most 256", () => {
    const { keeper, batches, put } = makeKeeper();
    keeper.up("c1");
    for (let n = 0; n < 600; n++) put(`user ${n}`, "c1");
    keeper.down("c1");
    expect(batches).toEqual([256, 256, 88]);
  });

  it("leaves all as it is when it has been stopped", () => {
    const { clock, keeper, ended, put } = makeKeeper();
    keeper.start();
    put("ada", "nobody");
    keeper.stop();
    clock.advance(10 * LEASE_MS);
    expect(ended).toEqual([]);
    expect(clock.pending).toBe(0);
  });
});
