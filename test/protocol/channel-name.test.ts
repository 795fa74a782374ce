import fc from "fast-check";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { channelsOf, parseChannel } from "../../src/protocol/channel-name.ts";
import { defineContract } from "../../src/protocol/contract.ts";

const contract = defineContract({
  name: "example",
  ports: { http: 9000, websocket: 9010 },
  channels: {
    session: { description: "One session", id: "session_id" },
    adapter: { description: "One adapter", id: "adapter_id" },
    run: { description: "One run", id: "run_number" },
  },
  events: {
    "session.updated": {
      description: "A session has changed",
      channels: ["session", "global"],
      data: v.object({ session_id: v.string() }),
    },
    "run.done": {
      description: "A run is done",
      channels: ["run"],
      data: v.object({ run_number: v.number() }),
    },
    "adapter.moved": {
      description: "An adapter went elsewhere",
      channels: (data: Record<string, unknown>) => data.to as string[],
      data: v.object({ to: v.array(v.string()) }),
    },
  },
  requests: {},
});
const FORMS = "expected one of global, session:{session_id}, adapter:{adapter_id}, run:{run_number}";

describe("parseChannel", () => {
  it.each([
    ["global", { kind: "global", id: null, wildcard: false }],
    ["session:a", { kind: "session", id: "a", wildcard: false }],
    ["adapter:storage:s3:aws", { kind: "adapter", id: "storage:s3:aws", wildcard: false }],
    ["session:*", { kind: "session", id: null, wildcard: true }],
    ["session:a*", { kind: "session", id: "a*", wildcard: false }],
    ["session:*:a", { kind: "session", id: "*:a", wildcard: false }],
    ["session::", { kind: "session", id: ":", wildcard: false }],
    ["session:日😀 é", { kind: "session", id: "日😀 é", wildcard: false }],
  ])("reads %s", (name, channel) => {
    expect(parseChannel(contract.channels, name)).toStrictEqual({ ok: true, ...channel });
  });

  it.each<[unknown, string]>([
    [5, "expected a string, got a number"],
    [undefined, "expected a string, got nothing"],
    [["global"], "expected a string, got an array"],
    ["", "the name is empty"],
    ["Session:a", "unknown kind 'Session'"],
    ["constructor", "unknown kind 'constructor'"],
    ["__proto__:a", "unknown kind '__proto__'"],
    [":a", "unknown kind ''"],
    ["*", "unknown kind '*'"],
    ["*:*", "unknown kind '*'"],
    [" session:a", "unknown kind ' session'"],
    ["session", "kind 'session' needs an id: 'session:{session_id}'"],
    ["session:", "kind 'session' needs an id: 'session:{session_id}'"],
    ["global:", "'global' is one channel and takes neither an id nor a wildcard"],
    ["global:a", "'global' is one channel and takes neither an id nor a wildcard"],
    ["global:*", "'global' is one channel and takes neither an id nor a wildcard"],
    ["adapter:storage:*", "only 'adapter:*' is a wildcard, not the end of an id"],
    ["adapter::*", "only 'adapter:*' is a wildcard, not the end of an id"],
    ["session:a\n", "the name holds a control character"],
    ["session:\u0085", "the name holds a control character"],
    ["session:\ud800", "the name holds a lone surrogate"],
    [`session:${"a".repeat(248)}`, "256 characters, expected at most 255"],
  ])("refuses %j", (name, detail) => {
    expect(parseChannel(contract.channels, name)).toStrictEqual({
      ok: false,
      reason: `Invalid channel: ${detail}; ${FORMS}`,
    });
  });

  it("takes names up to the length given", () => {
    expect(parseChannel(contract.channels, `session:${"a".repeat(247)}`).ok).toBe(true);
    expect(parseChannel(contract.channels, "session:ab", 10).ok).toBe(true);
    expect(parseChannel(contract.channels, "session:abc", 10).ok).toBe(false);
  });

  it("never throws, and takes apart only what can be put together again", () => {
    const names = fc.oneof(
      fc.anything(),
      fc.tuple(fc.constantFrom("session:", "adapter", "global", ":", ""), fc.string({ unit: "binary" })).map((
        pair,
      ) => pair.join("")),
    );
    fc.assert(fc.property(names, (name) => {
      const result = parseChannel(contract.channels, name);
      if (!result.ok) return;
      const id = result.wildcard ? "*" : result.id;
      expect(id === null ? result.kind : `${result.kind}:${id}`).toBe(name);
    }));
  });
});

describe("channelsOf", () => {
  it("names a channel for each kind of the contract, in its order", () => {
    expect(channelsOf(contract, "session.updated", { session_id: "a:b" })).toStrictEqual([
      "session:a:b",
      "global",
    ]);
    expect(channelsOf(contract, "system.announcement", { message: "Hello" })).toStrictEqual(["global"]);
  });

  it("takes a number as an id", () => {
    expect(channelsOf(contract, "run.done", { run_number: 7 })).toStrictEqual(["run:7"]);
    expect(channelsOf(contract, "run.done", { run_number: 9007199254740993n })).toStrictEqual([
      "run:9007199254740993",
    ]);
  });

  it("takes kinds and names of channels from a function, each once", () => {
    const to = ["adapter", "adapter:a", "adapter:b", "global", "global"];
    expect(channelsOf(contract, "adapter.moved", { adapter_id: "a", to })).toStrictEqual([
      "adapter:a",
      "adapter:b",
      "global",
    ]);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ["session.gone", {}, "the contract has no event of this name"],
    ["toString", {}, "the contract has no event of this name"],
    ["session.updated", {}, "expected field 'session_id' to be a string that is not empty, got nothing"],
    [
      "session.updated",
      { session_id: null },
      "expected field 'session_id' to be a string that is not empty, got null",
    ],
    [
      "session.updated",
      { session_id: "" },
      "expected field 'session_id' to be a string that is not empty, got an empty one",
    ],
    [
      "run.done",
      { run_number: NaN },
      "expected field 'run_number' to be a string that is not empty, got a number",
    ],
    ["session.updated", { session_id: "*" }, "field 'session_id' gives a wildcard, expected one channel"],
    [
      "session.updated",
      { session_id: "a:*" },
      "field 'session_id' does not give a channel: Invalid channel: only 'session:*'",
    ],
    [
      "session.updated",
      { session_id: "a".repeat(248) },
      "field 'session_id' does not give a channel: Invalid channel: 256 characters",
    ],
    [
      "session.updated",
      { session_id: "a\0" },
      "field 'session_id' does not give a channel: Invalid channel: the name holds",
    ],
    ["adapter.moved", { to: ["adapter:*"] }, "the contract gives a wildcard, expected one channel"],
    [
      "adapter.moved",
      { to: ["nothing:a"] },
      "the contract does not give a channel: Invalid channel: unknown kind 'nothing'",
    ],
    ["adapter.moved", { to: [] }, "the contract names no channel for this data"],
  ])("throws for %s with %j", (event, data, detail) => {
    const route = () => channelsOf(contract, event, data);
    expect(route).toThrow(TypeError);
    expect(route).toThrow(`Cannot route event '${event}': ${detail}`);
  });
});
