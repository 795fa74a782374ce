/**
 * The state of a git checkout, read by running git without running anything that the checkout brings along.
 *
 * @module
 */
import type { Processes, RunResult } from "../../../src/ports/processes.ts";

export interface GitState {
  /** Null where HEAD is detached. */
  readonly branch: string | null;
  /** Commit id; null before the first commit. */
  readonly head: string | null;
  /** Changed and untracked paths, from the top of the checkout. At most 100, and at most 32,768 characters. */
  readonly dirty: string[];
  /** All dirty paths; null where git gave more than we read. */
  readonly dirty_count: number | null;
}

const MAX_PATHS = 100;
const MAX_PATH_CHARACTERS = 32_768;
const MAX_FILTER_SETTINGS = 100;
const TIMEOUT_MS = 5_000;

/** A checkout may name programs in its settings: none of them is run, nothing is written, nothing is fetched. */
const SAFE_SETTINGS = ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"];
const SAFE_ENVIRONMENT = {
  GIT_OPTIONAL_LOCKS: "0",
  GIT_TERMINAL_PROMPT: "0",
  GIT_NO_LAZY_FETCH: "1",
  GIT_ALLOW_PROTOCOL: "none",
  LC_ALL: "C",
};

/**
 * Read the state of the checkout that `folder` is in.
 *
 * @param distrusted told where git says nothing of the checkout, since it belongs to another user
 * @returns null where it is in none, where git is not installed, and where git refuses or does not finish in time
 */
export async function readGitState(
  processes: Processes,
  folder: string,
  distrusted: () => void = () => {},
): Promise<GitState | null> {
  try {
    const filters = await filterSettings(processes, folder);
    if (filters === null) return null;
    const result = await processes.run("git", [
      ...SAFE_SETTINGS,
      "-C",
      folder,
      "status",
      "--porcelain=v2",
      "--branch",
      "-z",
      "--untracked-files=normal",
      // Looking into a submodule would start another git there.
      "--ignore-submodules=dirty",
    ], {
      timeoutMs: TIMEOUT_MS,
      maxOutputBytes: 1_048_576,
      environment: { ...SAFE_ENVIRONMENT, ...switchedOff(filters) },
    });
    if (isDistrust(result)) distrusted();
    return parseStatus(result);
  } catch {
    // `run` rejects where git cannot be started.
    return null;
  }
}

/** Whether git refuses a checkout for its owner, in the words that it has in the language C. */
export function isDistrust({ code, stderr }: Pick<RunResult, "code" | "stderr">): boolean {
  return code !== 0 && stderr.includes("dubious ownership");
}

/**
 * Names of the filter settings (`filter.lfs.clean`) that the checkout's own configuration brings; null where git does
 * not tell. git status runs such a filter to compare a file.
 */
async function filterSettings(processes: Processes, folder: string): Promise<string[] | null> {
  const { code, stdout } = await processes.run("git", [
    "-C",
    folder,
    "config",
    "--includes",
    "--show-scope",
    "--name-only",
    "-z",
    "--get-regexp",
    "^filter\\.",
  ], { timeoutMs: TIMEOUT_MS, maxOutputBytes: 65_536, environment: SAFE_ENVIRONMENT });
  if (code !== 0 && code !== 1) return null;
  const fields = stdout.split("\0");
  const names = new Set<string>();
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const [scope, name] = [fields[i], fields[i + 1]];
    if (name && scope !== "system" && scope !== "global") names.add(name);
  }
  return names.size > MAX_FILTER_SETTINGS ? null : [...names];
}

/** The variables that set each of the settings to nothing. They bind more than any file. */
function switchedOff(settings: readonly string[]): Record<string, string> {
  const environment: Record<string, string> = { GIT_CONFIG_COUNT: String(settings.length) };
  for (const [index, name] of settings.entries()) {
    environment[`GIT_CONFIG_KEY_${index}`] = name;
    environment[`GIT_CONFIG_VALUE_${index}`] = name.endsWith(".required") ? "false" : "";
  }
  return environment;
}

/** Fields before the path, by the first character of a line of `git status --porcelain=v2`. */
const FIELDS: Readonly<Record<string, number>> = { "1": 8, "2": 9, u: 10, "?": 1 };

/** @returns null where the output does not tell where HEAD is: not a checkout, or nothing came in time */
export function parseStatus({ code, stdout }: Pick<RunResult, "code" | "stdout">): GitState | null {
  if (code !== null && code !== 0) return null;
  let branch: string | null = null;
  let head: string | null = null;
  let known = false;
  const dirty: string[] = [];
  let characters = 0;
  let count = 0;
  // What follows the last NUL is nothing, or a line that was cut.
  const lines = stdout.split("\0").slice(0, -1).values();
  for (const line of lines) {
    if (line.startsWith("# branch.oid ")) {
      head = line.slice(13) === "(initial)" ? null : line.slice(13);
    } else if (line.startsWith("# branch.head ")) {
      branch = line.slice(14) === "(detached)" ? null : line.slice(14);
      known = true;
    }
    const fields = FIELDS[line.charAt(0)];
    if (fields === undefined) continue;
    // A renamed file is followed by its former path.
    if (line.startsWith("2")) lines.next();
    const path = line.split(" ").slice(fields).join(" ");
    count += 1;
    characters += path.length;
    if (dirty.length < MAX_PATHS && characters <= MAX_PATH_CHARACTERS) dirty.push(path);
  }
  return known ? { branch, head, dirty, dirty_count: code === null ? null : count } : null;
}
