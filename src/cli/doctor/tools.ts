/**
 * Programs and folders that single services need beside themselves.
 *
 * @module
 */
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { delimiter, join, resolve } from "node:path";
import type { CrackerjackSettings } from "../../../services/crackerjack/domain/settings.ts";
import type { Processes } from "../../ports/processes.ts";
import { workspace } from "../../runtimes/workspace.ts";
import { plainText } from "../terminal/plain-text.ts";
import { fail, type Findings, ok, warn } from "./finding.ts";
import type { Subject } from "./subject.ts";

export async function* examineTools(subject: Subject): Findings {
  if (subject.name === "session-buddy") yield* examineGit(subject.runtime.processes);
  if (subject.name === "crackerjack") yield* examineProjects(subject);
  if (subject.name === "mahavishnu") yield* examineWorkflows(subject);
  if (subject.name === "dhruva") yield* examineTargets(subject);
}

async function* examineGit(processes: Processes): Findings {
  const found = await output(processes, "git", ["--version"]);
  yield found === null
    ? warn("tools.git", "There is no git: checkpoints will not tell of branch and changes", "install git")
    : ok("tools.git", `${plainText(found)} is there`);
}

/** What a program says to a question that changes nothing; null where it is not there or fails. */
async function output(
  processes: Processes,
  program: string,
  args: readonly string[],
): Promise<string | null> {
  try {
    const { code, stdout } = await processes.run(program, args, {
      timeoutMs: 10_000,
      maxOutputBytes: 10_000,
    });
    return code === 0 ? stdout.trim().split("\n")[0]! : null;
  } catch {
    return null;
  }
}

async function* examineProjects({ settings, runtime }: Subject): Findings {
  const { Projects } = await import("../../../services/crackerjack/domain/projects.ts");
  const own = settings.own as unknown as CrackerjackSettings;
  for (const root of own.roots) yield* examineFolder("tools.roots", "crackerjack.roots", root);
  const projects = new Projects(own, { files: runtime.files, workspace });
  for (const name of projects.names) {
    const check = "tools.project";
    try {
      const project = await projects.require(name);
      const { command, runner } = await projects.plan(project, {});
      const [program = ""] = command;
      const missing = !await isProgram(program, project.folder);
      if (missing) {
        yield fail(
          check,
          `Project ${name} is tested by ${plainText(program)}, which is not there`,
          "install it, or set the project's command in settings/crackerjack.yaml",
        );
      } else if (runner === "pytest" && isPython(program) && await lacksPytest(runtime.processes, program)) {
        yield fail(
          check,
          `Project ${name} is tested by pytest, which ${plainText(program)} does not have`,
          `install it: ${plainText(program)} -m pip install pytest`,
        );
      } else yield ok(check, `Project ${name} can be tested, by ${plainText(program)}`);
    } catch (error) {
      yield fail(
        check,
        plainText((error as Error).message),
        "correct the project in settings/crackerjack.yaml",
      );
    }
  }
}

function isPython(program: string): boolean {
  return /(^|[\\/])python[\d.]*(\.exe)?$/.test(program);
}

async function lacksPytest(processes: Processes, python: string): Promise<boolean> {
  const looking = "import importlib.util as u; print(u.find_spec('pytest') is not None)";
  return await output(processes, python, ["-c", looking]) !== "True";
}

/** Whether a program can be started, by its path or by the one of PATH. */
async function isProgram(program: string, folder: string): Promise<boolean> {
  const places = /[\\/]/.test(program)
    ? [resolve(folder, program)]
    : (workspace.variable("PATH") ?? "").split(delimiter).map((place) => join(place, program));
  for (const place of places) {
    const isThere = await access(place, constants.X_OK).then(() => stat(place)).then(
      (facts) => facts.isFile(),
      () => false,
    );
    if (isThere) return true;
  }
  return false;
}

async function* examineWorkflows({ settings }: Subject): Findings {
  const { working_directory: folder, definitions } = settings.own as Readonly<Record<string, unknown>>;
  yield* examineFolder("tools.working_directory", "mahavishnu.working_directory", String(folder));
  const found = await stat(resolve(String(definitions))).catch(() => null);
  if (found?.isDirectory()) yield ok("tools.definitions", `Workflows are defined in "${definitions}"`);
  else if (found !== null) {
    yield fail(
      "tools.definitions",
      `"${definitions}" is no folder`,
      "set mahavishnu.definitions to a folder",
    );
  } else {
    yield ok("tools.definitions", `There is no folder "${definitions}", so no workflow is defined`);
  }
}

async function* examineTargets({ settings }: Subject): Findings {
  const { targets = {} } = settings.own as {
    readonly targets?: Readonly<Record<string, { folder?: string }>>;
  };
  for (const [name, { folder }] of Object.entries(targets)) {
    if (folder !== undefined) {
      yield* examineFolder("tools.target", `dhruva.targets.${plainText(name)}`, folder);
    }
  }
}

async function* examineFolder(check: string, setting: string, folder: string): Findings {
  const facts = await stat(resolve(folder)).catch(() => null);
  if (facts?.isDirectory()) yield ok(check, `Folder "${folder}" (${setting}) is there`);
  else {
    const reason = facts === null ? "is not there" : "is no folder";
    yield fail(check, `"${folder}" (${setting}) ${reason}`, `make the folder, or set ${setting} to another`);
  }
}
