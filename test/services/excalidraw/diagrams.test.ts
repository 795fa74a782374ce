import { afterEach, describe, expect, test } from "vitest";
import { ANONYMOUS } from "../../../src/ports/call.ts";
import { Refusal } from "../../../src/protocol/errors.ts";
import { box, callOf, type Started, startManager } from "./started-manager.ts";

let started: Started;
afterEach(() => started.stop());

const ids = (elements: readonly Record<string, unknown>[]) => elements.map(({ id }) => id);

async function withPlan(settings: Parameters<typeof startManager>[0] = {}): Promise<Started> {
  started = await startManager(settings);
  await started.request("create_diagram", { diagram_id: "plan", title: "The plan" });
  started.told();
  return started;
}

const update = (elements: readonly object[], more: object = {}) =>
  started.request("update_diagram", { diagram_id: "plan", elements, ...more });

describe("create_diagram", () => {
  test("makes an empty diagram at version 1 and tells its channel and everybody", async () => {
    started = await startManager();
    const made = await started.request("create_diagram", { diagram_id: "plan", title: "The plan" });
    expect(made).toMatchObject({ diagram_id: "plan", title: "The plan", version: 1, element_count: 0 });
    expect(started.told()).toEqual([{
      event: "diagram.created",
      channels: ["diagram:plan", "global"],
      data: { diagram_id: "plan", title: "The plan", version: 1 },
    }]);
  });

  test("chooses id and title where none are given", async () => {
    started = await startManager();
    const made = await started.request("create_diagram", { diagram_id: null });
    expect(made.diagram_id).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/);
    expect(made.title).toBe("Untitled");
  });

  test("refuses an id that is taken or cannot be part of a channel's name, and changes nothing", async () => {
    await withPlan();
    await expect(started.request("create_diagram", { diagram_id: "plan" })).rejects.toMatchObject({
      code: "CONFLICT",
    });
    for (const diagram_id of ["*", "a:*", "a\u0000b", "", "x".repeat(201)]) {
      await expect(started.request("create_diagram", { diagram_id })).rejects.toMatchObject({
        code: "INVALID_DATA",
      });
    }
    expect(started.told()).toEqual([]);
    expect((await started.request("list_diagrams", {})).diagrams).toHaveLength(1);
  });

  test("is refused where there are as many as may be", async () => {
    await withPlan({ diagrams: 2 });
    await started.request("create_diagram", { diagram_id: "second" });
    await expect(started.request("create_diagram", { diagram_id: "third" })).rejects.toMatchObject({
      code: "NOT_AVAILABLE",
    });
    await expect(started.request("create_diagram", { diagram_id: "plan" })).rejects.toMatchObject({
      code: "CONFLICT",
    });
  });
});

