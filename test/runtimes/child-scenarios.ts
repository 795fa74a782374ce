/**
 * What is done to children on every runtime. Each scenario gives plain values for a test to judge.
 *
 * @module
 */
import { existsSync, readFileSync } from "node:fs";
import process from "node:process";
import type { Child, ProcessMark } from "../../src/ports/processes.ts";
import { processes } from "../../src/runtimes/processes.ts";

/** A shell that starts one process in its group and one outside of it, tells their numbers and waits. */
export const FAMILY = 'sleep 1000 & a=$!; setsid sleep 1000 & b=$!; echo "$a $b"; wait';

/** Whether a process runs; one that has ended and that nobody asked for does not. */
export function runs(pid: number): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  return !/^[ZX]/.test(text.slice(text.lastIndexOf(")") + 2));
}

/** Start a shell and wait for its first line. */
export async function startShell(
  script: string,
  environment: Record<string, string | null> = {},
  announced: ProcessMark = processes.announce(),
): Promise<{ child: Child; line: string; output: () => string }> {
  let text = "";
  const decoder = new TextDecoder();
  let child: Child | undefined;
  await new Promise<void>((resolve, reject) => {
    processes.start("sh", ["-c", script], {
      environment,
      announced,
      onOutput(_, bytes) {
        text += decoder.decode(bytes, { stream: true });
        if (text.includes("\n")) resolve();
      },
    }).then((started) => {
      child = started;
      started.ended.then(() => resolve());
    }, reject);
  });
  return { child: child!, line: text.split("\n")[0]!, output: () => text };
}

async function family(): Promise<{ child: Child; pids: number[] }> {
  const { child, line } = await startShell(FAMILY);
  return { child, pids: [child.mark.pid, ...line.split(" ").map(Number)] };
}

const refusal = (program: string, folder?: string) =>
  processes.start(program, [], { onOutput() {}, ...(folder ? { folder } : {}) })
    .then(() => "started", (error) => (error as Error).message);

export const SCENARIOS = {
  async stop() {
    const { child, pids } = await family();
    const before = pids.map(runs);
    const end = await child.stop();
    return { before, end, after: pids.map(runs), again: await child.stop() };
  },
  async stubborn() {
    const { child } = await startShell("trap '' TERM; echo ready; while :; do sleep 0.02; done");
    return { end: await child.stop(50), runs: runs(child.mark.pid) };
  },
  async flood() {
    let bytes = 0;
    let most = 0;
    const child = await processes.start("head", ["-c", String(400 * 2 ** 20), "/dev/zero"], {
      onOutput(_, chunk) {
        bytes += chunk.byteLength;
        most = Math.max(most, process.memoryUsage.rss());
      },
    });
    const before = process.memoryUsage.rss();
    const end = await child.ended;
    return { bytes, end, isBounded: most - before < 200 * 2 ** 20 };
  },
  async ends() {
    const ends = [];
    for (const script of ["kill -SEGV $$", "kill -KILL $$", "exit 7", "exit 0"]) {
      ends.push(await (await startShell(script)).child.ended);
    }
    return ends;
  },
  async leftBehind() {
    const { child, line } = await startShell("sleep 1000 & echo $!");
    await child.ended;
    const before = runs(Number(line));
    await child.stop();
    return { before, after: runs(Number(line)) };
  },
  async lastOutput() {
    const { child, output } = await startShell("echo first; seq 20000; echo last");
    await child.ended;
    return { length: output().length, last: output().trimEnd().split("\n").at(-1) };
  },
  async environment() {
    const { child, output } = await startShell('echo "$CHILD_ADDED/${CHILD_TAKEN-none}"', {
      CHILD_ADDED: "yes",
      CHILD_TAKEN: null,
    });
    await child.ended;
    return output();
  },
  async refusals() {
    return [
      await refusal("no-such-program"),
      await refusal("sh", "/no/such/folder"),
      await refusal("/etc/passwd"),
    ];
  },
  async announced() {
    const announced = processes.announce();
    const before = await processes.reap([announced]);
    const { child } = await startShell("sleep 1000 & echo ready; wait", {}, announced);
    const mark = child.mark.startedAt;
    const reaped = await processes.reap([announced]);
    return {
      before,
      isCarriedOn: mark.split(" ").at(-1) === announced.startedAt.split(" ").at(-1),
      reaped,
      end: await child.ended,
    };
  },
  async foreignMarks() {
    const { child } = await startShell("echo ready; sleep 1000");
    const { pid, startedAt } = child.mark;
    const marks: ProcessMark[] = [
      { pid, startedAt: "unknown" },
      { pid, startedAt: startedAt.replace(/ \d+ .*/, " 1 another-token") },
      { pid, startedAt: `another-boot 1 another-token` },
    ];
    const reaped = await processes.reap(marks);
    const result = { reaped, runs: runs(pid) };
    await child.stop(0);
    return result;
  },
};
