/**
 * The contract: what a service says, in one typed place. Its channels, events and requests each carry a schema, and
 * everything else (WebSocket, HTTP, MCP, types of clients) is derived from it.
 *
 * @module
 */
import * as v from "valibot";
import { COMMON_REQUEST_NAMES } from "./common-requests.ts";
import type { ServicePorts } from "./service-ports.ts";

/** The schema of an event's or a request's data: always an object. */
// deno-lint-ignore no-explicit-any
export type DataSchema = v.GenericSchema<any, Record<string, unknown>>;

/**
 * What a caller must hold. `read` subscribes and queries, `write` changes state, `run` starts processes, `admin`
 * does all. The permission's name is `{service}:{access}`.
 */
export type Access = "read" | "write" | "run" | "admin";

/** How much of a channel's past is kept. Whichever bound is reached first. Absent: the service's settings. */
export interface HistoryBounds {
  readonly events?: number;
  readonly ageMs?: number;
  readonly bytes?: number;
}

export interface ChannelKind {
  readonly description: string;
  /**
   * The field of an event's data that holds the channel's id: `session_id` makes `session:{session_id}`. Absent where
   * the kind is one channel, named by the kind alone, like `global`.
   */
  readonly id?: string;
  readonly history?: HistoryBounds;
  /** True: nothing is stored, there is no history, and what was under way is lost with the process. Default false. */
  readonly ephemeral?: boolean;
  /**
   * The state behind a channel, as the reply to a subscribe carries it: the one that belongs to the reply's position. The
   * manager's `snapshot` reads it. Absent: the kind has none.
   */
  readonly snapshot?: DataSchema;
  /**
   * What becomes of a reader that is too slow. Absent: its connection ends with 4000, and it resumes. Given: it gets, of
   * events of one type that agree in these fields of their data, only the newest (an empty list: one of each type). For
   * positions of cursors, progress and the like, of which only the last one matters.
   */
  readonly latestBy?: readonly string[];
  /**
   * Events that tell of users who come to a channel of the kind by subscribing to it, and who leave it. Their data has
   * the channel's id under its field's name, and `user_id`, both as text; where it does not fit, nobody is told of that
   * user. Absent: nobody is told at all.
   */
  readonly presence?: { readonly joined: string; readonly left: string };
}

/** Written as a method: tables of events hold routes that each know more of their data than the table does. */
type Route<Data> = { route(data: Data): readonly string[] }["route"];

export interface EventSpec<Data extends DataSchema = DataSchema> {
  readonly description: string;
  /** The kinds of the channels that the event goes to, or a function of its data that gives kinds or whole names. */
  readonly channels: readonly string[] | Route<v.InferOutput<Data>>;
  /** The event's data, without `timestamp`, which every event gets. */
  readonly data: Data;
  /** What a client needs to publish the event itself. Absent: only the service publishes it. */
  readonly publishable?: Access;
  /** What a client sends to publish it, where the service makes `data` of it (see `Relays`). Absent: `data`. */
  readonly published?: DataSchema;
}

/**
 * What a request does, whatever its data is; MCP clients decide by it whether to ask their user before a call, and whether
 * to try a call again. What is left out is taken for the worst.
 */
export interface Effect {
  /**
   * It may change, replace or end what is there. False: it only adds. Figures that follow from what is there, and what is
   * let go of by age or number as the settings say, do not count. @default true
   */
  readonly destructive?: boolean;
  /**
   * The same request again, with nothing between, changes nothing more and tells nothing more: it is answered as before,
   * or refused. That a lease of who is present goes on does not count. @default false
   */
  readonly idempotent?: boolean;
  /** It reaches outside: starts programs that others wrote, or talks to other machines. @default false */
  readonly openWorld?: boolean;
}

export interface RequestSpec<Input extends DataSchema = DataSchema, Output extends DataSchema = DataSchema> {
  readonly description: string;
  readonly access: Access;
  readonly input: Input;
  readonly output: Output;
  /**
   * Absent from a request that is `read`: it has none, so it changes no state and tells no event. One that does has to say
   * so. Absent from any other: nothing is known.
   */
  readonly effect?: Effect;
}

export interface PromptArgument {
  readonly description: string;
  /** @default false */
  readonly required?: boolean;
  /** It is an id of this kind of channel: clients complete it from those there are, and nothing else is taken. */
  readonly channel?: string;
}

/**
 * What a prompt was given. It cannot be had raw, since others may have written it: only as JSON text that stays one value
 * on one line, whatever it holds, and is of bounded length.
 */
export interface PromptValues {
  /** Whether the argument was given. */
  has(argument: string): boolean;
  /** The argument, such as `"app"`, with its quotes. */
  json(argument: string): string;
  /** The channel that it is the id of, such as `"test:01J"`. @param kind Default: the argument's own `channel` */
  channel(argument: string, kind?: string): string;
}

/** A task that MCP clients offer to their users, in words for an agent that has the service's tools. */
export interface PromptSpec {
  /** For a menu: a few words. */
  readonly title: string;
  readonly description: string;
  readonly arguments: Readonly<Record<string, PromptArgument>>;
  /**
   * What the agent is told. Names of tools, channels and events stand in backquotes; a call is written as
   * `` `tool` with {JSON} ``. How to read the answers of the tools that wait is added to it.
   */
  text(given: PromptValues): string;
}

/** The three tables of a contract, in the types that its author wrote. */
export interface ContractShape {
  readonly channels: Readonly<Record<string, ChannelKind>>;
  readonly events: Readonly<Record<string, EventSpec>>;
  readonly requests: Readonly<Record<string, RequestSpec>>;
}

