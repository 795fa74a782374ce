import { describe, expect, test } from "vitest";
import { resourcesOf } from "../../src/mcp/resources.ts";
import { ResourceUpdates } from "../../src/mcp/resource-updates.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { ANYBODY, callerWith, join, notesResources as setUp } from "./notes-resources.ts";
import type { NotesOptions } from "./notes-service.ts";

describe("subscribe()", () => {
  function listening(uri: string) {
    const { clock, resources, ...more } = setUp();
    const told: number[] = [];
    const stop = resources.subscribe(uri, ANYBODY, () => void told.push(clock.monotonic()));
    return { clock, resources, told, stop, ...more };
  }

  test("tells of the first event at the end of its tick", () => {
    const { clock, told, publish } = listening("notes://note/7");
    clock.advance(5);
    publish("note:7");
    publish("note:7");
    clock.tick();
    expect(told).toEqual([5]);
    clock.advance(1_000);
    expect(told).toEqual([5]);
  });

  test("tells at most once in 100 ms, and of the last event always", () => {
    const { clock, told, publish } = listening("notes://note/7");
    for (let ms = 0; ms < 250; ms += 10) {
      publish("note:7");
      clock.advance(10);
    }
    clock.advance(1_000);
    expect(told).toEqual([0, 100, 200, 300]);
    publish("note:7");
    clock.tick();
    expect(told).toEqual([0, 100, 200, 300, 1_250]);
  });

  test("keeps a pace for each subscription, by one timer", () => {
    const { clock, resources, publish } = setUp();
    const told: string[] = [];
    for (const id of ["a", "b", "c"]) {
      resources.subscribe(`notes://note/${id}`, ANYBODY, () => void told.push(`${id} ${clock.monotonic()}`));
    }
    const times: [number, string][] = [[0, "a"], [30, "b"], [40, "a"], [60, "c"], [90, "b"], [95, "a"]];
    for (const [ms, id] of times) {
      clock.advance(ms - clock.monotonic());
      publish(`note:${id}`);
      clock.tick();
      expect(clock.pending).toBe(1);
    }
    clock.advance(1_000);
    expect(told).toEqual(["a 0", "b 30", "c 60", "a 100", "b 130"]);
    expect(clock.pending).toBe(0);
  });

  test("hears of a wildcard's channels, of ephemeral events, and of nothing else", () => {
    const { clock, told, publish } = listening("notes://pointer/*");
    publish("note:7");
    clock.advance(1_000);
    expect(told).toEqual([]);
    publish("pointer:7");
    clock.advance(1_000);
    publish("pointer:8");
    clock.advance(1_000);
    expect(told).toEqual([1_000, 2_000]);
  });

  test("lets others have their turn where many are to be told", () => {
    const clock = new FakeClock();
    const turns: (() => void)[] = [];
    clock.endOfTick = (work) => void turns.push(work);
    const updates = new ResourceUpdates(clock);
    let told = 0;
    const all = Array.from({ length: 10 }, () => updates.add(() => void told++));
    for (const { changed } of all) changed({});
    const counts: number[] = [];
    for (let turn = turns.shift(); turn; turn = turns.shift()) {
      turn();
      counts.push(told);
    }
    expect(counts).toEqual([4, 8, 10]);
  });

  test("tells nothing once it is stopped, and leaves nothing behind", () => {
    const { clock, told, publish, stop } = listening("notes://note/7");
    publish("note:7");
    stop();
    clock.tick();
    expect(told).toEqual([]);
    expect(clock.pending).toBe(0);
    publish("note:7");
    clock.advance(1_000);
    stop();
    expect(told).toEqual([]);
  });

  test("drops the timer with the last subscription that it was for", () => {
    const { clock, resources, told, publish, stop } = listening("notes://note/7");
    const other = resources.subscribe("notes://note/7", ANYBODY, () => {});
    publish("note:7");
    clock.tick();
    publish("note:7");
    expect(clock.pending).toBe(1);
    stop();
    expect(clock.pending).toBe(1);
    other();
    expect(clock.pending).toBe(0);
    clock.advance(1_000);
    expect(told).toEqual([0]);
  });

  test("takes a subscription that stops while another is told", () => {
    const { clock, resources, publish } = setUp();
    const told: string[] = [];
    const stops = ["first", "second"].map((name) =>
      resources.subscribe("notes://note/7", ANYBODY, () => {
        told.push(name);
        for (const stop of stops) stop();
      })
    );
    publish("note:7");
    clock.advance(1_000);
    expect(told).toEqual(["first"]);
    expect(clock.pending).toBe(0);
  });
});

