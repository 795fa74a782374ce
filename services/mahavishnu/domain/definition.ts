/**
 * Definitions of workflows: what a file says, checked.
 *
 * @module
 */
import { MAX_STAGES } from "../fields.ts";
import { findCycle } from "./dag.ts";
import { DURATION_IN_WORDS, readDuration } from "./duration.ts";
import type { Located } from "./located.ts";
import { Problems } from "./problems.ts";

export interface StageSpec {
  readonly name: string;
  /** Program and arguments. */
  readonly command: readonly string[];
  readonly needs: readonly string[];
  /** Null: it may take as long as it likes. */
  readonly timeoutMs: number | null;
  /** Times that it is run again when it fails. */
  readonly retries: number;
  readonly environment: Readonly<Record<string, string>>;
  /** Absolute, or from the service's working directory; null for that itself. */
  readonly folder: string | null;
  /** Its failure counts as done. */
  readonly continueOnError: boolean;
  readonly pool: string;
}

/** Can be stored as JSON. */
export interface Definition {
  readonly name: string;
  readonly description: string | null;
  /** What becomes of a workflow that the service's end has interrupted. */
  readonly onRestart: "resume" | "fail";
  readonly stages: readonly StageSpec[];
}

export type DefinitionResult =
  | { readonly ok: true; readonly definition: Definition }
  /** One sentence each, with file and line. */
  | { readonly ok: false; readonly problems: readonly string[] };

export interface DefinitionContext {
  /** For messages. */
  readonly file: string;
  /** Where the definition gives none. */
  readonly name: string;
  /** The first is the default. */
  readonly pools: readonly string[];
}

const KEYS = ["name", "description", "on_restart", "pool", "stages"];
const STAGE_KEYS = [
  "run",
  "shell",
  "needs",
  "timeout",
  "retries",
  "env",
  "cwd",
  "continue_on_error",
  "pool",
];
const STAGE_NAME = /^[A-Za-z0-9][\w.-]{0,63}$/;
const VARIABLE_NAME = /^[A-Za-z_]\w{0,127}$/;
const MAX_RETRIES = 100;

/** Check a definition. All that is wrong with it is told, not the first fault alone. */
export function readDefinition(root: Located | null, context: DefinitionContext): DefinitionResult {
  const problems = new Problems(context.file);
  const top = root ?? { line: 1, value: null };
  const fields = problems.map(top, "", "a map with the key stages", KEYS);
  const definition: Definition = {
    name: problems.text(fields.get("name"), "name", "a text", isPrintable) ?? context.name,
    description: problems.text(fields.get("description"), "description", "a text") ?? null,
    onRestart: readOnRestart(problems, fields.get("on_restart")),
    stages: readStages(problems, fields.get("stages"), top, {
      ...context,
      pools: preferred(context.pools, readPool(problems, fields.get("pool"), "pool", context.pools)),
    }),
  };
  return problems.all.length === 0 ? { ok: true, definition } : { ok: false, problems: problems.all };
}

function isPrintable(text: string): boolean {
  return text.length > 0 && text.length <= 100 && !/\p{Cc}/u.test(text);
}

function readOnRestart(problems: Problems, at: Located | undefined): "resume" | "fail" {
  const word = problems.text(at, "on_restart", "resume or fail", (text) => /^(resume|fail)$/.test(text));
  return word === "resume" ? "resume" : "fail";
}

function readPool(
  problems: Problems,
  at: Located | undefined,
  path: string,
  pools: readonly string[],
): string {
  const known = problems.text(
    at,
    path,
    `a pool of ${[...pools].sort().join(", ")}`,
    (text) => pools.includes(text),
  );
  return known ?? pools[0]!;
}

function preferred(pools: readonly string[], pool: string): readonly string[] {
  return [pool, ...pools.filter((other) => other !== pool)];
}

function readStages(
  problems: Problems,
  at: Located | undefined,
  top: Located,
  { pools }: DefinitionContext,
): StageSpec[] {
  if (at === undefined) {
    if (top.entries) problems.add(top, "stages", "a map of stages, got nothing");
    return [];
  }
  const entries = problems.map(at, "stages", "a map of stages");
  if (at.entries && (entries.size === 0 || entries.size > MAX_STAGES)) {
    problems.add(at, "stages", `1 to ${MAX_STAGES} stages, got ${entries.size}`);
    return [];
  }
  const stages = [...entries].map(([name, stage]) => readStage(problems, name, stage, pools));
  checkNeeds(problems, stages, entries);
  return stages;
}

