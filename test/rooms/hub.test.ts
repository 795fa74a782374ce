import { describe, expect, test } from "vitest";
import type { Frame } from "../../src/ports/socket.ts";
import { Frame as TextFrame } from "../../src/ports/socket.ts";
import type { SequencedEvent } from "../../src/protocol/event.ts";
import { Hub } from "../../src/rooms/hub.ts";
import type { Member, Place } from "../../src/rooms/subscription.ts";

function member(id: string): Member & { readonly frames: Frame[]; readonly causes: (symbol | undefined)[] } {
  const frames: Frame[] = [];
  const causes: (symbol | undefined)[] = [];
  return {
    id,
    userId: null,
    frames,
    causes,
    deliver(frame, cause) {
      frames.push(frame);
      causes.push(cause);
    },
  };
}

const place = (name: string): Place => ({ name, kind: name.split(":")[0]!, wildcard: name.endsWith(":*") });
const event = (channel: string, seq: number, type = "doc.changed"): SequencedEvent => ({
  id: `id${seq}`,
  channel,
  event: type,
  data: { seq },
  timestamp: "2026-01-01T00:00:00.000Z",
  ephemeral: false,
  epoch: "e1",
  seq,
  prev: 0,
});

function live(hub: Hub, who: Member, name: string, filter: string[] | null = null) {
  const options = { filter: filter && new Set(filter), start: 0, joinedAt: 0 };
  const subscription = hub.join(who, place(name), options);
  subscription.live = true;
  return subscription;
}

