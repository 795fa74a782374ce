/** Serves excalidraw alone. `--help` lists the flags. */
import { program } from "../../src/runtimes/program.ts";

await program(async (args) => {
  const [{ detectRuntime }, { runService }, { excalidrawService }] = await Promise.all([
    import("../../src/runtimes/detect.ts"),
    import("../../src/server/run.ts"),
    import("./server.ts"),
  ]);
  return await runService(excalidrawService, { runtime: await detectRuntime(), args });
}, { reloads: true });
