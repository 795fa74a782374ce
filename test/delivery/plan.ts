/**
 * What happens in a run: clients that come, go, subscribe, publish and stop reading, and a server that goes down, in
 * any order.
 *
 * @module
 */
import * as fc from "fast-check";

export const READERS = 3;
export const IDS = ["a", "b"] as const;
const KEYS = ["left", "right"] as const;

export type Id = (typeof IDS)[number];

/** Something to ask of the service. `by`: a request of the contract, or how an event is published. */
export interface Act {
  readonly what:
    | "edit"
    | "edit_slowly"
    | "note"
    | "seal"
    | "post"
    | "share"
    | "burst"
    | "log.written"
    | "pulse.beat"
    | "meter.moved"
    | "log.sealed"
    | "pulse.sealed"
    | "meter.sealed";
  readonly by: "publish" | "event";
  readonly id: Id;
  readonly other: Id;
  readonly key: (typeof KEYS)[number];
  readonly keyed: boolean;
  readonly large: boolean;
}

export type Step =
  | { readonly do: "connect"; readonly who: number; readonly backwards: boolean }
  | { readonly do: "cut" | "hang up" | "stall" | "flow"; readonly who: number }
  | {
    readonly do: "join";
    readonly who: number;
    readonly place: string;
    readonly filter: readonly string[] | null;
    readonly last: number | null;
  }
  | { readonly do: "leave"; readonly who: number; readonly place: string }
  | ({ readonly do: "act"; readonly who: number } & Act)
  | { readonly do: "wait"; readonly ms: number }
  | { readonly do: "restart" }
  | { readonly do: "crash" };

export type Plan = readonly Step[];

const EVENTS: Readonly<Record<string, readonly string[]>> = {
  doc: ["doc.edited", "doc.noted", "doc.posted", "doc.shared"],
  log: ["log.written", "doc.posted"],
  pulse: ["pulse.beat"],
  meter: ["meter.moved"],
};

/** Every channel that a plan uses. */
export const CHANNELS: readonly string[] = Object.keys(EVENTS).flatMap((kind) =>
  IDS.map((id) => `${kind}:${id}`)
);

const who = fc.nat(READERS - 1);
/** One of the two has most of the events, so that its history runs over. */
const id = fc.constantFrom<Id>("a", "a", "a", "b");

/** Where a client subscribes: documents most, in all three ways. */
const place = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom("doc:a", "doc:a", "doc:b", "doc:*", "doc:*") },
  { weight: 2, arbitrary: fc.constantFrom("log:a", "log:b", "log:*") },
  { weight: 2, arbitrary: fc.constantFrom("meter:a", "meter:*") },
  { weight: 1, arbitrary: fc.constantFrom("pulse:a", "pulse:b", "pulse:*") },
);

/** Some events of the kind, and always the one that ends the run. */
function filterOf(place: string): fc.Arbitrary<string[] | null> {
  const kind = place.slice(0, place.indexOf(":"));
  const some = fc.subarray([...EVENTS[kind]!]).map((events) => [...events, `${kind}.sealed`]);
  return fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: some });
}

const join: fc.Arbitrary<Step> = place.chain((place) =>
  fc.record({
    do: fc.constant("join" as const),
    who,
    place: fc.constant(place),
    filter: filterOf(place),
    last: fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, {
      weight: 1,
      arbitrary: fc.integer({ min: 1, max: 8 }),
    }),
  })
);

const act: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("act" as const),
  who,
  what: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom("edit" as const, "note" as const, "share" as const) },
    { weight: 2, arbitrary: fc.constantFrom("post" as const, "burst" as const, "edit_slowly" as const) },
    {
      weight: 4,
      arbitrary: fc.constantFrom("log.written" as const, "pulse.beat" as const, "meter.moved" as const),
    },
  ),
  by: fc.constantFrom("publish" as const, "event" as const),
  id,
  other: id,
  key: fc.constantFrom(...KEYS),
  keyed: fc.boolean(),
  large: fc.integer({ min: 0, max: 5 }).map((n) => n === 5),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 20, arbitrary: act },
  { weight: 5, arbitrary: join },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("connect" as const), who, backwards: fc.boolean() }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom(
        "cut" as const,
        "cut" as const,
        "hang up" as const,
        "stall" as const,
        "stall" as const,
        "flow" as const,
      ),
      who,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("leave" as const), who, place }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("wait" as const),
      ms: fc.constantFrom(0, 0, 0, 1, 10, 25, 31_000),
    }),
  },
  { weight: 1, arbitrary: fc.constantFrom({ do: "restart" as const }, { do: "crash" as const }) },
);

/** Where the readers are from the beginning. */
const joins = fc.array(join, { maxLength: 6, size: "max" });

const steps = (maxLength: number) => fc.array(step, { minLength: 1, maxLength, size: "max" });

/** A plan for linked or real sockets. */
export const plan = (maxLength: number): fc.Arbitrary<Plan> =>
  fc.tuple(joins, steps(maxLength)).map(([joins, steps]) => [...joins, ...steps]);

/** A plan in which the server is killed once, at any point. */
export const planWithKill = (maxLength: number): fc.Arbitrary<Plan> =>
  fc.tuple(plan(maxLength), fc.nat()).map(([plan, at]) => {
    const steps = plan.filter((one) => one.do !== "restart" && one.do !== "crash");
    const index = steps.length === 0 ? 0 : at % steps.length;
    return [...steps.slice(0, index), { do: "crash" as const }, ...steps.slice(index)];
  });
