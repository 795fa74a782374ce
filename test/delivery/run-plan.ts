/**
 * Carries out a plan in a world, brings it to a quiet end, and judges it.
 *
 * @module
 */
import { judge } from "./judge.ts";
import { operationOf } from "./operations.ts";
import { type Act, CHANNELS, type Id, type Plan, READERS, type Step } from "./plan.ts";
import { RawReader } from "./raw-reader.ts";
import type { Reader } from "./reader.ts";
import type { Operation, RunRecord } from "./record.ts";
import { Violation } from "./violation.ts";
import type { World } from "./world.ts";

export interface RunOptions {
  /** See `RunRecord`. @default true */
  readonly prompt?: boolean;
  /** Told what happened, before it is judged. */
  readonly seen?: (run: RunRecord) => void;
  /** Readers besides those that speak the protocol themselves. */
  readonly more?: (world: World) => readonly Reader[];
}

/** @throws Violation */
export async function runPlan(plan: Plan, world: World, options: RunOptions = {}): Promise<void> {
  const raw = Array.from({ length: READERS }, (_, index) => new RawReader(`reader ${index}`, world));
  const readers: Reader[] = [...raw, ...options.more?.(world) ?? []];
  const operations: Operation[] = [];
  const ask = (reader: RawReader, act: Act): Operation => {
    const operation = operationOf(act, reader.name, operations.length + 1);
    operations.push(operation);
    reader.publish(operation);
    return operation;
  };
  for (const reader of readers) reader.connect();
  for (const step of plan) await take(step, { world, raw, readers, ask });
  const restless = await end({ world, raw, readers, ask });
  for (const reader of readers) reader.done();
  const committed = await world.finish();
  for (const { answered, keyed, n, frame } of operations) {
    if (keyed && !answered) throw new Violation(`operation ${n} (${frame.event}) was never answered`);
  }
  const run = { readers, operations, committed, prompt: options.prompt ?? true };
  options.seen?.(run);
  judge(run);
  if (restless) throw new Violation(`${restless.name}: never came to rest`);
}

interface Scene {
  readonly world: World;
  readonly raw: RawReader[];
  readonly readers: Reader[];
  readonly ask: (reader: RawReader, act: Act) => Operation;
}

async function take(step: Step, { world, raw, readers, ask }: Scene): Promise<void> {
  if (step.do === "wait") await world.wait(step.ms);
  else if (step.do === "restart") await world.restart();
  else if (step.do === "crash") await world.crash(() => readers.forEach((reader) => reader.expectEnd()));
  else act(step, { world, raw, readers, ask });
}

type Doing = Exclude<Step, { readonly do: "wait" | "restart" | "crash" }>;

function act(step: Doing, { raw, readers, ask }: Scene): void {
  if (step.do === "act") return void ask(raw[step.who]!, step);
  // Those that cannot be told apart do what the first does.
  const concerned = step.who === 0
    ? readers.filter((reader) => reader === raw[0] || !isRaw(reader))
    : [raw[step.who]!];
  for (const reader of concerned) move(step, reader);
}

const isRaw = (reader: Reader): boolean => reader instanceof RawReader;

function move(step: Exclude<Doing, { readonly do: "act" }>, reader: Reader): void {
  switch (step.do) {
    case "connect":
      return reader.connect(step.backwards);
    case "cut":
      return reader.cut();
    case "hang up":
      return reader.hangUp();
    case "stall":
      return reader.stall();
    case "flow":
      return reader.flow();
    case "join":
      return reader.join(step.place, step);
    case "leave":
      return reader.leave(step.place);
  }
}

/**
 * Everybody comes back and reads, and a last event in each channel tells when all has come. Resolves with a reader to
 * whom it never came.
 */
async function end(scene: Scene): Promise<Reader | undefined> {
  const { world, raw, readers, ask } = scene;
  const caughtUp = (seals: ReadonlyMap<string, number>) => () => {
    for (const reader of readers) if (!reader.connected) reader.connect();
    return readers.every((reader) => reader.caughtUp(seals));
  };
  for (const reader of readers) reader.flow();
  await world.settle(caughtUp(new Map()));
  const witness = new RawReader("witness", world);
  readers.push(witness);
  witness.connect();
  for (const place of ["doc:a", "doc:b"]) witness.join(place, { filter: null, last: null });
  for (const place of ["log:a", "doc:*"]) witness.join(place, { filter: null, last: 4 });
  await world.settle(caughtUp(new Map()));
  const seals = new Map(CHANNELS.map((channel) => [channel, ask(raw[0]!, sealing(channel)).n]));
  await world.settle(caughtUp(seals));
  return readers.find((reader) => !reader.caughtUp(seals));
}

function sealing(channel: string): Act {
  const [kind, id] = channel.split(":") as [string, Id];
  const what = kind === "doc" ? "seal" : `${kind}.sealed` as Act["what"];
  return { what, by: "publish", id, other: id, key: "left", keyed: true, large: false };
}
