import * as v from "valibot";
import { describe, expect, expectTypeOf, it } from "vitest";
import { COMMON_REQUEST_NAMES } from "../../src/protocol/common-requests.ts";
import {
  type ContractShape,
  defineContract,
  type EventData,
  type EventName,
  type PromptSpec,
  type RequestInput,
  type RequestName,
  type RequestOutput,
} from "../../src/protocol/contract.ts";

const ports = { http: 9000, websocket: 9010 };
const data = v.object({ session_id: v.string() });
const event = { description: "Something happened", channels: ["session"], data };
const request = { description: "Asks", access: "read", input: v.object({}), output: v.object({}) } as const;

type Prompts = Readonly<Record<string, PromptSpec>>;
const prompt = { title: "Look", description: "Looks", arguments: {}, text: () => "Look" };
const asking = (name: string, channel?: string): PromptSpec => {
  const argument = { description: "Which one", ...channel === undefined ? {} : { channel } };
  return { ...prompt, arguments: { [name]: argument } };
};

function define(parts: Partial<ContractShape> & { name?: string; greeting?: string; prompts?: Prompts }) {
  return defineContract({
    name: "example",
    ports,
    channels: { session: { description: "One session", id: "session_id" } },
    events: {},
    requests: {},
    ...parts,
  });
}

describe("defineContract", () => {
  it("adds the channel global and system.announcement", () => {
    const contract = define({});
    expect(Object.keys(contract.channels)).toStrictEqual(["global", "session"]);
    expect(contract.events["system.announcement"]).toMatchObject({
      channels: ["global"],
      publishable: "admin",
    });
    expect(v.parse(contract.events["system.announcement"].data, { message: "Hello" })).toStrictEqual({
      message: "Hello",
      level: "info",
      source: "operator",
    });
  });

  it("greets with the service's name unless told otherwise", () => {
    expect(define({}).greeting).toBe("Connected to example");
    expect(define({ greeting: "Welcome" }).greeting).toBe("Welcome");
  });

  it("keeps what it was given", () => {
    const contract = define({ events: { "session.updated": event }, requests: { get_session: request } });
    expect(contract.name).toBe("example");
    expect(contract.ports).toBe(ports);
    expect(contract.events).toHaveProperty(["session.updated"], event);
    expect(contract.requests).toStrictEqual({ get_session: request });
  });

  it("keeps its prompts, and has none unless told", () => {
    const prompts = { look: prompt, look_at: asking("session_id", "session") };
    expect(define({ prompts }).prompts).toBe(prompts);
    expect(define({}).prompts).toStrictEqual({});
  });

  it("takes an event whose channels are a function", () => {
    const routed = { ...event, channels: () => ["anything"] };
    expect(() => define({ events: { "session.updated": routed } })).not.toThrow();
  });

  it.each<[string, Parameters<typeof define>[0], string]>([
    ["a service's name", { name: "Example" }, "a name has lower-case letters, digits and dashes"],
    ["an empty name", { name: "" }, "a name has lower-case letters, digits and dashes"],
    [
      "a kind with a colon",
      { channels: { "a:b": { description: "" } } },
      "channel kind 'a:b' must have lower-case",
    ],
    [
      "a wildcard as kind",
      { channels: { "*": { description: "" } } },
      "channel kind '*' must have lower-case",
    ],
    [
      "an event without channels",
      { events: { e: { ...event, channels: [] } } },
      "event 'e' goes to no channel",
    ],
    [
      "an event to an unknown kind",
      { events: { e: { ...event, channels: ["pool"] } } },
      "event 'e' goes to unknown channel kind 'pool'",
    ],
    [
      "a kind that every object has",
      { events: { e: { ...event, channels: ["toString"] } } },
      "unknown channel kind 'toString'",
    ],
    [
      "a request's name",
      { requests: { "get-session": request } },
      "request 'get-session' must have lower-case",
    ],
    [
      "a prompt's name",
      { prompts: { "look-at": prompt } },
      "prompt 'look-at' must have lower-case letters, digits and _",
    ],
    [
      "a prompt's argument",
      { prompts: { look: asking("Which") } },
      "argument 'Which' of prompt 'look' must have lower-case letters, digits and _",
    ],
    [
      "the channel of a prompt's argument",
      { prompts: { look: asking("pool_id", "pool") } },
      "argument 'pool_id' of prompt 'look' is an id of 'pool', which is no channel kind with ids",
    ],
    [
      "the channel of a prompt's argument, that has no ids,",
      { prompts: { look: asking("id", "global") } },
      "argument 'id' of prompt 'look' is an id of 'global', which is no channel kind with ids",
    ],
    [
      "the channel of a prompt's argument, which every object has,",
      { prompts: { look: asking("id", "constructor") } },
      "is an id of 'constructor', which is no channel kind",
    ],
  ])("refuses %s that is malformed", (_, parts, message) => {
    expect(() => define(parts)).toThrow(TypeError);
    expect(() => define(parts)).toThrow(`Cannot define contract '${parts.name ?? "example"}': `);
    expect(() => define(parts)).toThrow(message);
  });

  it.each([...COMMON_REQUEST_NAMES])("refuses a request named %s", (name) => {
    expect(() => define({ requests: { [name]: request } })).toThrow(
      `request '${name}' has the name of a request that every service answers`,
    );
  });

  it("gives the types that its author wrote", () => {
    const contract = defineContract({
      name: "typed",
      ports,
      channels: { session: { description: "One session", id: "session_id" } },
      events: { "session.updated": { ...event, data: v.object({ session_id: v.string() }) } },
      requests: {
        get_session: {
          description: "Reads",
          access: "read",
          input: v.object({ limit: v.optional(v.number(), 10) }),
          output: v.object({ status: v.optional(v.string(), "ok") }),
        },
      },
    });
    type Typed = typeof contract;
    expectTypeOf<EventName<Typed>>().toEqualTypeOf<"session.updated" | "system.announcement">();
    expectTypeOf<EventData<Typed, "session.updated">>().toEqualTypeOf<{ session_id: string }>();
    expectTypeOf<RequestName<Typed>>().toEqualTypeOf<"get_session">();
    expectTypeOf<RequestInput<Typed, "get_session">>().toEqualTypeOf<{ limit: number }>();
    expectTypeOf<RequestOutput<Typed, "get_session">>().toEqualTypeOf<{ status?: string | undefined }>();
  });
});
