/**
 * From the start of the process to the line that says that everything is served, of the built program on Node: one
 * service, and all six in one process.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { buildOnce } from "../../test/support/build-once.ts";
import { inScratch } from "../scratch.ts";
import { type Suite, titleOf } from "../suite.ts";

const SERVICES = ["session-buddy", "mahavishnu", "akosha", "crackerjack", "dhruva", "excalidraw"];
const PROGRAM = fileURLToPath(new URL("../../dist/src/cli/main.js", import.meta.url));

export const ONE_ROW = "start-up of one service";
export const SIX_ROW = "start-up of six services";

/** Further starts in a round: a single one says little. */
const STARTS = 3;

export const startUp: Suite = {
  name: "start-up",
  async run(effort, results) {
    await buildOnce();
    await inScratch(async (folder) => {
      mkdirSync(join(folder, "settings"));
      for (const service of SERVICES) {
        const lines = [
          "websocket:",
          "  port: 0",
          "http:",
          "  port: 0",
          "storage:",
          `  path: ${service}.db`,
          "",
        ];
        writeFileSync(join(folder, "settings", `${service}.yaml`), lines.join("\n"));
      }
      for (let round = -1; round < effort.rounds * STARTS; round++) {
        for (const [row, services] of [[ONE_ROW, SERVICES.slice(0, 1)], [SIX_ROW, SERVICES]] as const) {
          if (effort.rows && !effort.rows.has(row)) continue;
          const ms = await startIn(folder, services);
          if (round >= 0) results.add(row, titleOf("node"), { ms });
        }
      }
    });
  },
};

/** Milliseconds until all ports are open. */
async function startIn(folder: string, services: readonly string[]): Promise<number> {
  const begun = performance.now();
  const child = spawn(process.execPath, [PROGRAM, "serve", ...services, "--log-level", "error"], {
    cwd: folder,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise((resolve) => child.once("close", resolve));
  let output = "";
  const ms = await new Promise<number>((resolve, reject) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (output.includes("Stop with Ctrl-C")) resolve(performance.now() - begun);
    });
    child.once("close", () => reject(new Error(`The program has ended before it served: ${output}`)));
  });
  child.kill("SIGTERM");
  await ended;
  return ms;
}
