/**
 * Stages and what they need, as a graph.
 *
 * @module
 */
export interface Needing {
  readonly name: string;
  readonly needs: readonly string[];
}

/** A circle of needs, first and last the same; null where there is none. Unknown needs lead nowhere. */
export function findCycle(stages: readonly Needing[]): string[] | null {
  const byName = new Map(stages.map((stage) => [stage.name, stage]));
  const done = new Set<string>();
  const trail: string[] = [];
  const walk = (name: string): string[] | null => {
    const start = trail.indexOf(name);
    if (start >= 0) return [...trail.slice(start), name];
    if (done.has(name)) return null;
    trail.push(name);
    for (const need of byName.get(name)?.needs ?? []) {
      const cycle = walk(need);
      if (cycle) return cycle;
    }
    trail.pop();
    done.add(name);
    return null;
  };
  for (const { name } of stages) {
    const cycle = walk(name);
    if (cycle) return cycle;
  }
  return null;
}
