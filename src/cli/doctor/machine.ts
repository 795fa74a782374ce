/**
 * What every service needs of this machine.
 *
 * @module
 */
import type { Runtime } from "../../ports/runtime.ts";
import { sqliteEngine } from "../../runtimes/sqlite-driver.ts";
import { fail, type Findings, ok } from "./finding.ts";

/** The oldest versions that are tested. */
const LEAST: Readonly<Record<Runtime["name"], readonly [number, number]>> = {
  node: [20, 19],
  deno: [2, 0],
  bun: [1, 2],
};
const NAMES: Readonly<Record<Runtime["name"], string>> = { node: "Node", deno: "Deno", bun: "Bun" };

export async function* examineMachine({ name, version }: Pick<Runtime, "name" | "version">): Findings {
  const [major, minor] = LEAST[name];
  const [ownMajor = 0, ownMinor = 0] = version.split(".").map(Number);
  const isOld = ownMajor < major || (ownMajor === major && ownMinor < minor);
  const said = `${NAMES[name]} ${version}`;
  yield isOld
    ? fail(
      "runtime.version",
      `${said} is too old: expected ${major}.${minor} or later`,
      "install a later one",
    )
    : ok("runtime.version", `${said} is late enough`);
  yield* examineEngine();
}

async function* examineEngine(): Findings {
  try {
    const database = (await sqliteEngine())(":memory:");
    try {
      const row = database.prepare("SELECT sqlite_version() AS version").get<{ version: string }>();
      yield ok("runtime.sqlite", `SQLite ${row?.version} is there`);
    } finally {
      database.close();
    }
  } catch {
    yield fail(
      "runtime.sqlite",
      "This runtime has no SQLite, which keeps the state of services",
      "install the package libsql, or use Node 22.13 or later, Deno or Bun",
    );
  }
}
