/**
 * Scenarios that a server is not held to, with their reasons, and whether the list is still true.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import * as v from "valibot";
import { parse } from "yaml";
import type { Finding } from "./scenarios.ts";

/** Reasons by scenario. */
export type LeftOut = Readonly<Record<string, string>>;

const Reasons = v.record(v.string(), v.pipe(v.string(), v.minLength(20)));
const File = v.strictObject({ services: Reasons, fixture: Reasons });

export async function readLeftOut(): Promise<v.InferOutput<typeof File>> {
  return v.parse(File, parse(await readFile(new URL("./left-out.yaml", import.meta.url), "utf8")));
}

/**
 * Whether each scenario that there is has either passed or is left out, and each that is left out would not pass.
 *
 * @returns one line for each fault.
 */
export function faultsOf(
  scenarios: readonly string[],
  findings: ReadonlyMap<string, Finding>,
  leftOut: LeftOut,
): string[] {
  const known = new Set([...scenarios, ...findings.keys()]);
  const stale = Object.keys(leftOut).filter((scenario) => !known.has(scenario))
    .map((scenario) => `${scenario}: is left out, but there is no such scenario`);
  const faults = [...known].flatMap((scenario) => {
    const finding = findings.get(scenario);
    if (!finding) return [`${scenario}: was not tried`];
    const isLeftOut = Object.hasOwn(leftOut, scenario);
    if (finding.passed) return isLeftOut ? [`${scenario}: is left out, but passes`] : [];
    return isLeftOut ? [] : [`${scenario}: ${finding.problems.join("; ")}`];
  });
  return [...faults, ...stale];
}