describe("Hub", () => {
  test("Hub encodes once and hands the same frame and the cause to every member", () => {
    const hub = new Hub({ server: "demo" });
    const members = [member("1"), member("2"), member("3")];
    live(hub, members[0]!, "doc:a");
    live(hub, members[1]!, "doc:*");
    live(hub, members[2]!, "doc:b");
    const cause = Symbol("cause");
    hub.deliver(event("doc:a", 1), cause);
    expect(members.map(({ frames }) => frames.length)).toEqual([1, 1, 0]);
    expect(members[0]!.frames[0]).toBe(members[1]!.frames[0]);
    expect(members[0]!.causes).toEqual([cause]);
    expect(hub.total).toEqual({ broadcasts: 1, sent: 2 });
  });

  test("Hub takes no notice of an event that nobody is there for", () => {
    const hub = new Hub({ server: "demo" });
    hub.deliver(event("doc:a", 1), undefined);
    expect(hub.total).toEqual({ broadcasts: 0, sent: 0 });
  });

  test("Hub drops a room with its last member, and knows whether a leave was one", () => {
    const hub = new Hub({ server: "demo" });
    const [one, two] = [member("1"), member("2")];
    live(hub, one, "doc:a");
    live(hub, two, "doc:a");
    live(hub, two, "doc:*");
    expect([...hub.rooms].map(([name, members]) => [name, members.size])).toEqual([["doc:a", 2], [
      "doc:*",
      1,
    ]]);
    expect(hub.audience("doc:a")).toBe(2);
    expect(hub.leave(one, "doc:a")).toBe(true);
    expect(hub.leave(one, "doc:a")).toBe(false);
    hub.leaveAll(two);
    expect([hub.roomCount, hub.subscriptions(two).size]).toEqual([0, 0]);
  });

  test("Hub knows what a member is in, be it nothing, one place or several, in the order of their beginning", () => {
    const hub = new Hub({ server: "demo" });
    const [one, other] = [member("1"), member("2")];
    const names = () => [...hub.subscriptions(one).keys()];
    const steps: [(name: string) => unknown, string, string[]][] = [
      [(name) => live(hub, one, name), "doc:b", ["doc:b"]],
      [(name) => live(hub, one, name), "doc:b", ["doc:b"]],
      [(name) => hub.leave(one, name), "doc:a", ["doc:b"]],
      [(name) => live(hub, one, name), "doc:a", ["doc:b", "doc:a"]],
      [(name) => live(hub, one, name), "doc:*", ["doc:b", "doc:a", "doc:*"]],
      [(name) => hub.leave(one, name), "doc:b", ["doc:a", "doc:*"]],
      [(name) => hub.leave(one, name), "doc:a", ["doc:*"]],
      [(name) => live(hub, one, name), "doc:c", ["doc:*", "doc:c"]],
      [(name) => hub.leave(one, name), "doc:*", ["doc:c"]],
      [(name) => hub.leave(one, name), "doc:c", []],
      [(name) => live(hub, one, name), "doc:d", ["doc:d"]],
    ];
    expect(names()).toEqual([]);
    for (const [step, name, left] of steps) {
      step(name);
      expect(names()).toEqual(left);
      for (const name of left) expect(hub.subscriptions(one).get(name)).toMatchObject({ member: one, name });
    }
    live(hub, other, "doc:a");
    expect([...hub.subscriptions(other).keys()]).toEqual(["doc:a"]);
  });

  test("Hub tells the fullest rooms, wildcards among them, and of equals the older first", () => {
    const hub = new Hub({ server: "demo" });
    const members = ["1", "2", "3"].map(member);
    for (
      const [name, size] of [["doc:a", 1], ["doc:b", 3], ["doc:c", 2], ["doc:d", 1], ["doc:*", 2]] as const
    ) {
      for (const one of members.slice(0, size)) live(hub, one, name);
    }
    const told = (count: number) => hub.fullest(count).map(({ name, size }) => `${name} ${size}`);
    expect(told(3)).toEqual(["doc:b 3", "doc:c 2", "doc:* 2"]);
    expect(told(4)).toEqual(["doc:b 3", "doc:c 2", "doc:* 2", "doc:a 1"]);
    expect(told(100)).toHaveLength(5);
    expect(told(0)).toEqual([]);
    expect([...hub.fullest(1)[0]!.members].map(({ id }) => id)).toEqual(["1", "2", "3"]);
  });

  test("Hub keeps one membership for who joins again, with the new filter", () => {
    const hub = new Hub({ server: "demo" });
    const one = member("1");
    const first = live(hub, one, "doc:a", ["doc.noted"]);
    expect(live(hub, one, "doc:a")).toBe(first);
    hub.deliver(event("doc:a", 1), undefined);
    expect(one.frames).toHaveLength(1);
    expect(first.generation).toBe(1);
  });

  test("Hub tells a member once of each live event that its filters keep from it", () => {
    const hub = new Hub({ server: "demo" });
    let filtered = 0;
    const one = Object.assign(member("1"), { filtered: () => void filtered++ });
    live(hub, one, "doc:a", ["doc.noted"]);
    hub.deliver(event("doc:a", 1), undefined);
    expect(filtered).toBe(1);
    live(hub, one, "doc:*", ["doc.shared"]);
    hub.deliver(event("doc:a", 2), undefined);
    hub.deliver(event("doc:b", 3), undefined);
    expect(filtered).toBe(3);
    hub.deliver(event("doc:a", 4, "doc.shared"), undefined);
    hub.deliver(event("doc:a", 5, "doc.noted"), undefined);
    expect([filtered, one.frames.length]).toEqual([3, 2]);
  });

  test("Hub gives frames of a kind with latestBy a key that type, channel and fields make, others none", () => {
    const channels = {
      doc: { description: "", id: "id" },
      cursor: { description: "", id: "id", latestBy: ["user"] },
    };
    const hub = new Hub({ server: "demo", channels });
    const one = member("1");
    for (const name of ["doc:a", "cursor:a", "cursor:b"]) live(hub, one, name);
    const say = (channel: string, data: Record<string, string | number | null>, type = "moved") => {
      hub.deliver({ ...event(channel, one.frames.length + 1, type), data }, undefined);
      return one.frames.at(-1)!.fold;
    };
    expect(say("doc:a", { user: "x" })).toBeNull();
    const key = say("cursor:a", { user: "x", at: 1 });
    expect(key).not.toBeNull();
    expect(say("cursor:a", { at: 2, user: "x" })).toBe(key);
    const others = [
      say("cursor:a", { user: "y" }),
      say("cursor:b", { user: "x" }),
      say("cursor:a", { user: "x" }, "left"),
      say("cursor:a", { user: 1 }),
      say("cursor:a", { user: "1" }),
      say("cursor:a", {}),
    ];
    expect(new Set([key, ...others]).size).toBe(7);
  });

  test("Hub leaves live events to the replay until it is done", () => {
    const hub = new Hub({ server: "demo" });
    const one = member("1");
    const subscription = hub.join(one, place("doc:a"), { filter: null, start: 0, joinedAt: 0 });
    hub.deliver(event("doc:a", 1), undefined);
    expect([one.frames.length, subscription.heldBack]).toEqual([0, 1]);
  });

  test("Hub hides what is at or before the start", () => {
    const hub = new Hub({ server: "demo" });
    const one = member("1");
    hub.join(one, place("doc:a"), { filter: null, start: 5, joinedAt: 5 }).live = true;
    for (const seq of [4, 5, 6]) hub.deliver(event("doc:a", seq), undefined);
    expect(one.frames).toHaveLength(1);
  });

  test("Hub brings one frame to who is in a channel and in its wildcard, by whichever filter wants it", () => {
    const hub = new Hub({ server: "demo" });
    const one = member("1");
    live(hub, one, "doc:a", ["doc.noted"]);
    live(hub, one, "doc:*", ["doc.changed", "doc.noted"]);
    hub.deliver(event("doc:a", 1, "doc.changed"), undefined);
    hub.deliver(event("doc:a", 2, "doc.noted"), undefined);
    hub.deliver(event("doc:a", 3, "doc.shared"), undefined);
    expect(one.frames).toHaveLength(2);
    hub.leave(one, "doc:*");
    hub.deliver(event("doc:a", 4, "doc.noted"), undefined);
    expect(one.frames).toHaveLength(3);
  });

  test("Hub.send reaches each member of a channel once", () => {
    const hub = new Hub({ server: "demo" });
    const [one, two] = [member("1"), member("2")];
    live(hub, one, "doc:a");
    live(hub, one, "doc:*");
    live(hub, two, "doc:*");
    expect(hub.send("doc:a", new TextFrame("{}"))).toBe(2);
    expect([one.frames.length, two.frames.length]).toEqual([1, 1]);
  });

  test("Hub counts by kind, and sets the gauge of memberships", () => {
    const counts = new Map<string, number>();
    const handle = (name: string, labels: object = {}) => {
      const key = `${name} ${JSON.stringify(labels)}`;
      return {
        add: (by = 1) => void counts.set(key, (counts.get(key) ?? 0) + by),
        set: (value: number) => void counts.set(key, value),
        observe() {},
      };
    };
    const hub = new Hub({ server: "demo", meter: { counter: handle, gauge: handle, histogram: handle } });
    const one = member("1");
    live(hub, one, "doc:a");
    live(hub, one, "doc:*");
    hub.deliver(event("doc:a", 1), undefined);
    hub.leave(one, "doc:a");
    expect(Object.fromEntries(counts)).toEqual({
      'websocket_subscriptions {"server":"demo","channel":"doc"}': 1,
      'websocket_messages_total {"server":"demo","message_type":"event","direction":"sent"}': 1,
      'websocket_broadcast_total {"server":"demo","channel":"doc"}': 1,
    });
  });
});
