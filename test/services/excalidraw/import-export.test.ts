import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { box, type Started, startManager } from "./started-manager.ts";

let started: Started;
beforeEach(async () => {
  started = await startManager();
});
afterEach(() => started.stop());

/** As Excalidraw saves it. */
const SAVED = {
  type: "excalidraw",
  version: 2,
  source: "https://excalidraw.com",
  elements: [
    {
      ...box("frame", 3),
      index: "a1",
      strokeColor: "#1e1e1e",
      groupIds: ["g"],
      boundElements: null,
      seed: 1,
    },
    { ...box("under", 7), index: "a0", points: [[0, 0], [1.5, 2]], fileId: "f1", type: "image" },
  ],
  appState: { gridSize: 20, viewBackgroundColor: "#ffffee" },
  files: { f1: { id: "f1", mimeType: "image/png", dataURL: "data:image/png;base64,AAAA", created: 1 } },
};

describe("import_diagram", () => {
  test("makes a diagram of a file, tells its making and then its elements", async () => {
    const answer = await started.request("import_diagram", {
      content: JSON.stringify(SAVED),
      diagram_id: "plan",
      title: "Saved",
      user_id: "ada",
    });
    expect(answer).toMatchObject({
      diagram_id: "plan",
      title: "Saved",
      version: 2,
      applied: 2,
      element_count: 2,
    });
    expect(started.told().map(({ event, data }) => [event, data.version, data.elements?.length])).toEqual([
      ["diagram.created", 1, undefined],
      ["diagram.updated", 2, 2],
    ]);
  });

  test("makes an empty diagram of an empty file", async () => {
    const document = { type: "excalidraw", elements: [] };
    expect(await started.request("import_diagram", { document })).toMatchObject({
      version: 1,
      element_count: 0,
    });
    expect(started.told().map(({ event }) => event)).toEqual(["diagram.created"]);
  });

  test("gives elements of generated files, which have no versions, some", async () => {
    const document = { type: "excalidraw", elements: [{ id: "a", type: "text", text: "hello" }] };
    const { diagram_id } = await started.request("import_diagram", { document });
    const { elements } = await started.request("get_diagram", { diagram_id });
    expect(elements).toMatchObject([{ id: "a", version: 1, text: "hello" }]);
  });

  test("merges a file into a diagram by the same rules as an update", async () => {
    await started.request("create_diagram", { diagram_id: "plan" });
    await started.request("update_diagram", { diagram_id: "plan", elements: [box("frame", 9), box("own")] });
    started.told();
    const answer = await started.request("import_diagram", {
      document: SAVED,
      diagram_id: "plan",
      merge: true,
    });
    expect(answer).toMatchObject({ version: 3, applied: 1, discarded: ["frame"], title: "Untitled" });
    expect(started.told().map(({ event, data }) => [event, data.elements.length])).toEqual([[
      "diagram.updated",
      1,
    ]]);
    const again = await started.request("import_diagram", {
      document: SAVED,
      diagram_id: "plan",
      merge: true,
    });
    expect(again).toMatchObject({ version: 3, applied: 0, discarded: ["frame", "under"] });
    expect(started.told()).toEqual([]);
  });

  test("of a new image alone is a new version", async () => {
    await started.request("import_diagram", { document: { ...SAVED, files: {} }, diagram_id: "plan" });
    const { version } = await started.request("import_diagram", {
      document: SAVED,
      diagram_id: "plan",
      merge: true,
    });
    expect(version).toBe(3);
    expect(started.told().at(-1)!.data.elements).toEqual([]);
  });

  test("is refused where it has nowhere to go, and leaves nothing behind", async () => {
    await started.request("create_diagram", { diagram_id: "plan" });
    started.told();
    const refusal = (data: object) =>
      expect(started.request("import_diagram", { document: SAVED, ...data })).rejects;
    await refusal({ diagram_id: "plan" }).toMatchObject({ code: "CONFLICT" });
    await refusal({ merge: true }).toMatchObject({ code: "INVALID_DATA" });
    await refusal({ merge: true, diagram_id: "nowhere" }).toMatchObject({ code: "NOT_FOUND" });
    await refusal({ document: { ...SAVED, elements: [box("a"), box("a")] }, diagram_id: "new" })
      .toMatchObject({ code: "INVALID_DATA" });
    expect(started.told()).toEqual([]);
    expect((await started.request("list_diagrams", {})).diagrams).toHaveLength(1);
  });
});

describe("export_diagram", () => {
  test("gives back what was imported, from the back to the front, as a file that Excalidraw opens", async () => {
    await started.request("import_diagram", { document: SAVED, diagram_id: "plan", title: "Saved" });
    const { document, filename } = await started.request("export_diagram", { diagram_id: "plan" });
    expect(filename).toBe("Saved.excalidraw");
    expect(Object.keys(document)).toEqual(["type", "version", "source", "elements", "appState", "files"]);
    expect(document).toEqual({ ...SAVED, source: "mcp-realtime", elements: SAVED.elements.toReversed() });
  });

  test("leaves deleted elements out, and has a canvas where nobody has set one", async () => {
    await started.request("create_diagram", { diagram_id: "plan" });
    const elements = [box("a"), box("b", 1, { isDeleted: true })];
    await started.request("update_diagram", { diagram_id: "plan", elements });
    const { document } = await started.request("export_diagram", { diagram_id: "plan" });
    expect(document.elements).toEqual([elements[0]]);
    expect(document.appState).toMatchObject({ viewBackgroundColor: "#ffffff" });
    expect(document.files).toEqual({});
  });

  test("can be imported again, as it stands and as text", async () => {
    await started.request("import_diagram", { document: SAVED, diagram_id: "plan" });
    const { document } = await started.request("export_diagram", { diagram_id: "plan" });
    for (const given of [{ document }, { content: JSON.stringify(document, null, 2) }]) {
      const { diagram_id } = await started.request("import_diagram", given);
      expect((await started.request("export_diagram", { diagram_id })).document).toEqual(document);
    }
  });
});
