/**
 * Projects by name: those of the settings, the roots themselves, and any folder right below a root.
 *
 * @module
 */
import * as v from "valibot";
import type { Files } from "../../../src/ports/files.ts";
import type { Workspace } from "../../../src/ports/workspace.ts";
import { Refusal } from "../../../src/protocol/errors.ts";
import { detectRunner } from "./detect-runner.ts";
import { findProject, type ProjectFolder } from "./project-paths.ts";
import { runnerOf, type RunPlan, withFilter } from "./run-plan.ts";
import {
  type CrackerjackSettings,
  PROJECT_NAME,
  type ProjectSettings,
  projectSettings,
  type Runner,
} from "./settings.ts";

/** A project whose folder is there. */
export interface Project extends ProjectFolder {
  readonly name: string;
  readonly settings: ProjectSettings;
}

/** What a caller says about a run. */
export interface Wish {
  readonly command?: readonly string[] | null | undefined;
  readonly filter?: string | null | undefined;
}

const NAMES_SHOWN = 10;

/** Who a command's results are heard from, where nobody says. */
function heardBy(command: readonly string[], junit: string | undefined): Runner {
  const known = runnerOf(command);
  return known === "command" && junit !== undefined ? "junit" : known;
}

export class Projects {
  readonly #settings: CrackerjackSettings;
  readonly #parts: { readonly files: Files; readonly workspace: Workspace };

  constructor(
    settings: CrackerjackSettings,
    parts: { readonly files: Files; readonly workspace: Workspace },
  ) {
    this.#settings = settings;
    this.#parts = parts;
  }

  /** Names of the projects of the settings. */
  get names(): string[] {
    return Object.keys(this.#settings.projects);
  }

  /** What holds for a project, whether its folder is there or not; undefined for a name that cannot be one. */
  settingsOf(name: string): ProjectSettings | undefined {
    if (Object.hasOwn(this.#settings.projects, name)) return this.#settings.projects[name];
    if (!PROJECT_NAME.test(name)) return undefined;
    const { files, workspace } = this.#parts;
    const roots = this.#settings.roots.map((root) => files.resolve(root));
    const root = roots.find((root) => root.split(workspace.separator).at(-1) === name);
    return v.parse(projectSettings, { path: root ?? name });
  }

  /**
   * @throws {Refusal} NOT_FOUND where there is no project of that name; NOT_AVAILABLE where its folder is missing or
   * outside the roots.
   */
  async require(name: string): Promise<Project> {
    const settings = this.settingsOf(name);
    if (!settings || !await this.#isThere(name, settings)) throw this.#unknown(name);
    return { name, settings, ...await findProject(this.#parts, name, settings.path, this.#settings.roots) };
  }

  /** How a run of the project is to be started. @throws {Refusal} where that is not allowed or cannot be told */
  async plan({ name, settings, folder, root }: Project, { command, filter }: Wish): Promise<RunPlan> {
    return withFilter(await this.#command(name, settings, folder, root, command ?? null), filter ?? null);
  }

  async #command(
    name: string,
    { command, runner, junit }: ProjectSettings,
    folder: string,
    root: string,
    given: readonly string[] | null,
  ): Promise<RunPlan> {
    if (given && !this.#settings.allow_commands) {
      throw new Refusal(
        "FORBIDDEN",
        "A command may not be given here: leave it out, or set allow_commands in the service's settings",
      );
    }
    const words = given ?? command;
    if (words) return { runner: (given ? undefined : runner) ?? heardBy(words, junit), command: words };
    const found = await detectRunner(this.#parts.workspace, folder, root);
    if (runner === undefined || runner === found.runner) return found;
    throw new Refusal(
      "NOT_AVAILABLE",
      `Cannot run the tests of '${name}': its settings say runner ${runner}, its folder says ${found.runner}: set 'command'`,
    );
  }

  /** One of the settings is known whether its folder is there or not. */
  async #isThere(name: string, { path }: ProjectSettings): Promise<boolean> {
    if (Object.hasOwn(this.#settings.projects, name)) return true;
    const { files, workspace } = this.#parts;
    for (const root of this.#settings.roots) {
      if (await workspace.realPath(files.resolve(root, path)) !== undefined) return true;
    }
    return false;
  }

  #unknown(name: string): Refusal {
    const { names } = this;
    const known = names.length > 0 ? `one of ${names.slice(0, NAMES_SHOWN).join(", ")}, or ` : "";
    return new Refusal(
      "NOT_FOUND",
      `No project '${name}': expected ${known}a folder of that name in one of the setting 'roots'`,
    );
  }
}