export interface Contract<Shape extends ContractShape = ContractShape> extends ContractShape {
  /** Lower case, digits and dashes. Names settings file, permissions and environment variables. */
  readonly name: string;
  /** The sentence of the welcome frame. */
  readonly greeting: string;
  readonly ports: ServicePorts;
  readonly channels: Shape["channels"] & typeof COMMON_CHANNELS;
  readonly events: Shape["events"] & typeof COMMON_EVENTS;
  readonly requests: Shape["requests"];
  readonly prompts: Readonly<Record<string, PromptSpec>>;
}

export type EventName<C extends Contract> = keyof C["events"] & string;
export type EventData<C extends Contract, E extends EventName<C>> = v.InferInput<C["events"][E]["data"]>;
/** What a client publishes an event with, as its schema has checked it. */
export type PublishedData<C extends Contract, E extends EventName<C>> = v.InferOutput<
  C["events"][E] extends { readonly published: infer Published extends DataSchema } ? Published
    : C["events"][E]["data"]
>;
export type RequestName<C extends Contract> = keyof C["requests"] & string;
export type RequestInput<C extends Contract, R extends RequestName<C>> = v.InferOutput<
  C["requests"][R]["input"]
>;
export type RequestOutput<C extends Contract, R extends RequestName<C>> = v.InferInput<
  C["requests"][R]["output"]
>;

/** Channels that every service has. */
const COMMON_CHANNELS: { readonly global: ChannelKind } = {
  global: { description: "What everybody should hear of" },
};

/** Events that every service has. */
const COMMON_EVENTS = {
  "system.announcement": {
    description: "An operator's word to everybody, and the notice before a service stops",
    channels: ["global"],
    publishable: "admin",
    data: v.object({
      message: v.string(),
      level: v.optional(v.picklist(["info", "warning", "error"]), "info"),
      source: v.optional(v.string(), "operator"),
    }),
  },
} as const satisfies Record<string, EventSpec>;

export interface ContractInput<Shape extends ContractShape> {
  readonly name: string;
  /** @default "Connected to {name}" */
  readonly greeting?: string;
  readonly ports: ServicePorts;
  readonly channels: Shape["channels"];
  readonly events: Shape["events"];
  readonly requests: Shape["requests"];
  /** @default none */
  readonly prompts?: Readonly<Record<string, PromptSpec>>;
}

/**
 * Check a contract and add what every service has: the channel `global` and its `system.announcement`.
 *
 * @throws {TypeError} where a name is malformed, an event goes to a channel kind that is not there, a request has the
 * name of a common one, or a prompt's argument is an id of a kind that is not there or has none.
 */
export function defineContract<
  const Channels extends Record<string, ChannelKind>,
  const Events extends Record<string, EventSpec>,
  const Requests extends Record<string, RequestSpec>,
>(
  input: ContractInput<{ channels: Channels; events: Events; requests: Requests }>,
): Contract<{ channels: Channels; events: Events; requests: Requests }> {
  const contract = {
    name: input.name,
    greeting: input.greeting ?? `Connected to ${input.name}`,
    ports: input.ports,
    channels: { ...COMMON_CHANNELS, ...input.channels },
    events: { ...COMMON_EVENTS, ...input.events },
    requests: input.requests,
    prompts: input.prompts ?? {},
  };
  checkNames(contract);
  return contract;
}

/** Of requests, prompts and their arguments. */
const NAME = /^[a-z][a-z0-9_]*$/;

function checkNames(contract: ContractShape & Pick<Contract, "name" | "prompts">): void {
  const expect = (holds: boolean, message: string): void => {
    if (!holds) throw new TypeError(`Cannot define contract '${contract.name}': ${message}`);
  };
  expect(/^[a-z][a-z0-9-]*$/.test(contract.name), "a name has lower-case letters, digits and dashes");
  for (const kind of Object.keys(contract.channels)) {
    expect(
      /^[a-z][a-z0-9_-]*$/.test(kind),
      `channel kind '${kind}' must have lower-case letters, digits, - and _`,
    );
  }
  for (const [kind, { presence }] of Object.entries(contract.channels)) {
    for (const event of presence ? [presence.joined, presence.left] : []) {
      expect(
        Object.hasOwn(contract.events, event),
        `channel kind '${kind}' tells of its users by unknown event '${event}'`,
      );
    }
  }
  for (const [name, event] of Object.entries(contract.events)) {
    expect(/^[a-z][a-z0-9_.]*$/.test(name), `event '${name}' must have lower-case letters, digits, _ and .`);
    if (typeof event.channels === "function") continue;
    expect(event.channels.length > 0, `event '${name}' goes to no channel`);
    for (const kind of event.channels) {
      expect(
        Object.hasOwn(contract.channels, kind),
        `event '${name}' goes to unknown channel kind '${kind}'`,
      );
    }
  }
  for (const name of Object.keys(contract.requests)) {
    expect(NAME.test(name), `request '${name}' must have lower-case letters, digits and _`);
    expect(
      !COMMON_REQUEST_NAMES.has(name),
      `request '${name}' has the name of a request that every service answers`,
    );
  }
  for (const [name, prompt] of Object.entries(contract.prompts)) {
    expect(NAME.test(name), `prompt '${name}' must have lower-case letters, digits and _`);
    for (const [argument, { channel }] of Object.entries(prompt.arguments)) {
      const place = `argument '${argument}' of prompt '${name}'`;
      expect(NAME.test(argument), `${place} must have lower-case letters, digits and _`);
      if (channel === undefined) continue;
      const isKnown = Object.hasOwn(contract.channels, channel) &&
        contract.channels[channel]?.id !== undefined;
      expect(isKnown, `${place} is an id of '${channel}', which is no channel kind with ids`);
    }
  }
}
