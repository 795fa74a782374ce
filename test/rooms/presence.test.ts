import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { MemoryBroker } from "../../src/broker/memory.ts";
import { MemoryJournal } from "../../src/broker/memory-journal.ts";
import type { Database } from "../../src/ports/database.ts";
import { lineLog } from "../../src/ports/log.ts";
import { defineContract } from "../../src/protocol/contract.ts";
import type { SequencedEvent } from "../../src/protocol/event.ts";
import { Hub } from "../../src/rooms/hub.ts";
import { Presence } from "../../src/rooms/presence.ts";
import type { Member } from "../../src/rooms/subscription.ts";
import { createCommit } from "../../src/storage/commit.ts";
import { EventTable } from "../../src/storage/event-table.ts";
import { LeaseTable } from "../../src/storage/leases.ts";
import { MemoryAnswers } from "../../src/storage/memory-answers.ts";
import { MemoryLeases } from "../../src/storage/memory-leases.ts";
import { Pump } from "../../src/storage/pump.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { newDatabase } from "../storage/database-file.ts";

const LEASE_MS = 30_000;

const of = (doc: v.GenericSchema<string>) => v.object({ doc_id: doc, user_id: v.string() });
const plainId = v.pipe(v.string(), v.regex(/^[a-z]+$/));

const contract = defineContract({
  name: "demo",
  ports: { http: 0, websocket: 10 },
  channels: {
    doc: { description: "A document", id: "doc_id", presence: { joined: "doc.opened", left: "doc.left" } },
    cursor: {
      description: "Cursors",
      id: "doc_id",
      ephemeral: true,
      presence: { joined: "cursor.shown", left: "cursor.hidden" },
    },
    lobby: { description: "Everybody", presence: { joined: "lobby.entered", left: "lobby.left" } },
    note: { description: "Does not tell who is there", id: "doc_id" },
  },
  events: {
    "doc.opened": { description: "Came", channels: ["doc"], data: of(plainId) },
    "doc.left": { description: "Went", channels: ["doc"], data: of(v.string()) },
    "cursor.shown": { description: "Came", channels: ["cursor"], data: of(v.string()) },
    "cursor.hidden": { description: "Went", channels: ["cursor"], data: of(v.string()) },
    "lobby.entered": { description: "Came", channels: ["lobby"], data: v.object({ user_id: v.string() }) },
    "lobby.left": { description: "Went", channels: ["lobby"], data: v.object({ user_id: v.string() }) },
  },
  requests: {},
});

/** A clock on which a tick may last while time passes, as it may in a process that is busy. */
class BusyClock extends FakeClock {
  isBusy = false;

  override tick(): void {
    if (!this.isBusy) super.tick();
  }
}

/** One process after another on the same database, or on none. */
function makeHouse(database: Database | null) {
  const clock = new BusyClock();
  const lines: string[] = [];
  const events: SequencedEvent[] = [];
  const log = lineLog({ level: "debug", write: (line) => lines.push(line) });
  const memoryLeases = new MemoryLeases();

  function open(leaseMs = LEASE_MS) {
    const journal = database ? new EventTable({ database, clock }) : new MemoryJournal({ clock });
    const broker = new MemoryBroker({ journal, onError: (error) => lines.push(String(error)) });
    const hub = new Hub({ server: "demo", clock });
    broker.subscribe((event, cause) => {
      events.push(event);
      hub.deliver(event, cause);
    });
    const answers = new MemoryAnswers({ clock });
    const pump = new Pump({ broker, clock, log });
    const { commit } = createCommit({ contract, journal, answers, pump, clock });
    const leases = database ? new LeaseTable(database) : memoryLeases;
    const presence = new Presence({
      channels: contract.channels,
      hub,
      leases,
      commit: commit as unknown as ConstructorParameters<typeof Presence>[0]["commit"],
      clock,
      leaseMs,
      log,
    });
    presence.start();
    return { hub, presence, leases, journal };
  }

  return {
    clock,
    lines,
    open,
    /** Ends the tick, and tells the events since the last call. */
    told(): string[] {
      clock.tick();
      return events.splice(0).map(({ event, channel, data }) => `${event} ${channel} ${data["user_id"]}`);
    },
    events,
  };
}

