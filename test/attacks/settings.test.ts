/**
 * What a settings file, or the name of one, can do to the program that reads it: it is refused with a sentence, at
 * once. Settings are the operator's own; a slip must not hang, fill the memory or change what others are given.
 */
import { execFileSync } from "node:child_process";
import { mkdir, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildOnce } from "../support/build-once.ts";
import { makeScratch, runToEnd, type Scratch } from "../support/serve-process.ts";
import { hasRuntime } from "../support/start-program.ts";
import { each } from "./attacker.ts";

const AT_ONCE = 2;
/** Stands in the environment, which is a file, too. */
const MARK = "only for those who may read the environment";

let scratch: Scratch;
beforeAll(async () => {
  await buildOnce();
  scratch = await makeScratch();
  execFileSync("mkfifo", [join(scratch.folder, "pipe")]);
  await mkdir(join(scratch.folder, "folder"));
  await writeFile(join(scratch.folder, "large"), "");
  await truncate(join(scratch.folder, "large"), 2 ** 32);
}, 180_000);
afterAll(() => scratch?.remove());

interface Case {
  readonly settings?: string;
  readonly args?: readonly string[];
  /** What the sentence says. */
  readonly says: RegExp;
  /** What it ends with. @default 2, for settings that are wrong */
  readonly code?: number;
}

const FILE = "it is a device or a pipe; name a file";
const FOLDER = "it is a folder; name a file";

const CASES: Record<string, Case> = {
  "__proto__ at the top": {
    settings: "__proto__:\n  development: true\n",
    says: /__proto__: expected a known/,
  },
  "__proto__ in a block": {
    settings: "auth:\n  __proto__:\n    required: false\n",
    says: /auth\.__proto__: expected/,
  },
  "__proto__ in the service's own block": {
    settings: "session-buddy:\n  __proto__:\n    git_at_once: 8\n",
    says: /session-buddy\.__proto__: expected/,
  },
  "constructor": {
    settings: "constructor:\n  prototype:\n    development: true\n",
    says: /constructor: expected a known/,
  },
  "a merge key": { settings: "websocket:\n  <<: {port: 0}\n", says: /"<<": expected/ },
  "an alias": { settings: "a: &a {b: 1}\nwebsocket: *a\n", says: /got an alias/ },
  "lists within lists": { settings: `a: ${"[".repeat(50_000)}`, says: /at most 32 deep/ },
  "a tag": { settings: "websocket: !!js/function 'function () {}'\n", says: /got a tag/ },
  "settings from a device": { args: ["--settings", "/dev/zero"], says: new RegExp(FILE) },
  "settings from a pipe": { args: ["--settings", "pipe"], says: new RegExp(FILE) },
  "settings from a folder": { args: ["--settings", "folder"], says: new RegExp(FOLDER) },
  "settings of four gigabytes": { args: ["--settings", "large"], says: /name a file of at most/ },
  "a path of four thousand characters": {
    args: ["--settings", "x".repeat(4_000)],
    says: /the path is too long/,
  },
  ...Object.fromEntries(
    ["/dev/zero", "pipe", "folder", "/proc/self/environ", '"a\\0b"'].map((path) => [`database ${path}`, {
      settings: `storage:\n  path: ${path}\n`,
      says: /Cannot open the database/,
      code: 1,
    }]),
  ),
  ...Object.fromEntries(["/dev/zero", "large"].map((path) => [`certificate ${path}`, {
    settings: `tls:\n  cert_file: ${path}\n  key_file: ${path}\n`,
    says: /Cannot read ".*": it (is|has)/,
    code: 1,
  }])),
  ...Object.fromEntries(["pipe", "folder"].map((path) => [`keys ${path}`, {
    settings: `auth:\n  required: true\n  jwks_file: ${path}\n`,
    says: /auth\.jwks_file: expected a file/,
  }])),
};

describe.each(["node", "deno", "bun"] as const)("serve on %s", { timeout: 120_000 }, (runtime) => {
  it.runIf(hasRuntime(runtime))("refuses such settings with a sentence", async () => {
    const cases = Object.entries(CASES);
    await each([...cases.entries()], AT_ONCE, async ([index, [what, { settings, args, says, code = 2 }]]) => {
      const file = `${runtime}-${index}.yaml`;
      await writeFile(join(scratch.folder, file), settings ?? "");
      const ended = await runToEnd(runtime, {
        folder: scratch.folder,
        args: ["session-buddy", "--port", "0", "--http-port", "0", ...args ?? ["--settings", file]],
        environment: { NEVER_SHOWN: MARK },
      });
      expect(ended.code, `${what}: ${ended.stdout}${ended.stderr}`).toBe(code);
      expect(ended.stderr, what).toMatch(says);
      // A sentence, and no more than that.
      expect(ended.stderr, what).not.toMatch(/^\s+at /m);
      expect(ended.stdout + ended.stderr, what).not.toContain(MARK);
    });
  });
});
