/**
 * The official conformance suite, `@modelcontextprotocol/conformance`: what scenarios it has for servers, and what they
 * find of one. It wants Node 22, or Deno, which is there for tests on any Node.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { requireOrSkip } from "../support/require.ts";
import { executable } from "../support/start-program.ts";
import { type ProgramEnd, runProgram } from "./run-program.ts";

const program = fileURLToPath(
  new URL("../../node_modules/@modelcontextprotocol/conformance/dist/index.js", import.meta.url),
);

/** What a scenario has found of a server. */
export interface Finding {
  readonly passed: boolean;
  /** Why it has not, a line for each check; what the suite calls a warning counts as not passed. */
  readonly problems: readonly string[];
}

interface Check {
  readonly id: string;
  readonly status: "SUCCESS" | "FAILURE" | "WARNING" | "SKIPPED" | "INFO";
  readonly errorMessage?: string;
}

export function hasSuite(): boolean {
  const found = existsSync(program) && executable("deno") !== undefined;
  return requireOrSkip("the MCP conformance suite", found, "run npm ci");
}

function runSuite(args: readonly string[]): Promise<ProgramEnd> {
  return runProgram(executable("deno")!, ["run", "-A", "--no-check", program, ...args]);
}

/** Names of all scenarios for servers, those that the suite itself calls pending included. */
export async function listScenarios(): Promise<readonly string[]> {
  const { code, stdout, stderr } = await runSuite(["list", "--server"]);
  const names = [...stdout.matchAll(/^ {2}- ([\w-]+)/gm)].map(([, name]) => name!);
  if (code !== 0 || names.length === 0) {
    throw new Error(`Expected a list of scenarios, got: ${stdout}${stderr}`);
  }
  return names;
}

/** Hold a server against all scenarios. */
export async function tryScenarios(url: string): Promise<ReadonlyMap<string, Finding>> {
  const folder = await mkdtemp(join(tmpdir(), "conformance-"));
  try {
    // Its exit code says whether something has failed, which the checks say better.
    const { stdout, stderr } = await runSuite(["server", "--url", url, "--suite", "all", "-o", folder]);
    const findings = new Map<string, Finding>();
    for (const name of await readdir(folder)) {
      const [, scenario] = /^server-([\w-]+)-\d{4}-\d\d-\d\dT[\d-]+Z$/.exec(name) ?? [];
      if (scenario === undefined) throw new Error(`Expected a folder of a scenario, got "${name}"`);
      findings.set(scenario, judge(JSON.parse(await readFile(join(folder, name, "checks.json"), "utf8"))));
    }
    if (findings.size === 0) throw new Error(`Expected findings, got: ${stdout}${stderr}`);
    return findings;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function judge(checks: readonly Check[]): Finding {
  const problems = checks
    .filter(({ status }) => status !== "SUCCESS" && status !== "INFO")
    .map(({ id, status, errorMessage }) => `${status} ${id}: ${errorMessage ?? "no reason given"}`);
  if (!checks.some(({ status }) => status === "SUCCESS")) problems.push("no check has succeeded");
  return { passed: problems.length === 0, problems };
}
