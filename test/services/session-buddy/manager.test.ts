import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Refusal } from "../../../src/protocol/errors.ts";
import { parseJson } from "../../../src/protocol/json.ts";
import { type Started, startManager } from "./started-manager.ts";

let started: Started;
beforeEach(async () => void (started = await startManager()));
afterEach(() => started.stop());

const start = (data: Record<string, unknown> = {}) =>
  started.request("start_session", { session_id: "s1", project: "house", ...data });

async function refusal(work: Promise<unknown>): Promise<string> {
  const error = await work.then(() => "was not refused", (error) => error);
  if (!(error instanceof Refusal)) throw error;
  return `${error.code} ${error.message}`;
}

/** JSON text as a client sends it, so that keys such as `__proto__` are own members. */
const json = (text: string) => {
  const parsed = parseJson(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
};

describe("start_session", () => {
  test("answers the session and tells session and global", async () => {
    const answer = await start({ working_directory: started.folder, user: "ada", context: { step: 1 } });
    expect(answer).toEqual({
      session_id: "s1",
      project: "house",
      working_directory: started.folder,
      user: "ada",
      context: { step: 1 },
      version: 1,
      state: "active",
      summary: null,
      created_at: "2026-01-01T00:00:00.000Z",
      updated_at: "2026-01-01T00:00:00.000Z",
      ended_at: null,
      duration_seconds: 0,
      checkpoints: 0,
      knowledge_items: 0,
    });
    expect(started.told()).toEqual([{
      event: "session.created",
      channels: ["session:s1", "global"],
      data: {
        session_id: "s1",
        project: "house",
        working_directory: started.folder,
        user: "ada",
        context: { step: 1 },
        version: 1,
      },
    }]);
  });

  test("gives ULIDs that grow where no id came, also within a millisecond", async () => {
    const ids: string[] = [];
    for (let i = 0; i < 20; i++) {
      ids.push((await start({ session_id: undefined })).session_id);
    }
    expect(ids[0]).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/);
    expect([...new Set(ids)].sort()).toEqual(ids);
  });

  test("refuses an id that was ever used and tells nothing", async () => {
    await start();
    await started.request("end_session", { session_id: "s1" });
    started.told();
    expect(await refusal(start())).toBe(
      "CONFLICT Session 's1' exists already: choose another id, or leave it out",
    );
    expect(started.told()).toEqual([]);
  });

  test("refuses a folder that is relative, missing or a file, and names it", async () => {
    const file = join(started.folder, "a file");
    await writeFile(file, "");
    const reasons = {
      "some/where": "is relative",
      [join(started.folder, "no")]: "does not exist",
      [file]: "is a file",
    };
    for (const [path, reason] of Object.entries(reasons)) {
      expect(await refusal(start({ working_directory: path }))).toBe(
        "INVALID_DATA Invalid field 'working_directory': expected an absolute path of an existing folder, " +
          `got '${path}', which ${reason}`,
      );
    }
    await mkdir(join(started.folder, "ordner mit ü"));
    expect((await start({ working_directory: join(started.folder, "ordner mit ü") })).version).toBe(1);
  });

  test.each(["a", "crackerjack-20260101-101010", "a:b", "a*", "**", "日本 語", "😀", "x".repeat(200)])(
    "takes %j as an id, and every channel with it",
    async (session_id) => {
      expect((await start({ session_id })).session_id).toBe(session_id);
      await started.request("checkpoint_session", { session_id });
      await started.request("capture_knowledge", { session_id, kind: "k", content: "c" });
      expect(started.told().flatMap(({ channels }) => channels)).toEqual([
        `session:${session_id}`,
        "global",
        `session:${session_id}`,
        `checkpoint:${session_id}`,
        `knowledge:${session_id}`,
      ]);
    },
  );

  test.each(["", "*", "a:*", "a\nb", "a\0", "a\u0085", "\ud800", "a\udc00b", "x".repeat(201), 7])(
    "refuses %j as an id",
    async (session_id) => {
      expect(await refusal(start({ session_id }))).toMatch(/^INVALID_DATA .*session_id/);
      expect(started.told()).toEqual([]);
    },
  );

  test("takes the user from who asks where none is given", async () => {
    const identity = { userId: "grace", permissions: [], authenticated: true };
    const answer = await started.request("start_session", { project: "house" }, identity);
    expect(answer.user).toBe("grace");
  });

  test("leaves out members that are null, at every level but in arrays", async () => {
    const { context } = await start({ context: { a: null, b: { c: null, d: 1 }, e: [null, { f: null }] } });
    expect(context).toEqual({ b: { d: 1 }, e: [null, { f: null }] });
  });
});