function readStage(problems: Problems, name: string, at: Located, pools: readonly string[]): StageSpec {
  const path = `stages.${name.slice(0, 64)}`;
  if (!STAGE_NAME.test(name)) {
    problems.add(at, path, "a name of at most 64 letters, digits, _, . and -, got another");
  }
  const fields = problems.map(at, path, "a map with the key run", STAGE_KEYS);
  const at_ = (key: string) => fields.get(key);
  const shell = problems.flag(at_("shell"), `${path}.shell`);
  return {
    name,
    command: readCommand(problems, at_("run"), at, `${path}.run`, shell),
    needs: [...new Set(readTexts(problems, at_("needs"), `${path}.needs`, "a list of stages"))],
    timeoutMs: readTimeout(problems, at_("timeout"), `${path}.timeout`),
    retries: problems.whole(at_("retries"), `${path}.retries`, MAX_RETRIES),
    environment: readEnvironment(problems, at_("env"), `${path}.env`),
    folder: problems.text(at_("cwd"), `${path}.cwd`, "a folder's path", (text) => text !== "") ?? null,
    continueOnError: problems.flag(at_("continue_on_error"), `${path}.continue_on_error`),
    pool: readPool(problems, at_("pool"), `${path}.pool`, pools),
  };
}

function readCommand(
  problems: Problems,
  at: Located | undefined,
  stage: Located,
  path: string,
  shell: boolean,
): string[] {
  if (shell) {
    const line = problems.text(at, path, "a command line, as shell is true", (text) => text.trim() !== "");
    if (at === undefined && stage.entries) problems.add(stage, path, "a command line, got nothing");
    return ["sh", "-c", line ?? ""];
  }
  if (at === undefined) {
    if (stage.entries) problems.add(stage, path, "a list of command and arguments, got nothing");
    return [];
  }
  if (typeof at.value === "string") {
    problems.wrong(at, path, "a list of command and arguments (or shell: true)");
    return [];
  }
  const words = readTexts(problems, at, path, "a list of command and arguments");
  if (at.items && (words.length === 0 ? at.items.length === 0 : words[0] === "")) {
    problems.add(at, path, "a command first, got none");
  }
  return words;
}

/** Numbers and truth values are taken as they would be written. */
function readTexts(problems: Problems, at: Located | undefined, path: string, expected: string): string[] {
  if (at === undefined || at.value === null) return [];
  if (!at.items) {
    problems.wrong(at, path, expected);
    return [];
  }
  return at.items.flatMap((item, index) => readText(problems, item, `${path}[${index}]`) ?? []);
}

function readText(problems: Problems, at: Located, path: string): string | undefined {
  if (["number", "boolean", "bigint"].includes(typeof at.value)) return String(at.value);
  if (at.value !== null) return problems.text(at, path, "a text without the character NUL");
  problems.wrong(at, path, "a text");
  return undefined;
}

function readTimeout(problems: Problems, at: Located | undefined, path: string): number | null {
  if (at === undefined || at.value === null) return null;
  const ms = readDuration(at.value);
  if (ms === undefined) problems.wrong(at, path, DURATION_IN_WORDS);
  return ms ?? null;
}

function readEnvironment(problems: Problems, at: Located | undefined, path: string): Record<string, string> {
  if (at === undefined || at.value === null) return {};
  const variables: [string, string][] = [];
  for (const [name, entry] of problems.map(at, path, "a map of variables")) {
    if (!VARIABLE_NAME.test(name)) problems.add(entry, path, `names of letters, digits and _, got another`);
    const text = readText(problems, entry, `${path}.${name.slice(0, 60)}`);
    if (text !== undefined) variables.push([name, text]);
  }
  return Object.fromEntries(variables);
}

function checkNeeds(
  problems: Problems,
  stages: readonly StageSpec[],
  entries: ReadonlyMap<string, Located>,
): void {
  const place = (name: string) => entries.get(name)?.entries?.get("needs") ?? entries.get(name)!;
  for (const { name, needs } of stages) {
    for (const need of needs.filter((need) => !entries.has(need))) {
      const known = stages.map((stage) => stage.name).filter((other) => other !== name);
      const others = known.length > 0
        ? `one of ${known.slice(0, 10).join(", ")}`
        : "no need, as there is no other stage";
      problems.add(
        place(name),
        `stages.${name}.needs`,
        `${others}, got ${JSON.stringify(need.slice(0, 64))}`,
      );
    }
  }
  const cycle = findCycle(stages);
  if (cycle) {
    problems.add(place(cycle[0]!), `stages.${cycle[0]}.needs`, `no circle, got ${cycle.join(" → ")}`);
  }
}
