import { beforeEach, describe, expect, test } from "vitest";
import { Attempt, type AttemptOptions } from "../../../services/mahavishnu/domain/attempt.ts";
import { processes } from "../../../src/runtimes/processes.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { listeningProcesses } from "./listening-processes.ts";
import { processesWith, tellsProcesses } from "./workflow-processes.ts";

let id: string;
beforeEach(() => void (id = crypto.randomUUID()));

const spec = {
  name: "one",
  needs: [],
  timeoutMs: 1_000,
  retries: 0,
  environment: {},
  folder: null,
  continueOnError: false,
  pool: "default",
};

function makeAttempt(script: string, more: Partial<AttemptOptions> = {}): Attempt {
  return new Attempt({
    spec: { ...spec, command: ["sh", "-c", script] },
    environment: { ATTEMPT_TEST: id },
    folder: ".",
    processes,
    clock: new FakeClock(),
    outputBytes: 1_024,
    graceMs: 100,
    announced: processes.announce(),
    onStarted: () => {},
    ...more,
  });
}

describe("Attempt", () => {
  test("that was stopped before it began ends its child as soon as it is there", async () => {
    const attempt = makeAttempt("exec sleep 1000");
    const run = attempt.run();
    attempt.stop("cancelled");
    attempt.stop("timeout");
    expect(await run).toEqual({ status: "cancelled", exitCode: null, signal: "SIGTERM", durationMs: 0 });
  });

  test("that has ended keeps its verdict, though it is stopped while what it left behind is ended", async () => {
    let stops = 0;
    const attempt: Attempt = makeAttempt("sleep 1000 >/dev/null 2>&1 & exit 0", {
      processes: listeningProcesses(() => {
        stops++;
        attempt.stop("cancelled");
      }),
    });
    expect(await attempt.run()).toEqual({ status: "completed", exitCode: 0, signal: null, durationMs: 0 });
    expect(stops).toBe(1);
  });

  test("leaves no timer behind", async () => {
    const clock = new FakeClock();
    await makeAttempt("exit 0", { clock }).run();
    expect(clock.pending).toBe(0);
  });

  test.runIf(tellsProcesses)("rejects with what onStarted has thrown, when the child is gone", async () => {
    const attempt = makeAttempt("exec sleep 1000", {
      onStarted() {
        throw new Error("could not be written");
      },
    });
    await expect(attempt.run()).rejects.toThrow("could not be written");
    expect(processesWith("ATTEMPT_TEST", id)).toEqual([]);
  });
});
