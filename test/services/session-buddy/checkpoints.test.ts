import { rm } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { lineLog } from "../../../src/ports/log.ts";
import { processes } from "../../../src/runtimes/processes.ts";
import { type Checkout, makeCheckout } from "./git-checkout.ts";
import { type Started, startManager } from "./started-manager.ts";

let started: Started;
let checkout: Checkout;
beforeEach(async () => {
  [started, checkout] = await Promise.all([startManager(), makeCheckout()]);
});
afterEach(() => Promise.all([started.stop(), checkout.remove()]));

const start = (data: Record<string, unknown> = {}) =>
  started.request("start_session", { session_id: "s1", project: "house", ...data });

describe("checkpoint_session", () => {
  test("keeps the context and the state of git, and tells session and checkpoint", async () => {
    const head = await checkout.commit("a", "1");
    await checkout.write("a", "2");
    await start({ working_directory: checkout.folder, context: { step: 1 } });
    started.told();
    const answer = await started.request("checkpoint_session", {
      session_id: "s1",
      reason: "pre_compact",
      quality_score: 87.5,
    });
    const data = {
      session_id: "s1",
      checkpoint_id: answer.checkpoint_id,
      reason: "pre_compact",
      quality_score: 87.5,
      git: { branch: "trunk", head, dirty: ["a"], dirty_count: 1 },
      version: 1,
    };
    expect(answer).toEqual({ ...data, created_at: "2026-01-01T00:00:00.000Z" });
    expect(started.told()).toEqual([
      { event: "session.checkpoint", channels: ["session:s1", "checkpoint:s1"], data },
    ]);
    await started.restart();
    expect(await started.request("get_checkpoint", { checkpoint_id: answer.checkpoint_id })).toEqual({
      ...answer,
      context: { step: 1 },
    });
    expect(await started.request("get_session", { session_id: "s1" })).toMatchObject({ checkpoints: 1 });
  });

  test("has no git where the checkout belongs to another user, and the log says so once", async () => {
    vi.stubEnv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1");
    const lines: string[] = [];
    const other = await startManager(lineLog({ level: "warn", write: (line) => lines.push(line) }));
    try {
      for (const session_id of ["s1", "s2"]) {
        const folder = { session_id, project: "house", working_directory: checkout.folder };
        await other.request("start_session", folder);
        expect(await other.request("checkpoint_session", { session_id })).toMatchObject({ git: null });
      }
      expect(lines).toEqual([expect.stringMatching(/WARN .*belongs to another user.*safe\.directory/)]);
    } finally {
      vi.unstubAllEnvs();
      await other.stop();
    }
  });

  test("has no git where the session has no folder, or one that is gone", async () => {
    await start();
    const answer = await started.request("checkpoint_session", { session_id: "s1" });
    expect(answer).toMatchObject({ git: null, reason: "manual_checkpoint", quality_score: null });
    await start({ session_id: "s2", working_directory: checkout.folder });
    await rm(checkout.folder, { recursive: true });
    expect(await started.request("checkpoint_session", { session_id: "s2" })).toMatchObject({ git: null });
  });

  test("is refused where the session ends while git is asked", async () => {
    await start({ working_directory: checkout.folder });
    const checkpoint = started.request("checkpoint_session", { session_id: "s1" });
    await started.request("end_session", { session_id: "s1" });
    started.told();
    await expect(checkpoint).rejects.toThrow(/^Session 's1' ended at/);
    expect(started.told()).toEqual([]);
    const { checkpoints } = await started.request("list_checkpoints", { session_id: "s1" });
    expect(checkpoints).toEqual([]);
  });

  test("refuses a score out of range and an unknown session", async () => {
    await start();
    for (const quality_score of [-1, 100.5, "90"]) {
      await expect(started.request("checkpoint_session", { session_id: "s1", quality_score })).rejects
        .toThrow(
          /Invalid/,
        );
    }
    await expect(started.request("checkpoint_session", { session_id: "s2" })).rejects.toThrow(
      "No session 's2'",
    );
  });
});

