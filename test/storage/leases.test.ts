import { describe, expect, it } from "vitest";
import { type Lease, type Leases, LeaseTable } from "../../src/storage/leases.ts";
import { MemoryLeases } from "../../src/storage/memory-leases.ts";
import { newDatabase, newDatabasePath } from "./database-file.ts";

const kinds: [string, () => Promise<Leases>][] = [
  ["LeaseTable", async () => new LeaseTable(await newDatabase())],
  ["MemoryLeases", () => Promise.resolve(new MemoryLeases())],
];

const lease = (text: string): Lease => {
  const [channel, user_id, holder] = text.split(" ") as [string, string, string];
  return { channel, user_id, holder };
};
const words = ({ channel, user_id, holder }: Lease) => `${channel} ${user_id} ${holder}`;

describe.each(kinds)("%s", (_, make) => {
  it("keeps each lease once, oldest first", async () => {
    const leases = await make();
    for (const text of ["doc:a ada c1", "doc:a bob c2", "doc:a ada c3", "doc:a ada c1", "doc:b ada c1"]) {
      leases.put(lease(text));
    }
    expect(leases.of("doc:a").map(words)).toEqual(["doc:a ada c1", "doc:a bob c2", "doc:a ada c3"]);
    expect(leases.byHolder("c1").map(words)).toEqual(["doc:a ada c1", "doc:b ada c1"]);
    expect(leases.holders().sort()).toEqual(["c1", "c2", "c3"]);
    expect([leases.of("doc:c"), leases.byHolder("c4")]).toEqual([[], []]);
  });

  it("has a user in a channel until the last of its leases is removed", async () => {
    const leases = await make();
    for (const text of ["doc:a ada c1", "doc:a ada c2"]) leases.put(lease(text));
    leases.remove(lease("doc:a ada c1"));
    leases.remove(lease("doc:a ada c1"));
    leases.remove(lease("doc:a bob c2"));
    expect(leases.has({ channel: "doc:a", user_id: "ada" })).toBe(true);
    leases.remove(lease("doc:a ada c2"));
    expect(leases.has({ channel: "doc:a", user_id: "ada" })).toBe(false);
    expect([leases.of("doc:a"), leases.byHolder("c2"), leases.holders()]).toEqual([[], [], []]);
  });

  it("tells names apart, whatever they hold", async () => {
    const leases = await make();
    leases.put({ channel: 'doc:a","b', user_id: "c", holder: "1" });
    expect(leases.has({ channel: "doc:a", user_id: 'b","c' })).toBe(false);
    expect(leases.has({ channel: 'doc:a","b', user_id: "c" })).toBe(true);
  });
});

it("LeaseTable has its leases in a new process", async () => {
  const path = newDatabasePath();
  const first = await newDatabase(path);
  new LeaseTable(first).put(lease("doc:a ada c1"));
  first.close();
  expect(new LeaseTable(await newDatabase(path)).of("doc:a").map(words)).toEqual(["doc:a ada c1"]);
});
