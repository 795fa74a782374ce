import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ExcalidrawWebSocketServer } from "../../../services/excalidraw/mod.ts";
import { type RunningService, startService } from "../../suite/running-service.ts";
import { FrameClient } from "../../support/frame-client.ts";
import { post } from "../../support/http-client.ts";
import { box, type Started, startManager } from "./started-manager.ts";

describe("what a client sends", () => {
  let running: RunningService;
  beforeAll(async () => {
    running = await startService({ name: "excalidraw", Server: ExcalidrawWebSocketServer });
    await running.request({ name: "create_diagram", data: { diagram_id: "plan" } });
  });
  afterAll(() => running.stop());

  const ask = (name: string, data: unknown) => post(`${running.http}/api/requests/${name}`, data);

  test("an element of 5 MiB ends the connection with 1009, and the service goes on", async () => {
    const client = await FrameClient.open(running.url);
    const elements = [{ ...box("big"), text: "x".repeat(5 * 1_048_576) }];
    client.send({ type: "request", event: "update_diagram", data: { diagram_id: "plan", elements } });
    expect((await client.closed).code).toBe(1009);
    expect((await ask("get_diagram", { diagram_id: "plan" })).body).toMatchObject({
      version: 1,
      elements: [],
    });
  });

  test.each([
    ["NaN", '{"id":"a","type":"text","x":NaN}'],
    ["an endless number", '{"id":"a","type":"text","x":-1e999}'],
    ["a negative version", '{"id":"a","type":"text","version":-5}'],
    ["a version of 30 digits", '{"id":"a","type":"text","version":123456789012345678901234567890}'],
    ["no id", '{"type":"text"}'],
    ["60 levels", `{"id":"a","type":"text","x":0,"deep":${"[".repeat(60)}${"]".repeat(60)}}`],
  ])("an element with %s is refused, and the connection stays", async (_, element) => {
    const client = await FrameClient.open(running.url);
    const data = `{"diagram_id":"plan","elements":[${element}]}`;
    client.send(`{"type":"request","id":"q","event":"update_diagram","data":${data}}`);
    const answer = await client.frame((frame) => frame.correlation_id === "q");
    expect(answer).toMatchObject({ type: "error", error_code: "INVALID_DATA" });
    expect(answer.error_message).toContain("elements.0");
    expect((await client.request("get_diagram", { diagram_id: "plan" })).data.elements).toEqual([]);
    await client.close();
  });

  test("keys that JavaScript objects have by themselves do no harm anywhere on the way", async () => {
    const element =
      '{"id":"__proto__","type":"text","version":1,"versionNonce":1,"__proto__":{"isDeleted":true}}';
    const document = `{"type":"excalidraw","__proto__":{"elements":[]},"elements":[${element}],` +
      '"appState":{"__proto__":{"x":1}},"files":{"__proto__":{"id":"__proto__"}}}';
    const { body } = await ask("import_diagram", { content: document, diagram_id: "proto" });
    expect(body).toMatchObject({ element_count: 1, deleted_count: 0 });
    const exported = await fetch(`${running.http}/api/requests/export_diagram`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"diagram_id":"proto"}',
    });
    const text = await exported.text();
    expect(text).toContain(`"elements":[${element}]`);
    expect(text).toContain('"appState":{"__proto__":{"x":1}},"files":{"__proto__":{"id":"__proto__"}}');
    expect(({} as Record<string, unknown>).isDeleted).toBeUndefined();
  });

  test("nothing of it was a fault of the service", () => {
    expect(running.log.filter((line) => line.includes(" ERROR "))).toEqual([]);
  });
});

describe("bounds", () => {
  let started: Started;
  const open = async (settings: Parameters<typeof startManager>[0]) => {
    started = await startManager(settings);
    started.manager.createDiagram({ diagram_id: "plan" });
    started.told();
  };
  const update = (elements: Parameters<typeof started.manager.updateDiagram>[0]["elements"]) =>
    started.manager.updateDiagram({ diagram_id: "plan", elements });
  const size = () => started.manager.getDiagram({ diagram_id: "plan", include_deleted: true }).bytes;

  test("thousands of elements are taken in one update, and told in one event", async () => {
    await open({});
    const elements = Array.from({ length: 5_000 }, (_, index) => box(`e${index}`));
    expect(update(elements)).toMatchObject({ applied: 5_000, discarded: [] });
    const [told, ...more] = started.told();
    expect(told!.data.elements).toEqual(elements);
    expect(more).toEqual([]);
    expect(update(elements)).toMatchObject({ applied: 0, status: "unchanged" });
    await started.stop();
  }, 60_000);

  test("a diagram has so many elements, deleted ones included, and none of an update beyond it", async () => {
    await open({ elements_per_diagram: 3 });
    update([box("a"), box("b", 1, { isDeleted: true })]);
    started.told();
    expect(() => update([box("c"), box("d")])).toThrow("would have 4 elements");
    expect(started.told()).toEqual([]);
    update([box("c")]);
    expect(update([box("a", 2), box("c", 2)])).toMatchObject({ applied: 2 });
    await started.stop();
  });

  test("an element has so many bytes as JSON", async () => {
    await open({ element_bytes: 300 });
    expect(() => update([box("a", 1, { text: "x".repeat(5 * 1_048_576) })])).toThrow("elements.0");
    const own = JSON.stringify(box("a", 1, { text: "" })).length + 1;
    expect(() => update([box("a", 1, { text: "x".repeat(301 - own) })])).toThrow("elements.0");
    expect(update([box("a", 1, { text: "x".repeat(300 - own) })])).toMatchObject({ applied: 1 });
    await started.stop();
  });

  test("a diagram counts what it holds, byte by byte, and is refused at its edge", async () => {
    await open({ diagram_bytes: 2_000 });
    const empty = size();
    const element = box("a", 1, { text: "ü".repeat(400) });
    update([element]);
    const bytes = new TextEncoder().encode(JSON.stringify(element)).length + 1;
    expect(size()).toBe(empty + bytes);
    const next = box("b", 1, { text: "" });
    const left = 2_000 - size() - JSON.stringify(next).length - 1;
    expect(() => update([{ ...next, text: "x".repeat(left + 1) }])).toThrow("would have 2001 bytes");
    update([{ ...next, text: "x".repeat(left) }]);
    expect(size()).toBe(2_000);
    update([box("b", 2, { isDeleted: true })]);
    expect(size()).toBe(empty + bytes + JSON.stringify(box("b", 2, { isDeleted: true })).length + 1);
    await started.stop();
  });

  test("a file that is too large for a diagram is refused, and leaves no diagram behind", async () => {
    await open({ diagram_bytes: 2_000 });
    for (
      const part of [{ elements: [box("a", 1, { text: "x".repeat(2_000) })] }, {
        files: { f: { data: "x".repeat(2_000) } },
      }, {
        appState: { name: "x".repeat(2_000) },
      }]
    ) {
      const document = { type: "excalidraw", elements: [], ...part };
      await expect(started.request("import_diagram", { document, diagram_id: "new" })).rejects.toMatchObject({
        code: "MESSAGE_TOO_LARGE",
      });
    }
    expect(started.manager.listDiagrams().diagrams).toHaveLength(1);
    expect(started.told()).toEqual([]);
    await started.stop();
  });
});
