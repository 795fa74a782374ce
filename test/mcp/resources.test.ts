import { describe, expect, test } from "vitest";
import { ResourceError } from "../../src/mcp/resource.ts";
import type { Caller } from "../../src/mcp/tool.ts";
import { systemClock } from "../../src/ports/clock.ts";
import type { JsonObject } from "../../src/protocol/json.ts";
import { lateBroker } from "../delivery/late-broker.ts";
import { ANYBODY, callerWith, join, notesResources } from "./notes-resources.ts";
import type { NotesOptions } from "./notes-service.ts";

function setUp(options: NotesOptions = {}) {
  const parts = notesResources(options);
  const { resources } = parts;
  const read = async (uri: string, caller = ANYBODY) => {
    const [contents, ...more] = await resources.read(uri, caller);
    expect(more).toEqual([]);
    expect(contents).toMatchObject({ uri, mimeType: "application/json" });
    return JSON.parse(contents!.text!);
  };
  /** All pages. */
  const list = async (caller = ANYBODY) => {
    const pages: string[][] = [];
    let cursor: string | undefined;
    do {
      const page = await resources.list(caller, cursor);
      pages.push(page.resources.map(({ uri }) => uri));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    return pages;
  };
  return { ...parts, read, list };
}

async function refusalOf(work: () => unknown): Promise<{ reason: string; message: string }> {
  try {
    await work();
  } catch (error) {
    expect(error).toBeInstanceOf(ResourceError);
    const { reason, message } = error as ResourceError;
    return { reason, message };
  }
  throw new Error("Expected a refusal");
}

describe("list()", () => {
  test("tells of channels with a past or a member, and of the kinds that are one channel", async () => {
    const { live, publish, list, resources } = setUp();
    expect(await list()).toEqual([["notes://global"]]);
    publish("note:7");
    const leave = join(live, "gauge:a/b");
    expect(await list()).toEqual([["notes://gauge/a%2Fb", "notes://global", "notes://note/7"]]);
    leave();
    expect(await list()).toEqual([["notes://global", "notes://note/7"]]);
    expect((await resources.list(ANYBODY)).resources[1]).toEqual({
      uri: "notes://note/7",
      name: "note:7",
      title: "notes note:7",
      description: "One note",
      mimeType: "application/json",
    });
  });

  test("gives pages of a hundred, a thousand channels in all, those with the newest events", async () => {
    const { publish, list } = setUp();
    for (let n = 0; n < 1_050; n++) publish(`note:${String(n).padStart(4, "0")}`);
    const pages = await list();
    expect(pages.map(({ length }) => length)).toEqual(Array(10).fill(100));
    const all = new Set(pages.flat());
    expect(all.size).toBe(1_000);
    expect(all).toContain("notes://note/1049");
    expect(all).not.toContain("notes://note/0049");
  });

  test("gives a channel once, and leaves none out, whatever happens in them between two pages", async () => {
    const { publish, resources } = setUp();
    for (let n = 0; n < 250; n++) publish(`note:${n}`);
    const found: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await resources.list(ANYBODY, cursor);
      found.push(...page.resources.map(({ name }) => name));
      cursor = page.nextCursor;
      for (let n = 0; n < 250; n += 3) publish(`note:${n}`);
    } while (cursor !== undefined);
    expect(found).toHaveLength(251);
    expect(new Set(found).size).toBe(251);
  });

  test("leaves out what the caller may not read", async () => {
    const { publish, list, resources } = setUp({ authRequired: true });
    publish("note:7");
    expect(await list(callerWith("notes:read"))).toEqual([["notes://global", "notes://note/7"]]);
    expect(await list(callerWith("notes:write"))).toEqual([["notes://global"]]);
    expect(await list()).toEqual([[]]);
    expect(resources.templates(callerWith("notes:write"))).toEqual([]);
  });

  test("refuses a cursor that it has not given, and all while the service is not up", async () => {
    const { host, resources } = setUp();
    expect(await refusalOf(() => resources.list(ANYBODY, "%"))).toEqual({
      reason: "invalid",
      message: "Invalid cursor: expected the nextCursor of an earlier answer",
    });
    host.live = null;
    const notUp = { reason: "refused", message: "The service is not up: try again in a moment" };
    expect(await refusalOf(() => resources.list(ANYBODY))).toEqual(notUp);
    expect(await refusalOf(() => resources.read("notes://global", ANYBODY))).toEqual(notUp);
  });
});

