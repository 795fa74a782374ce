/**
 * Runs many plans in one kind of world and says what came of it. The first that fails is made as small as it gets,
 * where that is quick, and told with the seed that brings it back.
 *
 * @module
 */
import * as fc from "fast-check";
import type { CreateBroker } from "../../src/broker/broker.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Runtime } from "../../src/ports/runtime.ts";
import { lateBroker } from "./late-broker.ts";
import { LibraryReader } from "./library-reader.ts";
import { LinkedWorld } from "./linked-world.ts";
import { type Plan, plan, planWithKill } from "./plan.ts";
import { ProcessWorld } from "./process-world.ts";
import type { Reader } from "./reader.ts";
import { runPlan } from "./run-plan.ts";
import { SocketWorld } from "./socket-world.ts";
import type { World } from "./world.ts";

/**
 * `linked`: sockets without a network. `library`: the same, read by the library's client too. `late`: the same, with a
 * broker that takes its time. `sockets`: real ones. `kill`: real ones to a process that is killed.
 */
export type Way = "linked" | "library" | "late" | "sockets" | "kill";

export interface CheckOptions {
  readonly way: Way;
  readonly runs: number;
  /** Default: another one each time. */
  readonly seed?: number;
  /** Default: the server's own. Linked only. */
  readonly createBroker?: (clock: Clock) => CreateBroker;
  /** Whether a failing plan is made smaller. Default: where that is quick. */
  readonly shrink?: boolean;
}

export interface Outcome {
  readonly way: Way;
  readonly runs: number;
  readonly seed: number;
  /** What was violated, and by which plan; null where nothing was. */
  readonly failure: string | null;
}

/** Longest plan of each way: what takes longer is done less. */
const STEPS: Readonly<Record<Way, number>> = { linked: 60, library: 60, late: 60, sockets: 40, kill: 40 };

/** How long a failing plan may be made smaller, in milliseconds. */
const SHRINK_MS = 30_000;

export async function checkModel(runtime: Runtime, options: CheckOptions): Promise<Outcome> {
  const { way, runs } = options;
  const open = opening(runtime, options);
  let failed = 0;
  const property = fc.asyncProperty(
    way === "kill" ? planWithKill(STEPS.kill) : plan(STEPS[way]),
    async (plan) => {
      // A failure stays one, and the smallest found so far is told.
      if (failed > 0 && performance.now() > failed + SHRINK_MS) return;
      try {
        await runIn(await open(), plan, way);
      } catch (error) {
        failed ||= performance.now();
        throw error;
      }
    },
  );
  const shrink = options.shrink ?? (way !== "sockets" && way !== "kill");
  const seed = options.seed === undefined ? {} : { seed: options.seed };
  const details = await fc.check(property, { numRuns: runs, endOnFailure: !shrink, ...seed });
  const [counterexample] = details.counterexample ?? [];
  return {
    way,
    runs: details.numRuns,
    seed: details.seed,
    failure: counterexample ? report(details.errorInstance, counterexample, details.seed) : null,
  };
}

async function runIn(world: World, plan: Plan, way: Way): Promise<void> {
  try {
    await runPlan(plan, world, {
      prompt: way !== "late",
      ...(way === "linked" ? {} : { more: libraryReaders }),
    });
  } finally {
    await world.close();
  }
}

/** One whose application reads at once, and one that may keep nothing for its application. */
const libraryReaders = (world: World): Reader[] => [
  new LibraryReader("library", world),
  new LibraryReader("narrow library", world, { bufferSize: 1, overlaps: false }),
];

function opening(runtime: Runtime, { way, createBroker }: CheckOptions): () => Promise<World> {
  if (way === "sockets") return () => SocketWorld.open(runtime);
  if (way === "kill") return () => ProcessWorld.open(runtime);
  const broker = createBroker ?? (way === "late" ? lateBroker : null);
  return () => LinkedWorld.open(runtime, broker ? { createBroker: broker } : {});
}

function report(error: unknown, plan: Plan, seed: number): string {
  const what = error instanceof Error
    ? error.name === "Violation" ? error.message : error.stack
    : String(error);
  return [what, ...plan.map((step) => `  ${JSON.stringify(step)}`), `seed ${seed}`].join("\n");
}
