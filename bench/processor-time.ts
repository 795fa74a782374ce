/**
 * What the operating system says that a process has had of the processors, all its threads together.
 *
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";

/** Nanoseconds by thread. */
type Times = ReadonlyMap<string, number>;

/**
 * Begin to measure a process. Returns the way to read what it has needed since then, user and system time in
 * milliseconds. Of a thread that ends meanwhile nothing counts.
 *
 * @throws {Error} where there is no `/proc`: this is Linux only.
 */
export function measureProcessor(pid: number): () => number {
  const before = times(pid);
  return () => {
    let nanoseconds = 0;
    for (const [thread, time] of times(pid)) nanoseconds += time - (before.get(thread) ?? 0);
    return nanoseconds / 1e6;
  };
}

function times(pid: number): Times {
  const times = new Map<string, number>();
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      const [running] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ");
      times.set(thread, Number(running));
    } catch {
      // It has ended since the folder was read.
    }
  }
  return times;
}