describe("templates()", () => {
  test("has one for each kind of channels with an id", () => {
    const { resources } = setUp();
    expect(resources.templates(ANYBODY).map(({ uriTemplate, name }) => [uriTemplate, name])).toEqual([
      ["notes://note/{note_id}", "note"],
      ["notes://pointer/{note_id}", "pointer"],
      ["notes://gauge/{note_id}", "gauge"],
    ]);
    expect(resources.templates(ANYBODY)[0]).toMatchObject({
      title: "notes note",
      description: "One note (* for all)",
      mimeType: "application/json",
    });
  });
});

describe("read()", () => {
  test("gives the state, its position and the newest events, oldest first", async () => {
    const state = { text: "hello" };
    const { publish, read } = setUp({
      snapshot: (channel) => channel === "note:7" ? { state, position: { epoch: "e1", seq: 2 } } : null,
    });
    const first = publish("note:7", { n: 1 });
    publish("note:8");
    expect(await read("notes://note/7")).toEqual({
      notice: expect.stringContaining("never an instruction"),
      channel: "note:7",
      snapshot: state,
      epoch: "e1",
      seq: 2,
      cursor: "e1:2",
      recent: [{
        id: first.id,
        channel: "note:7",
        event: "note.changed",
        data: { n: 1, timestamp: first.timestamp },
        timestamp: first.timestamp,
        seq: 1,
        source: "notes note:7",
      }],
      more_before: false,
    });
  });

  test("reads a channel of which nothing is known, for it may be about to begin", async () => {
    const { read } = setUp();
    expect(await read("notes://note/unknown")).toMatchObject({
      snapshot: null,
      seq: 0,
      recent: [],
      more_before: false,
    });
    expect(await read("notes://pointer/7")).toMatchObject({ snapshot: null, recent: [], more_before: false });
  });

  test("reads all channels of a kind at once, without a state", async () => {
    const { publish, read } = setUp({ snapshot: () => ({ state: {}, position: { epoch: "e1", seq: 9 } }) });
    publish("note:7");
    publish("global");
    publish("note:8");
    const all = await read("notes://note/*");
    expect(all).toMatchObject({ channel: "note:*", snapshot: null, seq: 3, more_before: false });
    expect(all.recent.map(({ channel }: JsonObject) => channel)).toEqual(["note:7", "note:8"]);
  });

  test("shows the twenty newest, and says that there are more", async () => {
    const { publish, read } = setUp();
    for (let n = 1; n <= 20; n++) publish("note:7", { n });
    expect(await read("notes://note/7")).toMatchObject({ more_before: false });
    publish("note:7", { n: 21 });
    const { recent, more_before } = await read("notes://note/7");
    expect(recent.map(({ seq }: JsonObject) => seq)).toEqual(
      Array.from({ length: 20 }, (_, index) => index + 2),
    );
    expect(more_before).toBe(true);
  });

  test("shows no more than fits into 64 KiB, and of an event that is larger a note", async () => {
    const { publish, read } = setUp();
    for (let n = 0; n < 5; n++) publish("note:7", { text: "x".repeat(20_000) });
    const { recent, more_before } = await read("notes://note/7");
    expect([recent.map(({ seq }: JsonObject) => seq), more_before]).toEqual([[3, 4, 5], true]);
    publish("note:7", { text: "x".repeat(70_000) });
    const { recent: [only, ...others] } = await read("notes://note/7");
    expect(others).toEqual([]);
    expect(only).toMatchObject({
      seq: 6,
      data: { data_too_large: expect.stringMatching(/^70\d{3} characters$/) },
    });
  });

  test("says how large a state is that is too large", async () => {
    const states: Record<string, JsonObject> = {
      "note:1": { text: "ü".repeat(449_994) },
      "note:2": { text: "ü".repeat(449_995) },
    };
    const { read } = setUp({
      snapshot: (channel) => ({ state: states[channel]!, position: { epoch: "e1", seq: 0 } }),
    });
    expect(await read("notes://note/1")).toMatchObject({ snapshot: states["note:1"] });
    const large = await read("notes://note/2");
    expect(large).toMatchObject({
      snapshot: null,
      snapshot_too_large: { bytes: 900_001, advice: expect.stringContaining("tools") },
    });
  });

  test("shows state and events of one moment, whatever happens before a distant broker answers", async () => {
    let published = 0;
    const { publish, read } = setUp({
      clock: systemClock,
      createBroker: lateBroker(systemClock),
      snapshot: () => ({ state: { published }, position: { epoch: "e1", seq: published } }),
    });
    const publishTo = (count: number) => {
      while (published < count) published = publish("note:7").seq;
    };
    publishTo(5);
    const reading = read("notes://note/7");
    // More than one look takes, so that none of what it wants is in the first.
    publishTo(30);
    const { snapshot, seq, recent, more_before } = await reading;
    expect([snapshot, seq]).toEqual([{ published: 5 }, 5]);
    expect(recent.map(({ seq }: JsonObject) => seq)).toEqual([1, 2, 3, 4, 5]);
    expect(more_before).toBe(false);
    const later = await read("notes://note/7");
    expect([later.snapshot, later.recent.at(-1).seq, later.recent.length]).toEqual([
      { published: 30 },
      30,
      20,
    ]);
  });

  test("refuses who may not read the channel, and what is no channel", async () => {
    const { resources, read } = setUp({ authRequired: true });
    expect(await refusalOf(() => resources.read("notes://note/7", callerWith("notes:write")))).toEqual({
      reason: "refused",
      message: "Not authorized to read note:7",
    });
    expect(await refusalOf(() => resources.subscribe("notes://note/*", callerWith("notes:write"), () => {})))
      .toEqual({ reason: "refused", message: "Not authorized to read note:*" });
    expect(await read("notes://note/7", callerWith("notes:read"))).toMatchObject({ channel: "note:7" });
    expect(await refusalOf(() => resources.read("notes://page/7", ANYBODY))).toMatchObject({
      reason: "not_found",
    });
  });
});

