/**
 * Folders for `doctor` to look at, and what it finds there.
 *
 * @module
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { runCommand } from "../../support/command-process.ts";
import { freePort } from "../../support/serve-process.ts";
import type { RuntimeName } from "../../support/start-program.ts";

let folders = 0;

/**
 * A folder in which a service has settings, on ports that are free unless they are told.
 *
 * @param scratch The folder that it is made in.
 */
export async function folderIn(
  scratch: string,
  settings: Record<string, unknown>,
  service = "akosha",
): Promise<string> {
  const folder = join(scratch, `doctor-${++folders}`);
  await mkdir(join(folder, "settings"), { recursive: true });
  const ports = { websocket: { port: await freePort() }, http: { port: await freePort() } };
  await writeFile(join(folder, "settings", `${service}.yaml`), JSON.stringify({ ...ports, ...settings }));
  return folder;
}

interface Found {
  readonly status: "ok" | "warn" | "fail";
  readonly service: string | null;
  readonly check: string;
  readonly message: string;
  readonly advice: string | null;
}

export async function examined(
  folder: string,
  options: { words?: string[]; environment?: Record<string, string>; runtime?: RuntimeName } = {},
) {
  const { words = ["akosha"], ...more } = options;
  const { code, stdout, stderr } = await runCommand(["doctor", ...words, "--json"], { folder, ...more });
  expect(stderr).toBe("");
  const found: Found[] = stdout.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
  // What fails is what the exit code says, and everything that is not well has an advice.
  expect(code).toBe(found.some(({ status }) => status === "fail") ? 1 : 0);
  for (const { status, advice } of found) expect(advice === null).toBe(status === "ok");
  return {
    found,
    /** What was found of a check, in one text: status, sentence and advice. */
    of: (check: string) =>
      found.filter((finding) => finding.check === check)
        .map(({ status, message, advice }) => `${status}: ${message}${advice === null ? "" : ` → ${advice}`}`)
        .join("\n"),
    notOk: () => found.filter(({ status }) => status !== "ok").map(({ check }) => check),
  };
}
