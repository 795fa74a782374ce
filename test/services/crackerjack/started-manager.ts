/**
 * A manager of crackerjack on real processes, with projects in its temporary folder. See
 * `test/support/started-manager.ts`.
 *
 * @module
 */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import type { CrackerjackContract } from "../../../services/crackerjack/contract.ts";
import type { CrackerjackManager } from "../../../services/crackerjack/manager.ts";
import { crackerjackService } from "../../../services/crackerjack/server.ts";
import { systemClock } from "../../../src/ports/clock.ts";
import { lineLog, type Log } from "../../../src/ports/log.ts";
import type { JsonObject } from "../../../src/protocol/json.ts";
import { executable } from "../../support/start-program.ts";
import * as generic from "../../support/started-manager.ts";

export interface Started extends generic.Started<CrackerjackContract, CrackerjackManager> {
  /** Write a file below the folder in which projects lie. */
  write(path: string, text: string): Promise<void>;
  /** What was logged so far, unless a log was given. */
  log(): string;
}

/** @param settings Given the folder in which projects lie, which is the only root unless they say otherwise. */
export async function startManager(
  settings: (folder: string) => JsonObject = () => ({}),
  log?: Log,
): Promise<Started> {
  const lines: string[] = [];
  const started = await generic.startManager(crackerjackService, {
    clock: systemClock,
    log: log ?? lineLog({ level: "debug", write: (line) => lines.push(line) }),
    settings: (folder) => ({ roots: [folder], ...settings(folder) }),
  });
  return Object.assign(started, {
    log: () => lines.join("\n"),
    async write(path: string, text: string) {
      const file = join(started.folder, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text);
    },
  });
}

/**
 * The text of a program that says TAP: three tests, the second failed, and a fourth when the file `go` is in its folder.
 * A test counts when the next line has come, as more may be said of it.
 */
export const WAITING_TAP = `
import { existsSync } from "node:fs";
console.log("1..4\\nok 1 - first\\nnot ok 2 - second\\nok 3 - third");
const timer = setInterval(() => {
  if (!existsSync("go")) return;
  clearInterval(timer);
  console.log("ok 4 - fourth");
  process.exitCode = 1;
}, 10);
`;

export const PASSING = `import test from "node:test"; test("adds", () => {}); test("takes away", () => {});`;

/** As `startManager`, stopped at the end of the test. */
export async function startInTest(...args: Parameters<typeof startManager>): Promise<Started> {
  const started = await startManager(...args);
  onTestFinished(() => started.stop());
  return started;
}

/** With a project `slow` whose run goes on until the file `go` is there. */
export async function startWaiting(settings: JsonObject = {}, log?: Log): Promise<Started> {
  const project = { path: "slow", command: [executable("node")!, "tests.mjs"], runner: "tap" };
  const started = await startInTest(() => ({ projects: { slow: project }, ...settings }), log);
  await started.write("slow/tests.mjs", WAITING_TAP);
  return started;
}

/** With a project `app` of `node --test` that is found out. */
export async function startWithNode(
  text: string,
  settings?: (folder: string) => JsonObject,
): Promise<Started> {
  const started = await startInTest(settings);
  const manifest = { type: "module", scripts: { test: "node --test" } };
  await started.write("app/package.json", JSON.stringify(manifest));
  await started.write("app/app.test.js", text);
  return started;
}