describe("onListChanged()", () => {
  function listening(options: NotesOptions = {}, caller = ANYBODY) {
    const { clock, resources, ...more } = setUp(options);
    const told: number[] = [];
    const stop = resources.onListChanged(caller, () => void told.push(clock.monotonic()));
    return { clock, resources, told, stop, ...more };
  }

  test("tells of channels that begin or get a member, and of those whose last member leaves, once a second", () => {
    const { clock, told, live, publish } = listening();
    clock.advance(3_000);
    publish("note:7");
    publish("note:8");
    clock.advance(100);
    publish("note:9");
    expect(told).toEqual([]);
    clock.advance(2_000);
    expect(told).toEqual([4_000]);
    const leave = join(live, "gauge:1");
    clock.advance(1_000);
    leave();
    clock.advance(1_000);
    expect(told).toEqual([4_000, 6_000, 7_000]);
  });

  test("does not tell of further events, nor of kinds that are one channel", () => {
    const { clock, told, publish } = listening();
    publish("global");
    publish("note:7");
    clock.advance(1_000);
    publish("note:7");
    publish("global");
    clock.advance(10_000);
    expect(told).toEqual([1_000]);
  });

  test("does not tell of channels that the caller may not read", () => {
    const { clock, told, publish, resources } = listening({ authRequired: true }, callerWith("notes:write"));
    const reader: number[] = [];
    resources.onListChanged(callerWith("notes:read"), () => void reader.push(clock.monotonic()));
    publish("note:7");
    clock.advance(10_000);
    expect([told, reader]).toEqual([[], [1_000]]);
  });

  test("tells of beginnings alone where there are more channels than it looks at, and looks seldom", () => {
    const { clock, host, live, publish } = setUp();
    for (let n = 0; n < 2_000; n++) publish(`note:${n}`);
    let looks = 0;
    const access = {
      ...live.access,
      list: (kinds: readonly string[], limit: number) => {
        looks++;
        return live.access.list(kinds, limit);
      },
    };
    host.live = { ...live, access };
    const told: number[] = [];
    const stop = resourcesOf(host).onListChanged(ANYBODY, () => void told.push(clock.monotonic()));
    expect(looks).toBe(1);
    for (let n = 0; n < 10; n++) {
      publish(`note:${n}`);
      clock.advance(1_000);
    }
    expect(told).toEqual([]);
    publish("note:new");
    publish("pointer:new");
    clock.advance(20_000);
    expect(told).toEqual([11_000]);
    expect(looks).toBe(2);
    stop();
    expect(clock.pending).toBe(0);
  });

  test("costs nothing when nobody listens any more", () => {
    const { clock, told, publish, stop, resources } = listening();
    const other = resources.onListChanged(ANYBODY, () => {});
    expect(clock.pending).toBe(1);
    stop();
    expect(clock.pending).toBe(1);
    other();
    other();
    expect(clock.pending).toBe(0);
    publish("note:7");
    clock.advance(5_000);
    expect(told).toEqual([]);
    const again: number[] = [];
    resources.onListChanged(ANYBODY, () => void again.push(clock.monotonic()));
    clock.advance(5_000);
    expect(again).toEqual([]);
  });
});