describe("update_session", () => {
  test("merges the patch, counts the version and tells the patch", async () => {
    await start({ context: { a: 1, b: { c: 2, d: 3 } } });
    started.told();
    started.clock.advance(1500);
    const answer = await started.request("update_session", {
      session_id: "s1",
      context: { a: null, b: { c: 4 } },
      expected_version: 1,
    });
    expect(answer).toMatchObject({
      version: 2,
      context: { b: { c: 4, d: 3 } },
      updated_at: "2026-01-01T00:00:01.500Z",
      duration_seconds: 1.5,
    });
    expect(started.told()).toEqual([{
      event: "session.updated",
      channels: ["session:s1", "global"],
      data: { session_id: "s1", changes: { a: null, b: { c: 4 } }, version: 2 },
    }]);
  });

  test("refuses another version than the expected one, and changes nothing", async () => {
    await start({ context: { a: 1 } });
    const update = { session_id: "s1", context: { a: 2 }, expected_version: 4 };
    expect(await refusal(started.request("update_session", update))).toBe(
      "CONFLICT Session 's1' is at version 1, expected 4: read it and try again",
    );
    expect(await started.request("get_session", { session_id: "s1" })).toMatchObject({
      version: 1,
      context: { a: 1 },
    });
  });

  test("keeps integers of any size and keys such as __proto__ as data", async () => {
    const context = json(
      '{"big":12345678901234567890,"__proto__":{"polluted":1},"constructor":{"prototype":{"x":1}}}',
    );
    await start({ context });
    await started.request("update_session", {
      session_id: "s1",
      context: json('{"__proto__":{"more":2},"constructor":{"prototype":{"y":2}}}'),
    });
    await started.restart();
    const { context: kept } = await started.request("get_session", { session_id: "s1" });
    expect(JSON.stringify(kept, (_, value) => typeof value === "bigint" ? `${value}n` : value)).toBe(
      '{"big":"12345678901234567890n","__proto__":{"polluted":1,"more":2},' +
        '"constructor":{"prototype":{"x":1,"y":2}}}',
    );
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    const [created, updated] = started.told();
    expect(JSON.stringify(created?.data.context.__proto__)).toBe('{"polluted":1}');
    expect(JSON.stringify(updated?.data.changes.__proto__)).toBe('{"more":2}');
  });

  test("refuses contexts that are too large, too deep, or hold what JSON cannot", async () => {
    await start({ context: { a: "x".repeat(200_000) } });
    const update = (context: unknown) =>
      refusal(started.request("update_session", { session_id: "s1", context }));
    const fits = { a: "y".repeat(262_144 - 8) };
    expect(await update({ a: `${fits.a}y` })).toBe(
      "INVALID_DATA Invalid field 'context': the field has 262145 bytes of JSON, expected at most 262144",
    );
    expect(await update({ b: "é".repeat(50_000) })).toMatch(
      /^INVALID_DATA Invalid field 'context': the result has 300015 bytes/,
    );
    expect(await update(json(`{"a":${"[".repeat(64)}${"]".repeat(64)}}`))).toBe(
      "INVALID_DATA Invalid field 'context': more than 64 levels, expected fewer",
    );
    expect(await update({ a: { b: [Infinity] } })).toBe(
      "INVALID_DATA Invalid field 'context': a number that JSON cannot hold, expected finite numbers",
    );
    const answer = await started.request("update_session", { session_id: "s1", context: fits });
    expect(answer.version).toBe(2);
  });

  test("refuses a context that is not an object, and an unknown session", async () => {
    await start();
    for (const context of [[], "text", null, 1]) {
      await expect(started.request("update_session", { session_id: "s1", context })).rejects.toThrow(
        /context: expected an object/,
      );
    }
    const unknown = started.request("update_session", { session_id: "s2", context: {} });
    expect(await refusal(unknown)).toBe("NOT_FOUND No session 's2'");
  });
});

describe("end_session", () => {
  test("tells duration and counts, and refuses every change after it", async () => {
    await start();
    const { checkpoint_id } = await started.request("checkpoint_session", { session_id: "s1" });
    await started.request("capture_knowledge", { session_id: "s1", kind: "gotcha", content: "mind the gap" });
    started.told();
    started.clock.advance(90_000);
    const answer = await started.request("end_session", { session_id: "s1", summary: "done" });
    expect(answer).toMatchObject({ state: "ended", ended_at: "2026-01-01T00:01:30.000Z", summary: "done" });
    expect(started.told()).toEqual([{
      event: "session.closed",
      channels: ["session:s1", "global"],
      data: { session_id: "s1", summary: "done", duration_seconds: 90, checkpoints: 1, knowledge_items: 1 },
    }]);
    started.clock.advance(1000);
    expect(await started.request("get_session", { session_id: "s1" })).toMatchObject({
      duration_seconds: 90,
    });
    const changes = {
      update_session: { session_id: "s1", context: {} },
      checkpoint_session: { session_id: "s1" },
      restore_checkpoint: { checkpoint_id },
      capture_knowledge: { session_id: "s1", kind: "k", content: "c" },
      end_session: { session_id: "s1" },
    } as const;
    for (const [name, data] of Object.entries(changes)) {
      expect(await refusal(started.request(name as keyof typeof changes, data))).toBe(
        "CONFLICT Session 's1' ended at 2026-01-01T00:01:30.000Z and takes no more changes: start a new session",
      );
    }
    expect(started.told()).toEqual([]);
  });
});

