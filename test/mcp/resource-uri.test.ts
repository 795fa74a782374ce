import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { placeOf, templateOf, uriOf } from "../../src/mcp/resource-uri.ts";
import type { ResourceError } from "../../src/mcp/resource.ts";
import { parseChannel } from "../../src/protocol/channel-name.ts";
import { notes } from "./notes-service.ts";

function faultOf(uri: string): ResourceError {
  try {
    placeOf(notes, uri);
  } catch (error) {
    return error as ResourceError;
  }
  throw new Error(`Expected ${uri} to be refused`);
}

describe("uriOf()", () => {
  test("puts the id into the path, percent-encoded", () => {
    expect(uriOf(notes, "global")).toBe("notes://global");
    expect(uriOf(notes, "note:7")).toBe("notes://note/7");
    expect(uriOf(notes, "note:*")).toBe("notes://note/*");
    expect(uriOf(notes, "note:a:b/c d%ü")).toBe("notes://note/a%3Ab%2Fc%20d%25%C3%BC");
    expect(templateOf(notes, "note", "note_id")).toBe("notes://note/{note_id}");
  });

  test("gives a URI that parsers leave as it is, for every id but one that is dots alone", () => {
    fc.assert(fc.property(fc.string({ minLength: 1, maxLength: 80, unit: "binary" }), (id) => {
      fc.pre(parseChannel(notes.channels, `note:${id}`).ok && !/^\.{1,2}$/.test(id));
      const uri = uriOf(notes, `note:${id}`);
      expect(new URL(uri).href).toBe(uri);
    }));
  });
});

describe("placeOf()", () => {
  test("finds every valid channel again by its URI, whatever else a client encodes", () => {
    const names = fc.oneof(
      fc.string({ minLength: 1, maxLength: 250, unit: "binary" }).map((id) => `note:${id}`),
      fc.string({
        minLength: 1,
        maxLength: 30,
        unit: fc.constantFrom("%", ":", "/", "*", "?", "#", ".", "a"),
      })
        .map((id) => `pointer:${id}`),
      fc.constantFrom("global", "note:*"),
    );
    fc.assert(
      fc.property(names, (name) => {
        const parsed = parseChannel(notes.channels, name);
        fc.pre(parsed.ok);
        const { kind, wildcard } = parsed as { kind: string; wildcard: boolean };
        const id = name.slice(kind.length + 1);
        const spellings = kind === name ? [uriOf(notes, name)] : [
          uriOf(notes, name),
          `notes://${kind}/${encodeURIComponent(id).replace(/[!'()*.]/g, percent)}`,
          `notes://${kind}:${encodeURIComponent(id)}`,
          `notes://${kind}%3A${encodeURIComponent(id)}`,
          `notes://${encodeURIComponent(name)}`,
        ];
        for (const uri of spellings) expect(placeOf(notes, uri)).toEqual({ name, kind, wildcard });
      }),
      { numRuns: 2_000 },
    );
  });

  test("takes ids that a client did not encode, the scheme in capitals, and a slash after a channel without id", () => {
    expect(placeOf(notes, "notes://note/a/b c?d#e").name).toBe("note:a/b c?d#e");
    expect(placeOf(notes, "notes://note:8080/x").name).toBe("note:8080/x");
    expect(placeOf(notes, "notes://note%3aA").name).toBe("note:A");
    expect(placeOf(notes, "NOTES://note/7").name).toBe("note:7");
    expect(placeOf(notes, "notes://global/").name).toBe("global");
  });

  test("does not find other schemes and kinds, and says which URIs there are", () => {
    const others = [
      "",
      "note:7",
      "notes:note/7",
      "other://note/7",
      "notes://",
      "notes://Note/7",
      "notes:///note/7",
    ];
    for (const uri of [...others, "notes://toString/1", "notes://__proto__/1", "http://notes://note/7"]) {
      expect(faultOf(uri), uri).toMatchObject({
        name: "ResourceError",
        reason: "not_found",
        message: "Unknown resource: expected one of notes://global, notes://note/{note_id}, " +
          "notes://pointer/{note_id}, notes://gauge/{note_id}",
      });
    }
  });

  test("refuses what cannot be a channel's name, in one sentence", () => {
    const expected = new Map<string, string | RegExp>([
      ["notes://note/%", "Invalid resource URI: its percent-encoding is broken"],
      ["notes://note/%E4", "Invalid resource URI: its percent-encoding is broken"],
      ["notes://note/%ED%A0%80", "Invalid resource URI: its percent-encoding is broken"],
      ["notes://note", /^Invalid channel: kind 'note' needs an id/],
      ["notes://note/", /^Invalid channel: kind 'note' needs an id/],
      ["notes://note/a:*", /^Invalid channel: only 'note:\*' is a wildcard/],
      ["notes://note/a%00", /^Invalid channel: the name holds a control character/],
      ["notes://note/\ud800", /^Invalid channel: the name holds a lone surrogate/],
      ["notes://global/7", /^Invalid channel: 'global' is one channel/],
      ["notes://global/*", /^Invalid channel: 'global' is one channel/],
      [`notes://note/${"a".repeat(300)}`, /^Invalid channel: 305 characters/],
      [`notes://note/${"a".repeat(10_000)}`, "Invalid resource URI: 10013 characters, expected at most 4096"],
    ]);
    for (const [uri, sentence] of expected) {
      const { name, reason, message } = faultOf(uri);
      expect([name, reason]).toEqual(["ResourceError", "invalid"]);
      expect(message).toMatch(sentence);
    }
  });
});

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
}