interface User extends Member {
  userId: string | null;
  readonly frames: string[];
}

function connection(id: string, userId: string | null): User {
  const frames: string[] = [];
  return { id, userId, frames, deliver: (frame) => void frames.push(JSON.parse(frame.text).event) };
}

function enter(hub: Hub, member: Member, ...names: string[]): void {
  for (const name of names) {
    const place = { name, kind: name.split(":")[0]!, wildcard: name.endsWith(":*") };
    hub.join(member, place, { filter: null, start: 0, joinedAt: 0 }).live = true;
  }
}

const kinds: [string, () => Promise<Database | null>][] = [
  ["a database", () => newDatabase()],
  ["no database", () => Promise.resolve(null)],
];

describe.each(kinds)("Presence on %s", (_, makeDatabase) => {
  const start = async () => {
    const house = makeHouse(await makeDatabase());
    return { ...house, ...house.open() };
  };

  test("tells the first connection of a user in a channel, and the end of the last one", async () => {
    const { hub, told, presence } = await start();
    const [one, two] = [connection("c1", "ada"), connection("c2", "ada")];
    enter(hub, one, "doc:a");
    expect(told()).toEqual(["doc.opened doc:a ada"]);
    enter(hub, two, "doc:a", "doc:b");
    expect(told()).toEqual(["doc.opened doc:b ada"]);
    expect(presence.users("doc:a")).toEqual([{ user_id: "ada", connections: 2 }]);
    hub.leave(one, "doc:a");
    expect(told()).toEqual([]);
    expect(presence.users("doc:a")).toEqual([{ user_id: "ada", connections: 1 }]);
    hub.leaveAll(two);
    expect(told()).toEqual(["doc.left doc:a ada", "doc.left doc:b ada"]);
    expect(presence.users("doc:a")).toEqual([]);
  });

  test("tells members of the channel, the one who comes among them", async () => {
    const { hub, told } = await start();
    const [ada, bob] = [connection("c1", "ada"), connection("c2", "bob")];
    enter(hub, ada, "doc:a");
    told();
    enter(hub, bob, "doc:a");
    told();
    expect([ada.frames, bob.frames]).toEqual([["doc.opened", "doc.opened"], ["doc.opened"]]);
  });

  test("tells of a channel without an id, and of an ephemeral one without keeping it", async () => {
    const { hub, told, journal } = await start();
    const ada = connection("c1", "ada");
    enter(hub, ada, "lobby", "cursor:a");
    expect(told()).toEqual(["lobby.entered lobby ada", "cursor.shown cursor:a ada"]);
    hub.leaveAll(ada);
    expect(told()).toEqual(["lobby.left lobby ada", "cursor.hidden cursor:a ada"]);
    expect(journal.read({ channel: "lobby" }, 0, 10)).toHaveLength(2);
    expect(journal.read({ channel: "cursor:a" }, 0, 10)).toHaveLength(0);
  });

  test("tells nothing of who is anonymous, came by a wildcard, or is where nobody is told of", async () => {
    const { hub, told, presence, leases } = await start();
    enter(hub, connection("c1", null), "doc:a");
    enter(hub, connection("c2", "ada"), "doc:*", "note:a");
    expect(told()).toEqual([]);
    expect(leases.holders()).toEqual([]);
    expect(presence.users("doc:a")).toEqual([]);
    expect(presence.users("note:a")).toBe(null);
    expect(presence.users("nothing:a")).toBe(null);
  });

  test("tells nothing of who comes and goes within a tick, or changes connections", async () => {
    const { hub, told } = await start();
    const [one, two] = [connection("c1", "ada"), connection("c2", "ada")];
    enter(hub, one, "doc:a");
    hub.leaveAll(one);
    expect(told()).toEqual([]);
    enter(hub, one, "doc:a");
    told();
    hub.leaveAll(one);
    enter(hub, two, "doc:a");
    expect(told()).toEqual([]);
  });

  test("ends the leases of a user that a connection is no longer, and begins those of the new one", async () => {
    const { hub, told, presence } = await start();
    const member = connection("c1", "ada");
    enter(hub, member, "doc:a", "doc:*", "note:a");
    told();
    member.userId = "bob";
    hub.identified(member);
    expect(told()).toEqual(["doc.left doc:a ada", "doc.opened doc:a bob"]);
    member.userId = null;
    hub.identified(member);
    expect(told()).toEqual(["doc.left doc:a bob"]);
    member.userId = "bob";
    hub.identified(member);
    expect(told()).toEqual(["doc.opened doc:a bob"]);
    hub.identified(member);
    expect(told()).toEqual([]);
    expect(presence.users("doc:a")).toEqual([{ user_id: "bob", connections: 1 }]);
  });

  test("answers for who has come in this tick too", async () => {
    const { hub, presence } = await start();
    enter(hub, connection("c1", "ada"), "doc:a");
    expect(presence.users("doc:a")).toEqual([{ user_id: "ada", connections: 1 }]);
  });

  test("leaves out whom the contract cannot tell of, and nobody else", async () => {
    const { hub, told, presence, lines } = await start();
    const ada = connection("c1", "ada");
    enter(hub, ada, "doc:A-1", "doc:a");
    enter(hub, connection("c2", "bob"), "doc:a");
    expect(told()).toEqual(["doc.opened doc:a ada", "doc.opened doc:a bob"]);
    expect(presence.users("doc:A-1")).toEqual([]);
    expect(lines.some((line) => line.includes("could not be told of"))).toBe(true);
    hub.leaveAll(ada);
    expect(told()).toEqual(["doc.left doc:a ada"]);
  });

  test("knows a user by what can be written of its id", async () => {
    const { hub, told, clock, presence } = await start();
    const odd = connection("c1", "ad\ud800a\0");
    enter(hub, odd, "doc:a");
    expect(told()).toEqual(["doc.opened doc:a ad\ufffda\ufffd"]);
    enter(hub, odd, "doc:b");
    expect(told()).toEqual(["doc.opened doc:b ad\ufffda\ufffd"]);
    clock.advance(LEASE_MS);
    expect(told()).toEqual([]);
    expect(presence.users("doc:a")).toEqual([{ user_id: "ad\ufffda\ufffd", connections: 1 }]);
  });

  test("tells those to have left who are cut off while it is told that they came", async () => {
    const { hub, told, presence } = await start();
    const watcher = connection("c0", null);
    enter(hub, watcher, "doc:a", "doc:b");
    const slow: Member = {
      id: "c1",
      userId: "ada",
      deliver: ({ text }) => void (JSON.parse(text).room === "doc:a" && hub.leave(slow, "doc:a")),
    };
    enter(hub, slow, "doc:a", "doc:b");
    expect(told()).toEqual(["doc.opened doc:a ada", "doc.opened doc:b ada", "doc.left doc:a ada"]);
    expect(presence.users("doc:a")).toEqual([]);
    expect(presence.users("doc:b")).toEqual([{ user_id: "ada", connections: 1 }]);
  });

  test("goes on for more members than one transaction changes", async () => {
    const { hub, told } = await start();
    const crowd = Array.from({ length: 600 }, (_, n) => connection(`c${n}`, `user ${n}`));
    for (const member of crowd) enter(hub, member, "lobby");
    expect(told()).toHaveLength(600);
    for (const member of crowd) hub.leaveAll(member);
    expect(told()).toHaveLength(600);
  });

  test("tells those to have left after a crash who are not back in time, and of the others nothing", async () => {
    const { hub, told, open, clock } = await start();
    enter(hub, connection("c1", "ada"), "doc:a");
    enter(hub, connection("c2", "ada"), "doc:a");
    enter(hub, connection("c3", "bob"), "doc:a");
    told();

    // The former process says and does nothing more.
    hub.listener = null;
    const next = open();
    expect(told()).toEqual([]);
    expect(next.presence.users("doc:a")).toEqual([
      { user_id: "ada", connections: 2 },
      { user_id: "bob", connections: 1 },
    ]);
    clock.advance(LEASE_MS - 1);
    const ada = connection("c4", "ada");
    enter(next.hub, ada, "doc:a");
    expect(told()).toEqual([]);
    expect(next.presence.users("doc:a")).toEqual([
      { user_id: "ada", connections: 1 },
      { user_id: "bob", connections: 1 },
    ]);
    clock.advance(10_000);
    expect(told()).toEqual(["doc.left doc:a bob"]);
    next.hub.leaveAll(ada);
    expect(told()).toEqual(["doc.left doc:a ada"]);
    clock.advance(10 * LEASE_MS);
    expect(told()).toEqual([]);
  });

  test("tells nothing of who comes back in the tick in which its lease would end", async () => {
    const { hub, told, open, clock } = await start();
    enter(hub, connection("c1", "ada"), "doc:a");
    enter(hub, connection("c2", "bob"), "doc:a");
    told();
    hub.listener = null;
    const next = open();
    clock.isBusy = true;
    enter(next.hub, connection("c3", "ada"), "doc:a");
    clock.advance(2 * LEASE_MS);
    clock.isBusy = false;
    expect(told()).toEqual(["doc.left doc:a bob"]);
  });

  test("tells at once after a start who has left where the lease is 0", async () => {
    const { hub, told, open } = await start();
    enter(hub, connection("c1", "ada"), "doc:a");
    told();
    hub.listener = null;
    open(0);
    expect(told()).toEqual(["doc.left doc:a ada"]);
  });

  test("keeps leases over a stop, those of the same tick included", async () => {
    const { hub, told, open, presence, clock } = await start();
    const ada = connection("c1", "ada");
    enter(hub, ada, "doc:a");
    presence.stop();
    hub.leaveAll(ada);
    expect(told()).toEqual(["doc.opened doc:a ada"]);
    expect(clock.pending).toBe(0);
    const next = open();
    enter(next.hub, connection("c2", "ada"), "doc:a");
    clock.advance(2 * LEASE_MS);
    expect(told()).toEqual([]);
    expect(next.presence.users("doc:a")).toEqual([{ user_id: "ada", connections: 1 }]);
  });

  test("forgets in silence who was in a channel whose kind no longer tells of it", async () => {
    const { leases, told, open, clock } = await start();
    leases.put({ channel: "note:a", holder: "former", user_id: "ada" });
    open();
    clock.advance(2 * LEASE_MS);
    expect(told()).toEqual([]);
    expect(leases.holders()).toEqual([]);
  });
});