describe("checkpoint_session of many sessions at once", () => {
  test("has four gits running at most, and each checkpoint has its state", async () => {
    const head = await checkout.commit("a", "1");
    const run = processes.run;
    let running = 0;
    let most = 0;
    const counted = vi.spyOn(processes, "run").mockImplementation(async (...asked) => {
      most = Math.max(most, ++running);
      try {
        return await run(...asked);
      } finally {
        running--;
      }
    });
    try {
      const sessions = Array.from({ length: 12 }, (_, number) => `many${number}`);
      for (const session_id of sessions) await start({ session_id, working_directory: checkout.folder });
      const answers = await Promise.all(
        sessions.map((session_id) => started.request("checkpoint_session", { session_id })),
      );
      expect(answers.map(({ git }) => git?.head)).toEqual(sessions.map(() => head));
      expect(most).toBe(4);
    } finally {
      counted.mockRestore();
    }
  });
});

describe("list_checkpoints", () => {
  test("pages those of one session, newest first, without contexts and paths", async () => {
    await checkout.commit("a", "1");
    await checkout.write("b", "2");
    await start({ working_directory: checkout.folder });
    await start({ session_id: "s2" });
    for (const [index, session_id] of ["s1", "s1", "s2", "s1"].entries()) {
      await started.request("checkpoint_session", { session_id, reason: `r${index}` });
    }
    const first = await started.request("list_checkpoints", { session_id: "s1", limit: 2 });
    expect(first.checkpoints.map(({ reason }) => reason)).toEqual(["r3", "r1"]);
    expect(first.checkpoints[0]?.git).toEqual({ branch: "trunk", head: expect.any(String), dirty_count: 1 });
    expect(first.checkpoints[0]).not.toHaveProperty("context");
    const second = await started.request("list_checkpoints", {
      session_id: "s1",
      limit: 2,
      cursor: first.next_cursor,
    });
    expect(second.checkpoints.map(({ reason }) => reason)).toEqual(["r0"]);
    expect(second.next_cursor).toBeNull();
    await expect(started.request("list_checkpoints", { session_id: "s3" })).rejects.toThrow(
      "No session 's3'",
    );
  });
});

describe("get_checkpoint", () => {
  test("refuses an unknown one, and one of another session than the one named", async () => {
    await start();
    const { checkpoint_id } = await started.request("checkpoint_session", { session_id: "s1" });
    await expect(started.request("get_checkpoint", { checkpoint_id: "x" })).rejects.toThrow(
      "No checkpoint 'x'",
    );
    await expect(started.request("get_checkpoint", { checkpoint_id, session_id: "s2" })).rejects.toThrow(
      `No checkpoint '${checkpoint_id}' in session 's2'`,
    );
    expect(await started.request("get_checkpoint", { checkpoint_id, session_id: "s1" })).toMatchObject({
      version: 1,
    });
  });
});

describe("restore_checkpoint", () => {
  test("puts the context back as a new version and tells the merge patch to it", async () => {
    await start({ context: { a: 1, b: { c: 2 }, list: [1] } });
    const { checkpoint_id } = await started.request("checkpoint_session", { session_id: "s1" });
    await started.request("update_session", {
      session_id: "s1",
      context: { a: null, b: { c: 3, d: 4 }, list: [2], extra: true },
    });
    started.told();
    const answer = await started.request("restore_checkpoint", { checkpoint_id });
    expect(answer).toMatchObject({ version: 3, context: { a: 1, b: { c: 2 }, list: [1] } });
    expect(started.told()).toEqual([{
      event: "session.updated",
      channels: ["session:s1", "global"],
      data: {
        session_id: "s1",
        changes: { a: 1, b: { c: 2, d: null }, list: [1], extra: null },
        version: 3,
      },
    }]);
    await expect(started.request("restore_checkpoint", { checkpoint_id: "x" })).rejects.toThrow(
      "No checkpoint 'x'",
    );
  });
});
