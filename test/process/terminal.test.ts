/**
 * A program on a terminal: SIGHUP from somebody, and SIGHUP because the terminal was closed.
 */
import { statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { useBuiltScratch } from "../support/built-scratch.ts";
import { startPython } from "../support/python-program.ts";
import { pythonPath, requireOrSkip } from "../support/require.ts";
import { executable, hasRuntime, type RuntimeName } from "../support/start-program.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const scratch = useBuiltScratch();
const hasPython = requireOrSkip("Python with websockets", pythonPath() !== undefined, "see CONTRIBUTING.md");

function command(runtime: RuntimeName): string[] {
  const source = `${root}services/session-buddy/main.ts`;
  const program = executable(runtime)!;
  if (runtime === "deno") return [program, "run", "-A", source];
  if (runtime === "bun") return [program, "--bun", "run", source];
  return [program, `${root}dist/services/session-buddy/main.js`];
}

describe.each<RuntimeName>(["node", "deno", "bun"])(
  "A service on a terminal, on %s",
  { timeout: 60_000 },
  (runtime) => {
    it.runIf(hasRuntime(runtime) && hasPython)(
      "reloads on SIGHUP, and stops in order when it is closed",
      async () => {
        const program = startPython("hangup.py", [], {
          command: [...command(runtime), ...scratch.flags(`terminal-${runtime}`)],
        });
        await program.line((line) => line === "ready");
        program.write("reload");
        await program.line((line) => line === "reloaded");
        program.write("close");
        await program.line((line) => line.startsWith("ended"));
        // Whatever the runtime itself makes of a terminal that is gone: the service has closed its database first, which
        // leaves nothing in its log.
        const database = join(scratch.folder, `terminal-${runtime}.db`);
        expect(statSync(database).size).toBeGreaterThan(0);
        expect(statSync(`${database}-wal`, { throwIfNoEntry: false })?.size ?? 0).toBe(0);
      },
    );
  },
);