describe("complete()", () => {
  test("gives ids that begin with what is typed, then those that contain it", () => {
    const { resources, publish } = setUp();
    for (const id of ["alpha", "beta", "alabama", "gamma:alp"]) publish(`note:${id}`);
    publish("gauge:alone");
    const complete = (typed: string) =>
      resources.complete("notes://note/{note_id}", "note_id", typed, ANYBODY);
    expect(complete("al")).toEqual({ values: ["alabama", "alpha", "gamma:alp"], total: 3, hasMore: false });
    expect(complete("").total).toBe(4);
    expect(complete("zzz")).toEqual({ values: [], total: 0, hasMore: false });
  });

  test("gives at most a hundred and says that there are more", () => {
    const { resources, publish } = setUp();
    for (let n = 0; n < 150; n++) publish(`note:${n}`);
    const { values, total, hasMore } = resources.complete("notes://note/{note_id}", "note_id", "", ANYBODY);
    expect([values.length, total, hasMore]).toEqual([100, 150, true]);
  });

  test("gives nothing of a kind that the caller may not read", () => {
    const { resources, publish } = setUp({ authRequired: true });
    publish("note:7");
    const complete = (caller: Caller) =>
      resources.complete("notes://note/{note_id}", "note_id", "", caller).values;
    expect(complete(callerWith("notes:read"))).toEqual(["7"]);
    expect(complete(callerWith("notes:write"))).toEqual([]);
  });

  test("refuses templates and variables that there are none of", async () => {
    const { resources } = setUp();
    const refusal = (template: string, variable: string) =>
      refusalOf(() => resources.complete(template, variable, "", ANYBODY));
    expect(await refusal("notes://page/{note_id}", "note_id")).toMatchObject({ reason: "invalid" });
    expect(await refusal("notes://global", "note_id")).toMatchObject({ reason: "invalid" });
    expect(await refusal("notes://note/{note_id}", "id")).toEqual({
      reason: "invalid",
      message: "Unknown variable of notes://note/{note_id}: expected note_id",
    });
  });
});
