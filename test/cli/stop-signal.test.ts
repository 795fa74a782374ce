import process from "node:process";
import { afterEach, describe, expect, test, vi } from "vitest";
import { stopSignal } from "../../src/cli/stop-signal.ts";

afterEach(() => void vi.restoreAllMocks());

describe("stopSignal()", () => {
  test("takes the first signal for a wish, and ends the process with the second", async () => {
    const exit = vi.spyOn(process, "exit").mockImplementation(() => undefined as never);
    const told = vi.spyOn(console, "error").mockImplementation(() => {});
    let signal: () => void = () => {};
    const forgotten = vi.fn();
    const { stopped, isStopped, forget } = stopSignal({
      onStopSignal(work) {
        signal = () => work("SIGINT");
        return forgotten;
      },
    });
    expect(isStopped()).toBe(false);
    signal();
    await stopped;
    expect([isStopped(), exit.mock.calls]).toEqual([true, []]);
    signal();
    expect(exit.mock.calls).toEqual([[1]]);
    expect(told).toHaveBeenCalledWith("Told to stop a second time: ended without waiting");
    forget();
    expect(forgotten).toHaveBeenCalledOnce();
  });
});