describe("Presence", () => {
  test("writes lease and event as one, and tries again where the database refuses", async () => {
    const database = await newDatabase();
    const { open, told, clock, lines } = makeHouse(database);
    const { hub, presence, leases, journal } = open();
    const refuse = (when: string) =>
      database.exec(
        `CREATE TRIGGER refuse BEFORE ${when} ON presence_leases BEGIN SELECT RAISE(ABORT, 'disk full'); END`,
      );
    const ada = connection("c1", "ada");
    refuse("INSERT");
    enter(hub, ada, "doc:a");
    expect(told()).toEqual([]);
    expect(presence.users("doc:a")).toEqual([]);
    expect(journal.read({ kind: "doc" }, 0, 10)).toEqual([]);
    expect(lines.some((line) => line.includes("disk full"))).toBe(true);
    database.exec("DROP TRIGGER refuse");
    clock.advance(5_000);
    expect(told()).toEqual(["doc.opened doc:a ada"]);

    refuse("DELETE");
    hub.leaveAll(ada);
    expect(told()).toEqual([]);
    expect(leases.of("doc:a")).toHaveLength(1);
    expect(journal.read({ kind: "doc" }, 0, 10)).toHaveLength(1);
    database.exec("DROP TRIGGER refuse");
    clock.advance(5_000);
    expect(told()).toEqual(["doc.left doc:a ada"]);
  });
});
