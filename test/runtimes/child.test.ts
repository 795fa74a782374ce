import process from "node:process";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import type { ProcessMark } from "../../src/ports/processes.ts";
import { processes } from "../../src/runtimes/processes.ts";
import { hasRuntime, type Program, type RuntimeName, startProgram } from "../support/start-program.ts";
import { runs, type SCENARIOS } from "./child-scenarios.ts";

const program = new URL("./child-program.ts", import.meta.url).pathname;

type Results = { [S in keyof typeof SCENARIOS]: Awaited<ReturnType<(typeof SCENARIOS)[S]>> };
type Family = { marks: ProcessMark[]; pids: number[] };

const SIGNALLED = (signal: string) => ({ code: null, signal });

const runtimes = (["node", "deno", "bun"] as RuntimeName[]).filter(hasRuntime);

// The system's own table is read to see who runs.
describe.skipIf(process.platform !== "linux").each(runtimes)(
  "children on %s",
  (runtime) => {
    let results: Results;
    const programs: Program<Family>[] = [];

    async function start(mode: string): Promise<Program<Family>> {
      const started = await startProgram<Family>(runtime, program, { args: [mode] });
      programs.push(started);
      return started;
    }

    beforeAll(async () => {
      const played = await startProgram<Results>(runtime, program, { args: ["scenarios"] });
      await played.ended;
      results = played.ready;
    }, 60_000);

    afterEach(async () => {
      for (const started of programs.splice(0)) {
        await started.stop("SIGKILL");
        await processes.reap(started.ready.marks);
      }
    });

    test("stop ends the child, its group and those who left the group", () => {
      expect(results.stop).toEqual({
        before: [true, true, true],
        end: SIGNALLED("SIGTERM"),
        after: [false, false, false],
        again: SIGNALLED("SIGTERM"),
      });
    });

    test("stop kills a child that ignores SIGTERM when the grace time is over", () => {
      expect(results.stubborn).toEqual({ end: SIGNALLED("SIGKILL"), runs: false });
    });

    test("onOutput hears 400 MiB in half as much memory at most", () => {
      expect(results.flood).toEqual({
        bytes: 400 * 2 ** 20,
        end: { code: 0, signal: null },
        isBounded: true,
      });
    });

    test("ended tells exit codes and signals apart", () => {
      expect(results.ends).toEqual([
        SIGNALLED("SIGSEGV"),
        SIGNALLED("SIGKILL"),
        { code: 7, signal: null },
        { code: 0, signal: null },
      ]);
    });

    test("ended comes when the output was heard, and stop ends what the child has left behind", () => {
      expect(results.leftBehind).toEqual({ before: true, after: false });
      expect(results.lastOutput).toEqual({ length: 108_905, last: "last" });
    });

    test("start adds variables and takes them away", () => {
      expect(results.environment).toBe("yes/none\n");
    });

    test("start refuses what cannot be started in a sentence", () => {
      expect(results.refusals).toEqual([
        'Cannot start "no-such-program": there is no such program; install it or give its whole path',
        'Cannot start "sh" in "/no/such/folder": there is no such program or no such folder; ' +
        "install it or give its whole path",
        'Cannot start "/etc/passwd": it may not be run; check its mode and its owner',
      ]);
    });

    test("reap finds a child of which it was only told that it is about to be started", () => {
      expect(results.announced).toEqual({
        before: 0,
        isCarriedOn: true,
        reaped: 1,
        end: SIGNALLED("SIGKILL"),
      });
    });

    test("reap leaves processes alone that were given the number later", () => {
      expect(results.foreignMarks).toEqual({ reaped: 0, runs: true });
    });

    test("children end with a process that exits", async () => {
      const { ended, ready } = await start("exit");
      await ended;
      const [leader, member] = ready.pids as [number, number];
      await expect.poll(() => [runs(leader), runs(member)]).toEqual([false, false]);
    });

    test("reap ends what a killed process has left behind", async () => {
      const { ready, stop } = await start("family");
      await stop("SIGKILL");
      expect(ready.pids.map(runs)).toEqual([true, true, true]);
      expect(await processes.reap(ready.marks)).toBe(1);
      expect(ready.pids.map(runs)).toEqual([false, false, false]);
      expect(await processes.reap(ready.marks)).toBe(0);
    });

    test("reap ends the group also where its leader is gone", async () => {
      const { ready, stop } = await start("family");
      await stop("SIGKILL");
      process.kill(ready.pids[0]!, "SIGKILL");
      await expect.poll(() => runs(ready.pids[0]!)).toBe(false);
      expect(await processes.reap(ready.marks)).toBe(1);
      expect(ready.pids.map(runs)).toEqual([false, false, false]);
    });
  },
);
