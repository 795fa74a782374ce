import { describe, expect, test } from "vitest";
import { createBench } from "../support/connection-bench.ts";

const UUID = "6f9619ff-8b86-4011-b42d-00cf4fc964ff";
const set = (n: number, key: unknown, event = "set_doc") => ({
  type: "request",
  event,
  data: { doc_id: "a", n, idempotency_key: key },
});

describe("An idempotency key on a connection", () => {
  test("is answered the same again, and the work is done once", async () => {
    const bench = createBench();
    const client = bench.connect();
    const frames = await bench.ask(client, set(1, "k"), set(1, "k"));
    frames.push(...await bench.ask(client, set(1, "k")));
    expect(frames.map(({ data }) => data)).toEqual(Array(3).fill({ status: "ok", n: 1 }));
    expect(bench.state.ran).toEqual(["set_doc"]);
    expect(bench.journal.head.seq).toBe(1);
  });

  test("with other data is a CONFLICT, also while the first is under way", async () => {
    const bench = createBench();
    const client = bench.connect();
    const [early] = await bench.ask(client, set(1, "k", "set_and_wait"), set(2, "k", "set_and_wait"));
    expect(early!.error_code).toBe("CONFLICT");
    bench.state.gates[0]!();
    const late = await bench.ask(client, set(2, "k", "set_and_wait"));
    expect(late.map(({ error_code }) => error_code)).toContain("CONFLICT");
    expect(bench.state.docs.get("a")).toBe(1);
  });

  test("of two requests at once runs one", async () => {
    const bench = createBench();
    const client = bench.connect();
    expect(await bench.ask(client, set(1, "k", "set_and_wait"), set(1, "k", "set_and_wait"))).toEqual([]);
    bench.state.gates[0]!();
    await bench.settle();
    expect(client.take().map(({ data }) => data.n)).toEqual([1, 1]);
    expect(bench.state.ran).toEqual(["set_and_wait"]);
  });

  test("is a connection's own for anonymous clients, unless it is a UUID", async () => {
    const bench = createBench();
    for (const key of ["k", UUID]) {
      for (const client of [bench.connect(), bench.connect()]) await bench.ask(client, set(1, key));
    }
    expect(bench.state.ran).toHaveLength(3);
  });

  test("is a user's own over all connections, UUID or not", async () => {
    const bench = createBench({ settings: { authRequired: true } });
    const as = (userId: string) =>
      bench.connect({ identity: { userId, permissions: ["write"], authenticated: true }, expiresAt: null });
    for (const key of ["k", UUID]) {
      for (const user of ["ada", "ada", "bob"]) await bench.ask(as(user), set(1, key));
    }
    expect(bench.state.ran).toHaveLength(4);
  });

  test("belongs to one request name", async () => {
    const bench = createBench();
    const client = bench.connect();
    await bench.ask(client, set(1, "k"), set(1, "k", "set_and_wait"));
    expect(bench.state.ran).toEqual(["set_doc", "set_and_wait"]);
  });

  test("is forgotten where the request failed", async () => {
    const bench = createBench();
    const client = bench.connect();
    const fail = { type: "request", event: "fail_later", data: { idempotency_key: "k" } };
    await bench.ask(client, fail);
    await bench.ask(client, fail);
    expect(bench.state.ran).toEqual(["fail_later", "fail_later"]);
  });

  test("is forgotten after five minutes, and not before", async () => {
    const bench = createBench();
    const client = bench.connect();
    await bench.ask(client, set(1, "k"));
    bench.clock.advance(299_000);
    await bench.ask(client, set(1, "k"));
    expect(bench.state.ran).toHaveLength(1);
    bench.clock.advance(2_000);
    await bench.ask(client, set(1, "k"));
    expect(bench.state.ran).toHaveLength(2);
  });

  test.each([[5], [""], ["x".repeat(256)], [[]]])("%j is INVALID_DATA", async (key) => {
    const bench = createBench();
    const [frame] = await bench.ask(bench.connect(), set(1, key));
    expect(frame!.error_code).toBe("INVALID_DATA");
    expect(frame!.error_message).toContain("idempotency_key");
    expect(bench.state.ran).toEqual([]);
  });
});
