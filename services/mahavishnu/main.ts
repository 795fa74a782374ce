/** Serves mahavishnu alone. `--help` lists the flags. */
import { program } from "../../src/runtimes/program.ts";

await program(async (args) => {
  const [{ detectRuntime }, { runService }, { mahavishnuService }] = await Promise.all([
    import("../../src/runtimes/detect.ts"),
    import("../../src/server/run.ts"),
    import("./server.ts"),
  ]);
  return await runService(mahavishnuService, { runtime: await detectRuntime(), args });
}, { reloads: true });
