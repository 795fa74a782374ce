/**
 * Requests and publishes of the client: answered once, repeated where that does no harm, bounded.
 */
import { expect, test, vi } from "vitest";
import { type ClientOptions, createClient } from "../../src/client/mod.ts";
import { wakefulClock } from "../../src/ports/clock.ts";
import type { BenchContract } from "../support/bench-service.ts";
import { createBench } from "../support/connection-bench.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { benchSockets } from "./bench-socket.ts";
import { scriptedSockets, type Sent } from "./scripted-socket.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

function setUp(options: Partial<ClientOptions> = {}) {
  const clock = new FakeClock();
  const sockets = scriptedSockets();
  const client = createClient<BenchContract>({
    url: "ws://127.0.0.1:8688",
    WebSocket: sockets.WebSocket,
    clock,
    random: () => 0,
    ...options,
  });
  const lose = () => {
    sockets.newest().ends(1006);
    clock.advance(0);
  };
  return { clock, client, lose, ...sockets };
}

const names = (frames: Sent[]) => frames.map(({ event }) => event);

test("a request waits for a connection, and is answered by the frame that names it", async () => {
  const { client, newest } = setUp();
  const answer = client.request("get_doc", { doc_id: "a" });
  newest().open();
  const [request] = newest().take();
  expect(request).toEqual({
    type: "request",
    id: expect.stringMatching(UUID),
    correlation_id: request!["id"],
    event: "get_doc",
    data: { doc_id: "a", idempotency_key: expect.stringMatching(UUID) },
  });
  newest().says({ type: "response", correlation_id: "another", data: { n: 1 } });
  newest().answers(request!, { n: 2 });
  expect(await answer).toEqual({ n: 2 });
});

test("a refusal has the server's code and words", async () => {
  const { client, newest } = setUp();
  newest().open();
  const answer = client.request("get_doc", { doc_id: "a" });
  newest().refuses(newest().take()[0]!, "NOT_FOUND", "There is no doc a");
  await expect(answer).rejects.toMatchObject({
    name: "RequestError",
    code: "NOT_FOUND",
    message: "There is no doc a",
  });
});

test("without an answer it is sent again over the next connection, under the same key", async () => {
  const { client, newest, lose } = setUp();
  newest().open();
  const answer = client.request("set_doc", { doc_id: "a", n: 1 });
  const [first] = newest().take();
  lose();
  newest().open();
  const [again] = newest().take();
  expect(again!["data"]).toEqual(first!["data"]);
  newest().answers(again!, { status: "ok" });
  expect(await answer).toEqual({ status: "ok" });
});

test("one without a key is not sent again, and says that nobody knows whether it was done", async () => {
  const { client, newest, lose } = setUp();
  newest().open();
  const answer = client.request("set_doc", { doc_id: "a", n: 1 }, { idempotencyKey: null });
  expect(newest().take()[0]!["data"]).toEqual({ doc_id: "a", n: 1 });
  lose();
  await expect(answer).rejects.toMatchObject({ name: "ClientError", reason: "lost" });
  newest().open();
  expect(newest().take()).toEqual([]);
});

test("one that was never sent goes over the next connection, key or not", async () => {
  const { client, newest, lose } = setUp();
  const answer = client.request("set_doc", { doc_id: "a", n: 1 }, { idempotencyKey: null });
  lose();
  newest().open();
  newest().answers(newest().take()[0]!, { n: 1 });
  expect(await answer).toEqual({ n: 1 });
});

test("a request over a real connection is done once, however often the connection is lost", async () => {
  const bench = createBench();
  const sockets = benchSockets(bench);
  const client = createClient<BenchContract>({
    url: "ws://bench",
    WebSocket: sockets.WebSocket,
    clock: bench.clock,
    random: () => 0,
  });
  const answer = client.request("set_and_wait", { doc_id: "a", n: 7 });
  await bench.settle();
  for (let i = 0; i < 3; i++) {
    sockets.links.at(-1)!.hangUp(1006);
    bench.clock.advance(0);
    await bench.settle();
  }
  expect(bench.state.gates).toHaveLength(1);
  bench.state.gates[0]!();
  await bench.settle();
  expect(await answer).toMatchObject({ n: 7 });
  expect(bench.journal.head.seq).toBe(1);
});

test("a request that takes too long is given up, also while there is no connection", async () => {
  const { client, clock, newest } = setUp({ timeoutMs: 5_000 });
  const early = client.request("get_doc", { doc_id: "a" });
  const patient = client.request("get_doc", { doc_id: "b" }, { timeoutMs: 0 });
  clock.advance(5_000);
  await expect(early).rejects.toMatchObject({
    reason: "timeout",
    message: "No answer to get_doc in 5000 ms",
  });
  newest().open();
  const sent = newest().take();
  expect(sent.map(({ data }) => data.doc_id)).toEqual(["b"]);
  newest().answers(sent[0]!);
  await patient;
});

test("at most a window of publishes is unanswered, which the welcome may change; requests pass them", async () => {
  const { client, newest } = setUp();
  newest().open();
  const done = Array.from({ length: 30 }, () => client.publish("feed.posted", { when: "now" }));
  const first = newest().take();
  expect(names(first)).toEqual(Array(16).fill("publish"));
  expect(first[0]!["data"]).toMatchObject({ event: "feed.posted", data: { when: "now" } });
  void client.request("get_doc", { doc_id: "a" });
  expect(names(newest().take())).toEqual(["get_doc"]);
  newest().says({ type: "event", event: "welcome", room: null, data: { publish_window: 18 } });
  for (const frame of first) newest().answers(frame);
  for (let rest = newest().take(); rest.length > 0; rest = newest().take()) {
    expect(rest.length).toBeLessThanOrEqual(18);
    for (const frame of rest) newest().answers(frame);
  }
  await Promise.all(done);
});