describe("update_diagram", () => {
  test("tells the changed elements only, with the diagram's new version and who has changed them", async () => {
    await withPlan();
    await update([box("a"), box("b")]);
    started.told();
    const newer = box("b", 2, { x: 7 });
    expect(await update([box("a"), newer], { user_id: "ada" })).toEqual({
      status: "updated",
      diagram_id: "plan",
      version: 3,
      applied: 1,
      discarded: ["a"],
    });
    expect(started.told()).toEqual([{
      event: "diagram.updated",
      channels: ["diagram:plan"],
      data: { diagram_id: "plan", user_id: "ada", elements: [newer], version: 3 },
    }]);
  });

  test("tells nothing and keeps the version where nothing wins", async () => {
    await withPlan();
    await update([box("a", 2)]);
    started.told();
    expect(await update([box("a", 1)])).toMatchObject({ status: "unchanged", version: 2, discarded: ["a"] });
    expect(await update([])).toMatchObject({ status: "unchanged", version: 2, applied: 0 });
    expect(started.told()).toEqual([]);
  });

  test("of two writers at once keeps the one with the lower nonce, whoever comes first", async () => {
    await withPlan();
    for (const order of [[1, 2], [2, 1]]) {
      const id = `first ${order[0]}`;
      await Promise.all(
        order.map((nonce) => update([{ ...box(id, 5), versionNonce: nonce, author: `writer ${nonce}` }])),
      );
      const { elements } = await started.request("get_diagram", { diagram_id: "plan" });
      expect(elements.find((element) => element.id === id)).toMatchObject({ author: "writer 1" });
    }
  });

  test("gives an element without a version the next one, and a nonce", async () => {
    await withPlan();
    await update([box("a", 41)]);
    await update([{ id: "a", type: "text", text: "by an agent" }, {
      id: "new",
      type: "arrow",
      version: null,
    }]);
    const { elements } = await started.request("get_diagram", { diagram_id: "plan" });
    expect(elements).toMatchObject([{ id: "a", version: 42, text: "by an agent" }, {
      id: "new",
      version: 1,
    }]);
    for (const { versionNonce } of elements) expect(versionNonce).toBeTypeOf("number");
    expect(started.told().at(-1)!.data.elements).toEqual(elements);
  });

  test("keeps fields that it does not know, whatever they are called", async () => {
    await withPlan();
    const strange = JSON.parse(
      '{"id":"a","type":"hologram","version":1,"versionNonce":1,"__proto__":{"polluted":true},"constructor":1,' +
        '"customData":{"deep":[1,{"er":null}]},"roundness":null}',
    );
    await update([strange]);
    const { elements } = await started.request("get_diagram", { diagram_id: "plan" });
    expect(JSON.stringify(elements[0])).toBe(JSON.stringify(strange));
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  test("takes all elements or none", async () => {
    await withPlan();
    await expect(update([box("a"), { type: "rectangle" }])).rejects.toThrow("elements.1.id");
    await expect(update([box("a"), box("b", -1)])).rejects.toThrow("elements.1.version");
    expect(started.told()).toEqual([]);
    expect(await started.request("get_diagram", { diagram_id: "plan" })).toMatchObject({
      version: 1,
      elements: [],
      bytes: 84,
    });
  });

  test("of a diagram that does not exist is NOT_FOUND", async () => {
    await withPlan();
    for (
      const name of [
        "update_diagram",
        "get_diagram",
        "export_diagram",
        "join_diagram",
        "leave_diagram",
      ] as const
    ) {
      const data = { diagram_id: "nowhere", elements: [box("a")], user_id: "ada" };
      await expect(started.request(name, data), name).rejects.toMatchObject({ code: "NOT_FOUND" });
    }
    const data = { diagram_id: "nowhere", user_id: "ada", position: { x: 1, y: 1 } };
    await expect(started.request("move_cursor", data)).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect(await started.request("get_diagram_status", { diagram_id: "nowhere" })).toEqual({
      diagram_id: "nowhere",
      status: "not_found",
    });
    expect(started.manager.getStatus({ diagram_id: "nowhere" })).toMatchObject({ status: "not_found" });
    expect(started.told()).toEqual([]);
  });

  test("no element can be given a version above which there is none", async () => {
    await withPlan();
    await expect(update([box("a", Number.MAX_SAFE_INTEGER)])).rejects.toMatchObject({ code: "INVALID_DATA" });
    await update([box("a", Number.MAX_SAFE_INTEGER - 2 ** 32)]);
    await update([{ id: "a", type: "text" }]);
    expect((await started.request("get_diagram", { diagram_id: "plan" })).elements).toMatchObject([
      { id: "a", type: "text", version: Number.MAX_SAFE_INTEGER - 2 ** 32 + 1 },
    ]);
  });

  test("is in the name of whom the token names, and of nobody else", async () => {
    await withPlan();
    const ada = { userId: "ada", permissions: [], authenticated: true };
    await started.request("update_diagram", { diagram_id: "plan", elements: [box("a")] }, ada);
    await started.request("update_diagram", { diagram_id: "plan", elements: [box("b")] }, ANONYMOUS);
    expect(started.told().map(({ data }) => data.user_id)).toEqual(["ada", null]);
    const asBob = { diagram_id: "plan", elements: [box("c")], user_id: "bob" };
    await expect(started.request("update_diagram", asBob, ada)).rejects.toMatchObject({ code: "FORBIDDEN" });
    expect(started.told()).toEqual([]);
  });

  test("is undone as a whole, answer and event too, where the database refuses it", async () => {
    await withPlan();
    await update([box("a")]);
    started.told();
    const before = await started.request("get_diagram", { diagram_id: "plan" });
    started.database.exec(
      "CREATE TRIGGER refuse BEFORE UPDATE OF version ON diagrams BEGIN SELECT RAISE(ABORT, 'disk full'); END",
    );
    await expect(update([box("a", 2), box("b")])).rejects.toMatchObject({ code: "SERVER_ERROR" });
    started.database.exec("DROP TRIGGER refuse");
    expect(await started.request("get_diagram", { diagram_id: "plan" })).toEqual(before);
    expect(started.told()).toEqual([]);
    expect(await update([box("b")])).toMatchObject({ version: 3 });
  });
});

describe("deleted elements", () => {
  test("are kept from an editor that comes late with an older state", async () => {
    await withPlan();
    await update([box("a"), box("b")]);
    await update([box("a", 2, { isDeleted: true })]);
    expect(await update([box("a", 1)])).toMatchObject({ status: "unchanged", discarded: ["a"] });
    const shown = await started.request("get_diagram", { diagram_id: "plan" });
    expect(ids(shown.elements)).toEqual(["b"]);
    expect(shown).toMatchObject({ element_count: 1, deleted_count: 1 });
    const all = await started.request("get_diagram", { diagram_id: "plan", include_deleted: true });
    expect(ids(all.elements)).toEqual(["a", "b"]);
    expect(ids(started.manager.snapshot("diagram", "plan")!.elements as never)).toEqual(["a", "b"]);
  });

  test("come back with a newer version", async () => {
    await withPlan();
    await update([box("a", 1, { isDeleted: true })]);
    await update([box("a", 2)]);
    expect(await started.request("get_diagram", { diagram_id: "plan" })).toMatchObject({
      element_count: 1,
      deleted_count: 0,
    });
  });

  test("go when they have been kept for as long as the setting says, and not before", async () => {
    await withPlan({ tombstone_seconds: 3_600 });
    await update([box("kept")]);
    const { bytes } = await started.request("get_diagram", { diagram_id: "plan" });
    await update([box("a", 1, { isDeleted: true })]);
    started.clock.advance(3_500_000);
    await update([box("b", 1, { isDeleted: true })]);
    started.told();
    started.clock.advance(160_000);
    const all = await started.request("get_diagram", { diagram_id: "plan", include_deleted: true });
    expect(ids(all.elements)).toEqual(["kept", "b"]);
    expect(all.deleted_count).toBe(1);
    started.clock.advance(3_600_000);
    expect(await started.request("get_diagram", { diagram_id: "plan", include_deleted: true })).toMatchObject(
      {
        element_count: 1,
        deleted_count: 0,
        bytes,
      },
    );
    expect(started.told()).toEqual([]);
  });

  test("go to the second, and count for nothing then", async () => {
    await withPlan({ tombstone_seconds: 600 });
    const { bytes } = await started.request("get_diagram", { diagram_id: "plan" });
    await update([box("a", 1, { isDeleted: true })]);
    started.clock.advance(599_999);
    expect(await started.request("get_diagram", { diagram_id: "plan" })).toMatchObject({ deleted_count: 1 });
    started.clock.advance(1);
    expect(await started.request("get_diagram", { diagram_id: "plan", include_deleted: true })).toMatchObject(
      {
        element_count: 0,
        deleted_count: 0,
        elements: [],
        bytes,
      },
    );
  });

  test("stay for ever where the setting is 0", async () => {
    await withPlan({ tombstone_seconds: 0 });
    await update([box("a", 1, { isDeleted: true })]);
    started.clock.advance(2 * 86_400_000);
    expect(await started.request("get_diagram", { diagram_id: "plan" })).toMatchObject({ deleted_count: 1 });
  });
});

describe("what is kept", () => {
  test("is there after a crash, with its version, and counts on from it", async () => {
    await withPlan();
    await update([box("a"), box("b", 3, { isDeleted: true })]);
    const before = await started.request("get_diagram", { diagram_id: "plan", include_deleted: true });
    await started.restart();
    expect(await started.request("get_diagram", { diagram_id: "plan", include_deleted: true })).toEqual(
      before,
    );
    expect(await update([box("a", 2)])).toMatchObject({ version: 3 });
  });

  test("list_diagrams shows page after page, newest first, without elements", async () => {
    await withPlan();
    await started.request("create_diagram", { diagram_id: "b" });
    await started.request("create_diagram", { diagram_id: "c" });
    const first = await started.request("list_diagrams", { limit: 2 });
    expect(first.diagrams.map(({ diagram_id }) => diagram_id)).toEqual(["c", "b"]);
    const second = await started.request("list_diagrams", { limit: 2, cursor: first.next_cursor });
    expect(second.diagrams.map(({ diagram_id }) => diagram_id)).toEqual(["plan"]);
    expect(second.next_cursor).toBe(null);
    expect(second.diagrams[0]).not.toHaveProperty("elements");
    await expect(started.request("list_diagrams", { cursor: "junk" })).rejects.toBeInstanceOf(Refusal);
  });

  test("get_diagram_status and get_status show a diagram and who is in it", async () => {
    await withPlan();
    await started.request("join_diagram", { diagram_id: "plan", user_id: "ada" });
    const status = await started.request("get_diagram_status", { diagram_id: "plan" });
    expect(status).toMatchObject({
      status: "found",
      diagram: { diagram_id: "plan", version: 1, users: [{ user_id: "ada", connections: 1 }] },
    });
    expect(started.manager.getStatus({ diagram_id: "plan" })).toEqual(status);
    expect(started.manager.getStatus({ diagram_id: 5 })).toMatchObject({ status: "not_found" });
    await update([box("a")]);
    expect(started.manager.getStatus({})).toMatchObject({ diagrams: 1, elements: 1, joins: 1, cursors: 0 });
  });

  test("a repeated request with a key is answered as the first time and done once", async () => {
    await withPlan();
    const call = () => ({
      ...callOf("c1"),
      once: { scope: "s", key: "k", digest: "d" },
    });
    const first = started.manager.updateDiagram(
      { diagram_id: "plan", elements: [{ id: "a", type: "text" }] },
      call(),
    );
    expect(first.applied).toBe(1);
    const data = { diagram_id: "plan", elements: [{ id: "b", type: "text" }], idempotency_key: "again" };
    const answers = [
      await started.request("update_diagram", data),
      await started.request("update_diagram", data),
    ];
    expect(answers[1]).toEqual(answers[0]);
    expect((await started.request("get_diagram", { diagram_id: "plan" })).version).toBe(3);
  });
});
