/**
 * Definitions in a folder, one file each. A file is read when it is asked for, so that a change counts at once.
 *
 * @module
 */
import type { Files } from "../../../src/ports/files.ts";
import type { Workspace } from "../../../src/ports/workspace.ts";
import { Refusal } from "../../../src/protocol/errors.ts";
import { type DefinitionResult, readDefinition } from "./definition.ts";
import type { ReadYaml } from "./located.ts";

export interface DefinitionFilesOptions {
  /** As the settings say it. */
  readonly folder: string;
  readonly files: Files;
  readonly workspace: Pick<Workspace, "realPath" | "facts" | "readFrom" | "separator">;
  readonly readYaml: ReadYaml;
  /** Names of what is in a folder; empty where there is none. */
  readonly listFolder: (path: string) => Promise<string[]>;
  readonly pools: readonly string[];
}

export interface DefinitionFile {
  readonly name: string;
  /** From the folder of definitions on, as the settings say it. */
  readonly file: string;
  readonly result: DefinitionResult;
}

const NAME = /^[A-Za-z0-9][\w.-]{0,99}$/;
const ENDINGS = [".yaml", ".yml"];

/** A page of more would not fit into a frame. */
const MOST_FILES = 200;

export class DefinitionFiles {
  readonly #options: DefinitionFilesOptions;

  constructor(options: DefinitionFilesOptions) {
    this.#options = options;
  }

  /** @throws {Refusal} NOT_FOUND, or INVALID_DATA with every fault, with file and line */
  async load(name: string): Promise<Extract<DefinitionResult, { ok: true }>["definition"]> {
    const { folder } = this.#options;
    for (const ending of NAME.test(name) ? ENDINGS : []) {
      const result = await this.#read(`${name}${ending}`, name);
      if (result?.ok) return result.definition;
      if (result) throw new Refusal("INVALID_DATA", shortened(result.problems));
    }
    throw new Refusal("NOT_FOUND", `No definition '${name}': expected a file '${folder}/${name}.yaml'`);
  }

  /** All files, by name. */
  async list(): Promise<DefinitionFile[]> {
    const { folder, files, listFolder } = this.#options;
    const found: DefinitionFile[] = [];
    for (const file of (await listFolder(files.resolve(folder))).sort()) {
      const ending = ENDINGS.find((ending) => file.endsWith(ending));
      if (ending === undefined || file.startsWith(".") || found.length === MOST_FILES) continue;
      const name = file.slice(0, -ending.length);
      if (!NAME.test(name)) {
        const problems = [
          `${folder}/${file}: expected a file name of letters, digits, _, . and -, got another`,
        ];
        found.push({ name, file: `${folder}/${file}`, result: { ok: false, problems } });
        continue;
      }
      // Of two files of one name the first is the one that is run.
      if (found.some((other) => other.name === name)) continue;
      const result = await this.#read(file, name);
      if (result) found.push({ name, file: `${folder}/${file}`, result });
    }
    return found;
  }

  /** Null where there is none. Rejects with what is wrong with it, before anything of it is read. */
  async #text(file: string, label: string): Promise<string | null> {
    const { folder, files, workspace } = this.#options;
    const refuse = (detail: string): never => {
      throw new Error(`${label}: ${detail}`);
    };
    const home = await workspace.realPath(files.resolve(folder));
    const path = await workspace.realPath(files.resolve(folder, file));
    if (home === undefined || path === undefined) return null;
    if (!path.startsWith(home.endsWith(workspace.separator) ? home : home + workspace.separator)) {
      return refuse("expected a file in the folder of definitions, got a link that leads out of it");
    }
    const facts = await workspace.facts(path);
    if (!facts) return null;
    if (facts.kind !== "file") return refuse("expected a file, got something else");
    if (facts.size > MAX_BYTES) return refuse(`expected at most ${MAX_BYTES} bytes, got ${facts.size}`);
    return new TextDecoder().decode(await workspace.readFrom(path, 0, MAX_BYTES));
  }

  async #read(file: string, name: string): Promise<DefinitionResult | null> {
    const { folder, readYaml, pools } = this.#options;
    const label = `${folder}/${file}`;
    let text: string | null;
    try {
      text = await this.#text(file, label);
    } catch (error) {
      return { ok: false, problems: [error instanceof Error ? error.message : String(error)] };
    }
    if (text === null) return null;
    const { root, problems } = await readYaml(text, label);
    const result = readDefinition(root, { file: label, name, pools });
    if (problems.length === 0) return result;
    // Where the text cannot be read at all, what is missing in it says nothing.
    const more = root && !result.ok ? result.problems : [];
    return { ok: false, problems: [...problems, ...more] };
  }
}

/** One text is read in one go, and holds everybody up meanwhile. */
const MAX_BYTES = 65_536;

const MOST_PROBLEMS = 20;

/** The first faults, and how many more there are. */
export function firstOf(problems: readonly string[]): string[] {
  const rest = problems.length - MOST_PROBLEMS;
  return [...problems.slice(0, MOST_PROBLEMS), ...rest > 0 ? [`and ${rest} more`] : []];
}

/** Faults as one message. */
export function shortened(problems: readonly string[]): string {
  return firstOf(problems).join("\n");
}
