import { describe, expect, it } from "vitest";
import type { StartOptions } from "../../src/ports/processes.ts";
import { groupIsAlive } from "../../src/runtimes/process-groups.ts";
import { groupMembers } from "../../src/runtimes/process-table.ts";
import { processes } from "../../src/runtimes/processes.ts";
import { hasRuntime, startProgram } from "../support/start-program.ts";

const shell = (script: string) => ["-c", script];

describe("run", () => {
  it("gives exit code and both outputs", async () => {
    const result = await processes.run("sh", shell("echo out; echo err >&2; exit 3"));
    expect(result).toEqual({ code: 3, stdout: "out\n", stderr: "err\n" });
  });

  it("hands arguments over as they are, without a shell", async () => {
    const { stdout } = await processes.run("printf", ["%s|", "$HOME", "; ls", "a b"]);
    expect(stdout).toBe("$HOME|; ls|a b|");
  });

  it("runs in the folder and adds the variables", async () => {
    const { stdout } = await processes.run("sh", shell("pwd; echo $GREETING"), {
      folder: "/",
      environment: { GREETING: "hello" },
    });
    expect(stdout).toBe("/\nhello\n");
  });

  it("rejects with a sentence when the program cannot be started", async () => {
    await expect(processes.run("no-such-program", [])).rejects.toThrow(
      'Cannot start "no-such-program": there is no such program; install it or give its whole path',
    );
    await expect(processes.run("ls", [], { folder: "/no/such" })).rejects.toThrow(
      'Cannot start "ls" in "/no/such"',
    );
    await expect(processes.run("/", [])).rejects.toThrow('Cannot start "/": it may not be run');
  });

  it("kills a child, and all that it has started, after timeoutMs", async () => {
    const started = performance.now();
    const { code, stdout } = await processes.run("sh", shell("echo $$; sleep 60 & sleep 60"), {
      timeoutMs: 300,
    });
    expect(code).toBeNull();
    expect(performance.now() - started).toBeLessThan(5_000);
    expect(groupMembers(Number(stdout)) ?? []).toEqual([]);
  });

  it("kills a child that writes more than maxOutputBytes, and keeps that much", async () => {
    const { code, stdout } = await processes.run("yes", [], { maxOutputBytes: 1_001 });
    expect(code).toBeNull();
    expect(stdout).toBe("y\n".repeat(500) + "y");
  });

  it("at exactly maxOutputBytes lets the child be", async () => {
    const result = await processes.run("printf", ["12345"], { maxOutputBytes: 5 });
    expect(result).toEqual({ code: 0, stdout: "12345", stderr: "" });
  });

  it("does not wait for a grandchild that keeps the output open", async () => {
    const started = performance.now();
    const { stdout } = await processes.run("sh", shell("sleep 3 & echo done"));
    expect(stdout).toBe("done\n");
    expect(performance.now() - started).toBeLessThan(2_500);
  });
});

/** Collects output, and waits for parts of it. */
function listening(): StartOptions & { text: () => string; until(part: string): Promise<void> } {
  let text = "";
  const waiting = new Set<() => void>();
  return {
    onOutput(stream, bytes) {
      text += `${stream}:${new TextDecoder().decode(bytes)}`;
      waiting.forEach((check) => check());
    },
    text: () => text,
    until: (part) =>
      new Promise((resolve) => {
        const check = () => {
          if (text.includes(part)) resolve();
        };
        waiting.add(check);
        check();
      }),
  };
}

