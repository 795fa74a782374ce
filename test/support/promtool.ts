/**
 * Prometheus' own tools, where the machine has them: the program that the variable `PROMTOOL` names, else `promtool` on
 * the path; the server that `PROMETHEUS` names, else `prometheus`.
 *
 * @module
 */
import { spawnSync } from "node:child_process";

export const promtool = process.env.PROMTOOL || "promtool";
export const prometheus = process.env.PROMETHEUS || "prometheus";

export const PROMETHEUS_HINT = "apt-get install prometheus, or name the programs in PROMTOOL and PROMETHEUS";

export function isThere(program: string): boolean {
  return spawnSync(program, ["--version"], { stdio: "ignore" }).status === 0;
}

/** Its exit code and all that it said. */
export function runPromtool(args: readonly string[], input = ""): { code: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync(promtool, args, { encoding: "utf8", input, timeout: 60_000 });
  return { code: status, said: `${stdout}${stderr}` };
}
