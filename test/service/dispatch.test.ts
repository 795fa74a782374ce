import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { ANONYMOUS, type Identity } from "../../src/ports/call.ts";
import { Refusal } from "../../src/protocol/errors.ts";
import { Dispatch, type DispatchRequest, type Route } from "../../src/service/dispatch.ts";
import { MemoryAnswers } from "../../src/storage/memory-answers.ts";
import { FakeClock } from "../support/fake-clock.ts";

function setUp(handle: Route["handle"], options: { access?: Route["access"]; allowed?: boolean } = {}) {
  const clock = new FakeClock();
  const logged: Record<string, unknown>[] = [];
  const traced: Record<string, unknown>[] = [];
  const log = {
    debug: (_: string, fields = {}) => void traced.push(fields),
    info() {},
    warn() {},
    error: (_: string, fields = {}) => void logged.push(fields),
  };
  const access = options.access ?? "write";
  const input = v.object({ n: v.optional(v.pipe(v.number(), v.transform((n) => n * 2)), 0) });
  const route: Route = { access, changesState: access !== "read", input, handle };
  const dispatch = new Dispatch({
    server: "demo",
    routes: new Map([["work", route]]),
    answers: new MemoryAnswers({ clock }),
    mayAccess: () => options.allowed ?? true,
    clock,
    log,
  });
  const ask = (more: Partial<DispatchRequest> & { identity?: Identity; traceparent?: string } = {}) =>
    dispatch.handle({
      name: "work",
      data: {},
      call: {
        identity: more.identity ?? ANONYMOUS,
        door: "http",
        connectionId: null,
        cause: Symbol("cause"),
        traceparent: more.traceparent,
      },
      ...more,
    });
  return { dispatch, ask, logged, traced };
}

describe("Dispatch", () => {
  test("Dispatch hands the checked input to the handler, and its answer back", async () => {
    const { ask } = setUp((input) => input);
    expect(await ask({ data: { n: 2, other: 1 } })).toEqual({ ok: true, data: { n: 4 } });
  });

  test("Dispatch hands the trace context on, and tells the log how a traced request went, and of no other", async () => {
    const traceparent = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
    const ids = { trace_id: "a".repeat(32), span_id: "b".repeat(16) };
    const { ask, traced } = setUp((_, { traceparent }) => ({ traceparent: traceparent ?? null }));
    expect(await ask({ traceparent })).toEqual({ ok: true, data: { traceparent } });
    expect(await ask()).toEqual({ ok: true, data: { traceparent: null } });
    const told = { request: "work", door: "http", ms: expect.any(Number), ...ids };
    expect(traced).toEqual([{ ...told, outcome: "ok" }]);

    const failing = setUp(() => Promise.reject(new Error("no")));
    await failing.ask({ traceparent });
    expect(failing.logged).toEqual([expect.objectContaining(ids)]);
    expect(failing.traced).toEqual([{ ...told, outcome: "SERVER_ERROR" }]);
  });

  test("Dispatch makes an empty object of no answer, the first time and from memory", async () => {
    const { ask } = setUp(() => undefined);
    for (let n = 0; n < 2; n++) expect(await ask({ idempotencyKey: "k" })).toEqual({ ok: true, data: {} });
  });

  test.each<[string | null, string]>([["other", "other"], [null, "None"], ["__proto__", "__proto__"]])(
    "Dispatch answers UNKNOWN_REQUEST to %s",
    async (name, shown) => {
      const message = `Unknown request event: ${shown}`;
      expect(await setUp(() => ({})).ask({ name })).toEqual({ ok: false, code: "UNKNOWN_REQUEST", message });
    },
  );

  test("Dispatch asks for permission before it looks at the data", async () => {
    const { ask } = setUp(() => ({}), { allowed: false });
    const message = "Not authorized to work: needs demo:write";
    expect(await ask({ data: { n: "x" } })).toEqual({ ok: false, code: "FORBIDDEN", message });
  });

  test("Dispatch passes a Refusal on and hides everything else", async () => {
    expect(await setUp(() => Promise.reject(new Refusal("NOT_FOUND", "No n"))).ask())
      .toEqual({ ok: false, code: "NOT_FOUND", message: "No n" });
    for (const thrown of [new Error("hunter2"), "hunter2", null, undefined, { toString: () => "hunter2" }]) {
      const { ask, logged } = setUp(() => {
        throw thrown;
      });
      const answer = await ask();
      expect(answer).toMatchObject({ ok: false, code: "SERVER_ERROR" });
      expect(JSON.stringify(answer)).not.toContain("hunter2");
      expect(JSON.stringify(answer)).toContain(logged[0]!.fault);
      expect(logged[0]!.error).toBe(thrown);
    }
  });

  test("Dispatch keeps no key for what changes nothing", async () => {
    let ran = 0;
    const { ask } = setUp(() => ({ ran: ++ran }), { access: "read" });
    await ask({ idempotencyKey: "k" });
    expect(await ask({ idempotencyKey: "k" })).toEqual({ ok: true, data: { ran: 2 } });
  });

  test("Dispatch takes the key of the header before that of the data, and none as part of the data", async () => {
    let ran = 0;
    const { ask } = setUp(() => ({ ran: ++ran }));
    await ask({ idempotencyKey: "k", data: { n: 1, idempotency_key: "other" } });
    expect(await ask({ data: { n: 1, idempotency_key: "k" } })).toEqual({ ok: true, data: { ran: 1 } });
    expect(await ask({ data: { n: 2, idempotency_key: "k" } })).toMatchObject({
      ok: false,
      code: "CONFLICT",
    });
  });

  test("Dispatch keeps keys of anonymous callers apart by where they come from", async () => {
    let ran = 0;
    const { ask } = setUp(() => ({ ran: ++ran }));
    const ada = { userId: "ada", permissions: [], authenticated: true };
    for (const origin of ["10.0.0.1", "10.0.0.2", "10.0.0.1"]) await ask({ idempotencyKey: "k", origin });
    expect(ran).toBe(2);
    for (const origin of ["10.0.0.1", "10.0.0.2"]) await ask({ idempotencyKey: "k", origin, identity: ada });
    expect(ran).toBe(3);
  });

  test("Dispatch fails all that wait for one key together, and remembers nothing of it", async () => {
    let ran = 0;
    const { ask } = setUp(async () => {
      await Promise.resolve();
      if (++ran === 1) throw new Refusal("CONFLICT", "Not yet");
      return { ran };
    });
    const both = await Promise.all([ask({ idempotencyKey: "k" }), ask({ idempotencyKey: "k" })]);
    expect(both.map(({ ok }) => ok)).toEqual([false, false]);
    expect(await ask({ idempotencyKey: "k" })).toEqual({ ok: true, data: { ran: 2 } });
  });
});