describe("an idempotency key", () => {
  test("gives the first answer again, with no second change, over a restart", async () => {
    const data = { project: "house", idempotency_key: "0b0a7a0e-58f4-4b0e-9d0c-5a8c1c1f0001" };
    const first = await started.request("start_session", data);
    await started.restart();
    started.clock.advance(1000);
    expect(await started.request("start_session", data)).toEqual(first);
    await started.request("capture_knowledge", {
      session_id: first.session_id,
      kind: "k",
      content: "c",
      idempotency_key: "twice",
    });
    expect(started.told().map(({ event }) => event)).toEqual(["session.created", "knowledge.captured"]);
    expect(started.manager.getStatus({})).toMatchObject({ sessions_total: 1 });
    expect(await refusal(started.request("start_session", { ...data, project: "other" }))).toMatch(
      /^CONFLICT/,
    );
  });
});

describe("list_sessions", () => {
  test("pages newest first and stays stable while sessions are added", async () => {
    for (let i = 0; i < 5; i++) await start({ session_id: `s${i}` });
    const first = await started.request("list_sessions", { limit: 2 });
    expect(first.sessions.map((session) => session.session_id)).toEqual(["s4", "s3"]);
    expect(first.sessions[0]).not.toHaveProperty("context");
    await start({ session_id: "newer" });
    const second = await started.request("list_sessions", { limit: 2, cursor: first.next_cursor });
    expect(second.sessions.map((session) => session.session_id)).toEqual(["s2", "s1"]);
    const third = await started.request("list_sessions", { limit: 2, cursor: second.next_cursor });
    expect(third.sessions.map((session) => session.session_id)).toEqual(["s0"]);
    expect(third.next_cursor).toBeNull();
  });

  test("filters by project and state", async () => {
    await start({ session_id: "a", project: "one" });
    await start({ session_id: "b", project: "two" });
    await start({ session_id: "c", project: "one" });
    await started.request("end_session", { session_id: "a" });
    const ids = async (filter: object) =>
      (await started.request("list_sessions", { ...filter })).sessions.map((session) => session.session_id);
    expect(await ids({ project: "one" })).toEqual(["c", "a"]);
    expect(await ids({ state: "active" })).toEqual(["c", "b"]);
    expect(await ids({ project: "one", state: "ended" })).toEqual(["a"]);
    expect(await ids({ project: null, state: null })).toEqual(["c", "b", "a"]);
  });

  test("shortens summaries, never within a character", async () => {
    await start();
    await started.request("end_session", { session_id: "s1", summary: "😀".repeat(300) });
    const { sessions } = await started.request("list_sessions", {});
    expect(sessions[0]?.summary).toBe(`${"😀".repeat(99)}…`);
    expect((await started.request("get_session", { session_id: "s1" })).summary).toHaveLength(600);
  });

  test("refuses a cursor that it has not given", async () => {
    await start();
    await started.request("checkpoint_session", { session_id: "s1" });
    await started.request("checkpoint_session", { session_id: "s1" });
    const { next_cursor } = await started.request("list_checkpoints", { session_id: "s1", limit: 1 });
    for (
      const cursor of ["nonsense!", "", next_cursor ?? "", btoa("sessions:-1"), btoa("sessions:1e9")].filter(
        Boolean,
      )
    ) {
      expect(await refusal(started.request("list_sessions", { cursor }))).toBe(
        "INVALID_DATA Invalid field 'cursor': expected the 'next_cursor' of a page of sessions, as it was answered",
      );
    }
  });
});

describe("getStatus", () => {
  test("counts everything, over a restart", async () => {
    await start();
    await start({ session_id: "s2" });
    await started.request("end_session", { session_id: "s2" });
    await started.request("checkpoint_session", { session_id: "s1" });
    await started.request("capture_knowledge", { session_id: "s1", kind: "k", content: "c" });
    await started.restart();
    expect(started.manager.getStatus({})).toEqual({
      sessions_active: 1,
      sessions_total: 2,
      checkpoints: 1,
      knowledge_items: 1,
    });
  });

  test("answers a session's state with its status, and not_found for an unknown one", async () => {
    await start();
    expect(started.manager.getStatus({ session_id: "s1" })).toMatchObject({ status: "active", version: 1 });
    expect(started.manager.getStatus({ session_id: "s2" })).toEqual({
      session_id: "s2",
      status: "not_found",
    });
    expect(started.manager.getStatus({ session_id: 7 })).toEqual({ session_id: 7, status: "not_found" });
  });
});

describe("snapshot", () => {
  test("is the session behind its channel, and null for everything else", async () => {
    const session = await start({ context: { a: 1 } });
    expect(started.manager.snapshot("session", "s1")).toEqual(session);
    expect(started.manager.snapshot("session", "s2")).toBeNull();
    expect(started.manager.snapshot("knowledge", "s1")).toBeNull();
    expect(started.manager.snapshot("global", null)).toBeNull();
  });
});
