/**
 * Where a server on Node spends its processor time, told in shares: by parts of this project, by packages, and by what the
 * engine and the kernel do for them.
 *
 * @module
 */
import type { Profiler } from "node:inspector";
import { Session } from "node:inspector/promises";

/** A part of the time in which the process was not idle. */
export interface Share {
  readonly what: string;
  /** From 0 to 1. */
  readonly share: number;
}

/** Microseconds between two looks. */
const INTERVAL_US = 200;

/** Names that Node gives to the calls in which the kernel takes bytes. */
const KERNEL_WRITES = /^write(?:v|Buffer|Utf8String|Latin1String|AsciiString)$/;

/** Begin to look. @returns the way to end it, and to learn the shares, the largest first. */
export async function beginProfile(): Promise<() => Promise<Share[]>> {
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.setSamplingInterval", { interval: INTERVAL_US });
  await session.post("Profiler.start");
  return async () => {
    const { profile } = await session.post("Profiler.stop");
    session.disconnect();
    return sharesOf(profile);
  };
}

/** @param profile With the time between its samples. */
export function sharesOf({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): Share[] {
  const places = new Map(nodes.map(({ id, callFrame }) => [id, placeOf(callFrame)]));
  const times = new Map<string, number>();
  let busy = 0;
  samples.forEach((id, index) => {
    const place = places.get(id) ?? null;
    if (place === null) return;
    busy += timeDeltas[index]!;
    times.set(place, (times.get(place) ?? 0) + timeDeltas[index]!);
  });
  return [...times].map(([what, time]) => ({ what, share: time / busy })).sort((a, b) => b.share - a.share);
}

/** Null where nothing was done. */
function placeOf({ functionName, url }: Profiler.Profile["nodes"][number]["callFrame"]): string | null {
  if (functionName === "(idle)") return null;
  if (functionName === "(garbage collector)") return "garbage collection";
  const packageName = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1];
  if (packageName === "libsql" || /libsql|sqlite/i.test(functionName)) return "SQLite";
  if (packageName !== undefined) return packageName;
  if (url.startsWith("node:")) return "streams and timers of Node";
  const room = /\/(src\/[^/]+|bench)\//.exec(url)?.[1];
  if (room !== undefined) return room === "bench" ? "the service that is measured" : room;
  return KERNEL_WRITES.test(functionName) ? "writes, by the kernel" : "the rest of the engine";
}
