import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { StageSpec } from "../../../services/mahavishnu/domain/definition.ts";
import {
  type AttemptEnd,
  type Stage,
  WorkflowState,
} from "../../../services/mahavishnu/domain/workflow-state.ts";

const spec = (name: string, more: Partial<StageSpec> = {}): StageSpec => ({
  name,
  command: ["true"],
  needs: [],
  timeoutMs: 500,
  retries: 0,
  environment: {},
  folder: null,
  continueOnError: false,
  pool: "default",
  ...more,
});

const workflow = (...stages: StageSpec[]) =>
  new WorkflowState({
    id: "w",
    definition: { name: "flow", description: null, onRestart: "fail", stages },
    inputs: {},
    createdAt: 0,
  });

function end(
  state: WorkflowState,
  name: string,
  status: AttemptEnd["status"],
  exitCode: number | null = null,
): boolean {
  const stage = state.stages.find((stage) => stage.spec.name === name)!;
  stage.attempts++;
  return state.settle(stage, { status, exitCode, signal: null, durationMs: 1 });
}

const ready = (state: WorkflowState) => state.ready().map((stage) => stage.spec.name);

describe("WorkflowState", () => {
  test("gives stages out when all that they need is done", () => {
    const state = workflow(spec("a"), spec("b"), spec("c", { needs: ["a", "b"] }));
    expect(ready(state)).toEqual(["a", "b"]);
    end(state, "a", "completed", 0);
    expect(ready(state)).toEqual(["b"]);
    end(state, "b", "completed", 0);
    expect(ready(state)).toEqual(["c"]);
    expect(state.outcome()).toBeNull();
    end(state, "c", "completed", 0);
    expect(state.outcome()).toEqual({ status: "completed", error: null, failedStage: null });
  });

  test("tries a stage again while it has retries, and not when it was cancelled", () => {
    const state = workflow(spec("a", { retries: 2 }));
    expect(end(state, "a", "failed", 1)).toBe(true);
    expect(end(state, "a", "timeout")).toBe(true);
    expect(end(state, "a", "failed", 1)).toBe(false);
    expect(state.outcome()).toMatchObject({
      status: "failed",
      error: "Stage 'a' exited with 1, in 3 attempts",
    });
    const cancelled = workflow(spec("a", { retries: 2 }));
    expect(end(cancelled, "a", "cancelled")).toBe(false);
  });

  test("gives nothing out any more, and tries nothing again, when a stage has failed or it is being cancelled", () => {
    const state = workflow(spec("a"), spec("b", { retries: 5 }), spec("c"));
    end(state, "a", "failed", 1);
    expect(ready(state)).toEqual([]);
    expect(end(state, "b", "failed", 1)).toBe(false);
    const cancelling = workflow(spec("a", { retries: 5 }), spec("b"));
    cancelling.status = "cancelling";
    expect(ready(cancelling)).toEqual([]);
    expect(end(cancelling, "a", "failed", 1)).toBe(false);
  });

  test("says in a sentence why it failed", () => {
    const failed = (more: Partial<StageSpec>, ends: AttemptEnd, tail = "") => {
      const state = workflow(spec("a", more));
      const [stage] = state.stages as [Stage];
      stage.attempts = 1;
      stage.outputTail = tail;
      state.settle(stage, ends);
      return state.outcome()!.error;
    };
    const none = { exitCode: null, signal: null, durationMs: 1 };
    expect(failed({}, { ...none, status: "timeout", signal: "SIGTERM" })).toBe(
      "Stage 'a' took longer than 500 ms",
    );
    expect(failed({}, { ...none, status: "failed", signal: "SIGKILL" })).toBe(
      "Stage 'a' was ended by SIGKILL",
    );
    expect(failed({}, { ...none, status: "failed", exitCode: 3 })).toBe("Stage 'a' exited with 3");
    expect(failed({}, { ...none, status: "failed" }, 'Cannot start "x"\n')).toBe(
      "Stage 'a' could not be started: Cannot start \"x\"",
    );
  });

  const anyStages = fc.array(
    fc.record({
      needs: fc.array(fc.nat(6), { maxLength: 3 }),
      retries: fc.nat(2),
      continueOnError: fc.boolean(),
    }),
    { minLength: 1, maxLength: 7 },
  ).map((stages) =>
    stages.map(({ needs, ...more }, index) =>
      spec(`s${index}`, {
        ...more,
        needs: [...new Set(needs.filter((need) => need < index))].map((need) => `s${need}`),
      })
    )
  );
  const anyEnds = fc.infiniteStream(fc.record({
    pick: fc.nat(),
    status: fc.constantFrom(
      "completed" as const,
      "completed" as const,
      "failed" as const,
      "timeout" as const,
    ),
    cancels: fc.nat(20).map((n) => n === 0),
  }));

  test("comes to an end that agrees with its stages, whatever happens to them, and runs none before what it needs", () => {
    fc.assert(fc.property(anyStages, anyEnds, (stages, ends) => {
      const state = workflow(...stages);
      const isDone = (name: string) => {
        const { status, spec } = state.stages.find((stage) => stage.spec.name === name)!;
        return status === "completed" ||
          (spec.continueOnError && (status === "failed" || status === "timeout"));
      };
      let steps = 0;
      while (state.outcome() === null) {
        expect(steps++).toBeLessThan(100);
        const { pick, status, cancels } = ends.next().value;
        const open = [
          ...state.ready(),
          ...state.stages.filter((stage) => stage.status === "queued" || stage.status === "running"),
        ];
        expect(open.length).toBeGreaterThan(0);
        const stage = open[pick % open.length]!;
        if (cancels) state.status = "cancelling";
        else if (stage.status !== "running") {
          expect(stage.spec.needs.every(isDone)).toBe(true);
          stage.status = "running";
          stage.attempts++;
        } else state.settle(stage, { status, exitCode: 1, signal: null, durationMs: 1 });
      }
      const outcome = state.outcome()!;
      state.skipRest();
      const statuses = state.stages.map(({ status }) => status);
      expect(statuses.every((status) => ["completed", "failed", "timeout", "skipped"].includes(status))).toBe(
        true,
      );
      for (const { attempts, spec } of state.stages) expect(attempts).toBeLessThanOrEqual(spec.retries + 1);
      if (outcome.status === "completed") expect(stages.every(({ name }) => isDone(name))).toBe(true);
      if (outcome.status === "failed") expect(isDone(outcome.failedStage!)).toBe(false);
      expect(state.completed).toBe(stages.filter(({ name }) => isDone(name)).length);
    }));
  });
});