describe("start", () => {
  it("hears both outputs, and ended resolves after them", async () => {
    const output = listening();
    const child = await processes.start("sh", shell("echo out; echo err >&2; exit 4"), output);
    expect(await child.ended).toEqual({ code: 4, signal: null });
    expect(output.text()).toContain("stdout:out\n");
    expect(output.text()).toContain("stderr:err\n");
  });

  it("adds variables, and null takes one away", async () => {
    const output = listening();
    const environment = { GREETING: "hello", HOME: null };
    const child = await processes.start("sh", shell("echo [$GREETING][$HOME]"), { ...output, environment });
    await child.ended;
    expect(output.text()).toBe("stdout:[hello][]\n");
  });

  it("rejects with a sentence when the program cannot be started", async () => {
    await expect(processes.start("no-such-program", [], listening())).rejects.toThrow(
      'Cannot start "no-such-program"',
    );
  });

  it("stop asks first", async () => {
    const output = listening();
    const child = await processes.start(
      "sh",
      shell("trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.05; done"),
      output,
    );
    await output.until("ready");
    expect(await child.stop()).toEqual({ code: 7, signal: null });
    expect(output.text()).toContain("bye");
  });

  it("stop kills what does not listen, with all that it has started", async () => {
    const output = listening();
    const child = await processes.start("sh", shell("trap '' TERM; sleep 60 & echo ready; sleep 60"), output);
    await output.until("ready");
    expect(await child.stop(100)).toEqual({ code: null, signal: "SIGKILL" });
    expect(groupIsAlive(child.mark.pid)).toBe(false);
  });

  it("stop after the end gives the same end again", async () => {
    const child = await processes.start("true", [], listening());
    await child.ended;
    expect(await child.stop()).toEqual({ code: 0, signal: null });
  });

  it("ended does not wait for a grandchild, and stop ends that too", async () => {
    const child = await processes.start("sh", shell("sleep 60 & exit 0"), listening());
    expect(await child.ended).toEqual({ code: 0, signal: null });
    expect(groupIsAlive(child.mark.pid)).toBe(true);
    await child.stop(100);
    expect(groupIsAlive(child.mark.pid)).toBe(false);
  });
});

describe("reap", () => {
  it("kills a group by its mark, also one without its leader, and counts it", async () => {
    const alone = await processes.start("sleep", ["60"], listening());
    const orphaned = await processes.start("sh", shell("sleep 60 & exit 0"), listening());
    await orphaned.ended;
    const marks = structuredClone([alone.mark, orphaned.mark]);
    expect(await processes.reap(marks)).toBe(2);
    expect(marks.map(({ pid }) => groupIsAlive(pid))).toEqual([false, false]);
    expect(await alone.ended).toEqual({ code: null, signal: "SIGKILL" });
    expect(await processes.reap(marks)).toBe(0);
  });

  it("leaves a process alone that has only the same number", async () => {
    const child = await processes.start("sleep", ["60"], listening());
    expect(await processes.reap([{ pid: child.mark.pid, startedAt: "another start" }])).toBe(0);
    expect(groupIsAlive(child.mark.pid)).toBe(true);
    await child.stop(0);
  });
});

describe.each(["node", "deno", "bun"] as const)("processes on %s", (runtime) => {
  it.runIf(hasRuntime(runtime))("end with this process, and are reaped when it was killed", {
    timeout: 40_000,
  }, async () => {
    const path = new URL("./processes-program.ts", import.meta.url).pathname;
    type Ready = { results: unknown; mark: { pid: number; startedAt: string } };
    const exiting = await startProgram<Ready>(runtime, path, { args: ["exit"] });
    expect(exiting.ready.results).toEqual([
      { code: 3, stdout: "out\n", stderr: "err\n" },
      { code: null, stdout: "", stderr: "" },
      { code: null, stdout: "y\ny\n", stderr: "" },
      'Cannot start "no-such-program": there is no such program; install it or give its whole path',
    ]);
    expect(await exiting.ended).toBe(0);
    // They were killed; when they are gone is the system's to say.
    await expect.poll(() => groupMembers(exiting.ready.mark.pid) ?? []).toEqual([]);

    const killed = await startProgram<Ready>(runtime, path, { args: ["stay"] });
    await killed.stop("SIGKILL");
    expect(groupIsAlive(killed.ready.mark.pid)).toBe(true);
    expect(await processes.reap([killed.ready.mark])).toBe(1);
    expect(groupIsAlive(killed.ready.mark.pid)).toBe(false);
  });
});