test("a request that the rate limit refuses is said again when the server listens, and the rest waits with it", async () => {
  const { client, clock, newest } = setUp();
  newest().open();
  const answers = [client.request("get_doc", { doc_id: "a" }), client.request("get_doc", { doc_id: "b" })];
  const [a, b] = newest().take();
  newest().refuses(a!, "RATE_LIMIT_EXCEEDED", "Message rate limit exceeded. Retry after 0.250 seconds.");
  newest().answers(b!, { n: 2 });
  answers.push(client.request("get_doc", { doc_id: "c" }));
  // Longer than it was told, so that it is not refused in every second.
  clock.advance(1_499);
  expect(newest().take()).toEqual([]);
  clock.advance(1);
  const later = newest().take();
  expect(later.map(({ data }) => data.doc_id)).toEqual(["a", "c"]);
  newest().answers(later[0]!, { n: 1 });
  newest().answers(later[1]!, { n: 3 });
  expect(await Promise.all(answers)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
});

test("what waits is bounded, and so is one request", async () => {
  const { client, newest } = setUp({ queueSize: 3_000 });
  const text = "x".repeat(1_000);
  const kept = [1, 2].map((n) => client.request("get_doc", { doc_id: `${n}${text}` }));
  await expect(client.request("get_doc", { doc_id: text })).rejects.toMatchObject({ reason: "full" });
  newest().open();
  for (const frame of newest().take()) newest().answers(frame);
  await Promise.all(kept);
  const again = client.request("get_doc", { doc_id: text });
  newest().answers(newest().take()[0]!);
  await again;
  const { client: wide } = setUp();
  // Two bytes a character: 600,000 of them are too many, 500,000 are not.
  const large = wide.request("get_doc", { doc_id: "é".repeat(600_000) });
  await expect(large).rejects.toMatchObject({ reason: "too_large" });
  void wide.request("get_doc", { doc_id: "é".repeat(500_000) }).catch(() => {});
  wide.close();
});

test("closing rejects what waits", async () => {
  const { client, newest } = setUp();
  newest().open();
  const answer = client.request("get_doc", { doc_id: "a" });
  const publish = client.publish("feed.posted", { when: "now" });
  client.close();
  await expect(answer).rejects.toMatchObject({ reason: "closed" });
  await expect(publish).rejects.toMatchObject({ reason: "closed" });
});

test("subscriptions come back also where the queue of requests is full", async () => {
  const { client, clock, newest } = setUp({ queueSize: 100, timeoutMs: 0 });
  newest().open();
  const a = client.subscribe("doc:a", { since: { epoch: "e", seq: 1 } });
  newest().answers(newest().take()[0]!, { status: "subscribed", epoch: "e", seq: 1, recovered: true });
  newest().ends(1006);
  await expect(client.request("get_doc", { doc_id: "x".repeat(200) })).rejects.toMatchObject({
    reason: "full",
  });
  // Shares channels with the other: both begin anew.
  const all = client.subscribe("doc:*", { since: { epoch: "e", seq: 1 } });
  clock.advance(0);
  newest().open();
  for (const frame of newest().take()) {
    newest().answers(frame, { status: "subscribed", epoch: "e", seq: 1, recovered: true });
  }
  expect([a.isLive, all.isLive]).toEqual([true, true]);
  client.close();
});

test("subscriptions that share channels keep their order where the rate limit refuses one of them", () => {
  const { client, clock, newest } = setUp();
  client.subscribe("doc:*", { since: { epoch: "e", seq: 1 } });
  client.subscribe("doc:a", { since: { epoch: "e", seq: 5 } });
  newest().open();
  const [direct, wild] = newest().take();
  // From where the wildcard is, which hears of it meanwhile.
  expect([direct!["data"].channel, direct!["data"].since.seq, wild!["data"].channel]).toEqual([
    "doc:a",
    1,
    "doc:*",
  ]);
  newest().refuses(direct!, "RATE_LIMIT_EXCEEDED", "Message rate limit exceeded. Retry after 0.250 seconds.");
  newest().answers(wild!, { status: "subscribed", epoch: "e", seq: 9, recovered: true });
  clock.advance(2_000);
  const told: string[] = [];
  for (let sent = newest().take(); sent.length > 0; sent = newest().take()) {
    for (const frame of sent) {
      told.push(`${frame["event"]} ${frame["data"].channel}`);
      newest().answers(frame, { status: "ok", epoch: "e", seq: 9, recovered: true });
    }
  }
  expect(told).toEqual(["unsubscribe doc:*", "subscribe doc:a", "subscribe doc:*"]);
  client.close();
});

test("a wait longer than timers can be is as long as they can be", async () => {
  vi.useFakeTimers();
  try {
    const { client, newest } = setUp({ clock: wakefulClock, timeoutMs: Infinity });
    newest().open();
    const answer = client.request("get_doc", { doc_id: "a" });
    await vi.advanceTimersByTimeAsync(5_000);
    newest().answers(newest().take().find(({ event }) => event === "get_doc")!, { n: 1 });
    expect(await answer).toEqual({ n: 1 });
    client.close();
  } finally {
    vi.useRealTimers();
  }
});
