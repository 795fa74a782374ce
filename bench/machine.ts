/**
 * Where the figures come from.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { arch, availableParallelism, cpus, release, totalmem, type } from "node:os";
import process from "node:process";
import { pythonPath } from "../test/support/require.ts";
import { executable } from "../test/support/start-program.ts";

/** Machine and versions, a line each. */
export function machine(): string[] {
  const memory = Math.round(totalmem() / 2 ** 30);
  const processor = cpus()[0]?.model.trim() ?? "unknown processor";
  return [
    `${processor}, ${availableParallelism()} cores, ${memory} GiB, ${type()} ${release()} ${arch()}`,
    [
      `Node ${process.versions.node}`,
      `Deno ${firstNumber(executable("deno"), ["--version"])}`,
      `Bun ${firstNumber(executable("bun"), ["--version"])}`,
      `Python ${firstNumber(pythonPath(["websockets"]), ["--version"])}`,
    ].join(", "),
    [
      `mcp-realtime ${packageVersion("..")}`,
      `ws ${packageVersion("../node_modules/ws")}`,
      `Socket.IO ${packageVersion("../node_modules/socket.io")}`,
      `websockets ${
        firstNumber(pythonPath(["websockets"]), ["-c", "import websockets; print(websockets.__version__)"])
      }`,
    ].join(", "),
  ];
}

function firstNumber(program: string | undefined, args: readonly string[]): string {
  if (program === undefined) return "(none)";
  const { stdout } = spawnSync(program, args, { encoding: "utf8" });
  return /\d+(?:\.\d+)+/.exec(stdout)?.[0] ?? "(unknown)";
}

function packageVersion(folder: string): string {
  return JSON.parse(readFileSync(new URL(`${folder}/package.json`, import.meta.url), "utf8")).version;
}
