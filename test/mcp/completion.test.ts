/**
 * Completion, and resources without a session, asked by plain requests.
 */
import { Hono } from "hono";
import { describe, expect, test } from "vitest";
import { catalogOf } from "../../src/mcp/catalog.ts";
import { PromptError, type PromptProvider } from "../../src/mcp/prompts.ts";
import { createMcpEndpoint } from "../../src/mcp/transport.ts";
import { ANONYMOUS } from "../../src/ports/call.ts";
import { notesHost, type NotesOptions } from "./notes-service.ts";

const prompts: PromptProvider = {
  list: () => [],
  get(name) {
    throw new PromptError(`Unknown prompt ${name}`);
  },
  kindOf(name, argument) {
    if (name !== "follow_note") return null;
    if (argument === "note") return "note";
    return argument === "tone" ? undefined : null;
  },
};

function setUp(options: NotesOptions = {}, offered: { prompts?: boolean; resources?: boolean } = {}) {
  const host = notesHost(options);
  const catalog = {
    ...catalogOf(host),
    ...(offered.prompts === false ? { prompts: null } : { prompts }),
    ...(offered.resources === false ? { resources: null } : {}),
  };
  const endpoint = createMcpEndpoint(host, {}, catalog);
  const app = new Hono().all("/mcp", (context) => endpoint.handle(context, ANONYMOUS));
  const ask = async (method: string, params: Record<string, unknown> = {}) => {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
    const response = await app.request("/mcp", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    const { result, error } = await response.json();
    return result ?? { error };
  };
  const complete = async (ref: Record<string, string>, name: string, value: string) =>
    await ask("completion/complete", { ref, argument: { name, value } });
  return { host, ask, complete };
}

describe("completion/complete", () => {
  test("completes the variable of a template", async () => {
    const { host, complete } = setUp();
    for (const id of ["apple", "pear", "plum"]) host.live!.publish(`note:${id}`, "note.added");
    expect(await complete({ type: "ref/resource", uri: "notes://note/{note_id}" }, "note_id", "p")).toEqual({
      completion: { values: ["plum", "pear", "apple"], total: 3, hasMore: false },
    });
  });

  test("completes an argument of a prompt that is the id of a channel, and no other argument", async () => {
    const { host, complete } = setUp();
    host.live!.publish("note:apple", "note.added");
    const ref = { type: "ref/prompt", name: "follow_note" };
    expect(await complete(ref, "note", "app")).toMatchObject({ completion: { values: ["apple"] } });
    expect(await complete(ref, "tone", "app")).toMatchObject({ completion: { values: [] } });
  });

  test("gives nothing to who may not read the channels", async () => {
    const { host, complete } = setUp({ authRequired: true });
    host.live!.publish("note:apple", "note.added");
    const template = { type: "ref/resource", uri: "notes://note/{note_id}" };
    expect(await complete(template, "note_id", "")).toMatchObject({ completion: { values: [] } });
    const prompt = { type: "ref/prompt", name: "follow_note" };
    expect(await complete(prompt, "note", "")).toMatchObject({ completion: { values: [] } });
  });

  test("refuses unknown templates, prompts and arguments as invalid parameters", async () => {
    const { complete } = setUp();
    const unknown: [Record<string, string>, string, RegExp][] = [
      [{ type: "ref/resource", uri: "notes://page/{page_id}" }, "page_id", /Unknown template/],
      [{ type: "ref/resource", uri: "notes://note/{note_id}" }, "page_id", /Unknown variable/],
      [{ type: "ref/prompt", name: "sing" }, "song", /Unknown prompt/],
      [{ type: "ref/prompt", name: "follow_note" }, "song", /Unknown prompt or argument/],
    ];
    for (const [ref, name, message] of unknown) {
      expect(await complete(ref, name, "x")).toEqual({
        error: { code: -32602, message: expect.stringMatching(message) },
      });
    }
  });

  test("refuses prompts where there are none, and templates where there are no resources", async () => {
    const template = { type: "ref/resource", uri: "notes://note/{note_id}" };
    const prompt = { type: "ref/prompt", name: "follow_note" };
    const withoutPrompts = setUp({}, { prompts: false });
    expect(await withoutPrompts.complete(prompt, "note", "")).toMatchObject({ error: { code: -32602 } });
    const withoutResources = setUp({}, { resources: false });
    expect(await withoutResources.complete(template, "note_id", "")).toMatchObject({
      error: { code: -32602 },
    });
    expect(await withoutResources.complete(prompt, "note", "")).toMatchObject({ completion: { values: [] } });
  });
});

describe("resources without a session", () => {
  test("are listed and read", async () => {
    const { host, ask } = setUp();
    host.live!.publish("note:7", "note.added");
    const { resources } = await ask("resources/list");
    expect(resources.map(({ uri }: { uri: string }) => uri)).toEqual(["notes://global", "notes://note/7"]);
    const { contents } = await ask("resources/read", { uri: "notes://note/7" });
    expect(JSON.parse(contents[0].text)).toMatchObject({ channel: "note:7", seq: 1 });
    const { resourceTemplates } = await ask("resources/templates/list");
    expect(resourceTemplates).toHaveLength(3);
  });

  test("are refused with the codes of the protocol", async () => {
    const { ask } = setUp({ authRequired: true });
    expect(await ask("resources/read", { uri: "notes://page/7" })).toMatchObject({ error: { code: -32002 } });
    expect(await ask("resources/read", { uri: "notes://note/%" })).toMatchObject({ error: { code: -32602 } });
    expect(await ask("resources/list", { cursor: "%" })).toMatchObject({ error: { code: -32602 } });
    expect(await ask("resources/read", { uri: "notes://note/7" })).toMatchObject({
      error: { code: -32600, message: expect.stringContaining("Not authorized to read note:7") },
    });
  });

  test("cannot be subscribed to", async () => {
    const { ask } = setUp();
    expect(await ask("resources/subscribe", { uri: "notes://note/7" })).toMatchObject({
      error: { code: -32600, message: expect.stringContaining("Cannot subscribe without a session") },
    });
  });
});
