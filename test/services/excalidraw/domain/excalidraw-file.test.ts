import { describe, expect, test } from "vitest";
import { filenameOf, readScene } from "../../../../services/excalidraw/domain/excalidraw-file.ts";
import { box } from "../started-manager.ts";

const file = (more: object = {}) =>
  JSON.stringify({ type: "excalidraw", version: 2, elements: [box("a")], ...more });

describe("readScene", () => {
  test("reads elements, canvas and images, also behind a byte order mark", () => {
    const files = { f1: { id: "f1", mimeType: "image/png", dataURL: "data:," } };
    const scene = readScene({ content: `\uFEFF${file({ appState: { gridSize: 5 }, files })}` });
    expect(scene.elements.map(({ id }) => id)).toEqual(["a"]);
    expect(scene.appState).toEqual({ gridSize: 5 });
    expect([...scene.files]).toEqual(Object.entries(files));
  });

  test("takes a file without canvas and images, as older ones are", () => {
    const scene = readScene({ content: file({ appState: null }) });
    expect(scene.appState).toHaveProperty("viewBackgroundColor");
    expect(scene.files.size).toBe(0);
  });

  test.each<[string, Parameters<typeof readScene>[0], string]>([
    ["nothing", {}, "got neither"],
    ["text and JSON at once", { content: file(), document: {} }, "got both"],
    ["a file that is cut short", { content: file().slice(0, -20) }, "cannot be read"],
    ["an empty file", { content: "" }, "cannot be read"],
    ["another format", { content: "<svg></svg>" }, "cannot be read"],
    ["a list", { content: "[]" }, "got an array"],
    ["JSON of another kind", { content: "{}" }, '"type": "excalidraw", got nothing'],
    ["a library", { content: file({ type: "excalidrawlib" }) }, "a library of Excalidraw"],
    [
      "a file without elements",
      { content: file({ elements: undefined }) },
      "'elements' to be an array, got nothing",
    ],
    ["elements that are an object", { content: file({ elements: {} }) }, "'elements' to be an array"],
    ["an element without id", { content: file({ elements: [{ type: "text" }] }) }, "elements.0.id"],
    ["a canvas that is a list", { content: file({ appState: [] }) }, "'appState' to be an object"],
    [
      "a canvas with an endless number",
      { content: file().replace("}]", '}],"appState":{"zoom":1e999}') },
      "finite",
    ],
    ["images that are a list", { content: file({ files: [] }) }, "'files' to be an object"],
    ["an image that is text", { content: file({ files: { f1: "x" } }) }, "each of 'files'"],
    ["an image without a name", { content: file({ files: { "": {} } }) }, "no id"],
    ["a deep file", { content: `${"[".repeat(500)}${"]".repeat(500)}` }, "levels deep"],
  ])("refuses %s", (_, given, message) => {
    expect(() => readScene(given)).toThrow(message);
    expect(() => readScene(given)).toThrow(expect.objectContaining({ code: "INVALID_DATA" }));
  });
});

describe("filenameOf", () => {
  test.each([
    ["The plan", "The plan.excalidraw"],
    ["../../etc/passwd", "etc-passwd.excalidraw"],
    ["a\u0000b\nc", "a-b-c.excalidraw"],
    ["Übersicht 2", "Übersicht 2.excalidraw"],
    ["...", "diagram.excalidraw"],
    ["💥", "diagram.excalidraw"],
  ])("makes of %j a name that is no path: %s", (title, name) => {
    expect(filenameOf(title)).toBe(name);
  });
});
