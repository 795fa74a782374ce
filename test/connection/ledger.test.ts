import { describe, expect, test } from "vitest";
import { type Bench, createBench } from "../support/connection-bench.ts";

const join = (channel: string, more: object = {}) => ({ type: "subscribe", data: { channel, ...more } });

function figures(bench: Bench, index = 0) {
  const connection = [...bench.connections.values()][index]!;
  return connection.ledger.figures(connection.outboundBytes);
}

describe("DeliveryLedger", () => {
  test("counts what was sent: events, those of the past, and the bytes of every frame", async () => {
    const bench = createBench();
    for (let n = 0; n < 3; n++) bench.change("a", n);
    const client = bench.connect();
    await bench.ask(client, join("doc:a", { last: 2 }));
    bench.change("a", 3);
    await bench.settle();
    const bytes = client.socket.writes.flat().reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    expect(figures(bench)).toMatchObject({ events_sent: 1, events_replayed: 2, bytes_sent: bytes });
  });

  test("counts what the client's filter kept from it, and what it relayed itself", async () => {
    const bench = createBench();
    const client = bench.connect();
    await bench.ask(client, join("doc:a", { events: ["doc.noted"] }), join("cursor:a"));
    bench.change("a", 1);
    bench.publish("doc.noted", { doc_id: "a", n: 2 });
    bench.change("b", 3);
    await bench.ask(client, { type: "event", event: "cursor.moved", data: { doc_id: "a", n: 1 } });
    expect(figures(bench)).toMatchObject({ events_sent: 1, dropped: { filter: 1, own: 1 } });
  });

  test("counts gaps", async () => {
    const bench = createBench({ retention: { events: 40 } });
    for (let n = 0; n < 60; n++) bench.change("a", n);
    await bench.settle();
    const [gapped, fine] = [bench.connect(), bench.connect()];
    await bench.ask(gapped, join("doc:a", { since: { epoch: "e1", seq: 1 } }));
    await bench.ask(fine, join("doc:a", { since: { epoch: "e1", seq: 59 } }));
    expect([figures(bench, 0).gaps, figures(bench, 1).gaps]).toEqual([1, 0]);
    expect(figures(bench, 1)).toMatchObject({ events_replayed: 1 });
  });

  test("tells what waits for the reader, and the most that ever did", async () => {
    const bench = createBench();
    const client = bench.connect();
    await bench.ask(client, join("global"));
    client.stall();
    for (let n = 0; n < 3; n++) {
      bench.publish("system.announcement", { message: "x".repeat(50_000) });
      bench.clock.tick();
    }
    const waited = client.unread;
    expect(waited).toBeGreaterThan(150_000);
    expect(figures(bench)).toMatchObject({ queue_bytes: waited, highest_queue_bytes: waited });
    client.flow();
    expect(figures(bench)).toMatchObject({ queue_bytes: 0, highest_queue_bytes: waited });
  });

  test("counts what still waited when the connection ended, answers not included", async () => {
    const bench = createBench({ settings: { outboundQueueBytes: 120_000 } });
    const client = bench.connect();
    await bench.ask(client, join("global"), join("doc:a"));
    const { ledger } = [...bench.connections.values()][0]!;
    client.stall();
    for (let n = 0; n < 3; n++) {
      bench.publish("system.announcement", { message: "x".repeat(50_000) });
      bench.clock.tick();
    }
    bench.change("a", 1);
    client.request("get_doc", { doc_id: "a" });
    await bench.settle();
    expect(client.close).toMatchObject({ code: 4000 });
    expect(ledger).toMatchObject({ events: 3, ended: 1 });
  });

  test("counts each event that is let go by an answer at which the connection ends", async () => {
    const bench = createBench({ settings: { outboundQueueBytes: 120_000 } });
    const client = bench.connect();
    await bench.ask(client, join("global"), join("doc:a"));
    const { ledger } = [...bench.connections.values()][0]!;
    const id = "s".repeat(1_000);
    await bench.ask(client, { type: "request", event: "set_and_wait", data: { doc_id: "a", n: 1 }, id });
    for (const size of [130_300, 130_300, 10]) {
      bench.publish("system.announcement", { message: "x".repeat(size) });
    }
    client.stall();
    for (const id of ["one", "two"]) {
      await bench.ask(client, { type: "request", event: "big", data: { size: 70_000 }, id });
    }
    expect([client.unread > 120_000, client.close]).toEqual([true, null]);
    bench.state.gates[0]!();
    await bench.settle();
    expect(client.close).toMatchObject({ code: 4000 });
    expect(ledger).toMatchObject({ events: 0, ended: 4 });
  });

  test("of a request that never was answered counts the events that waited for it", async () => {
    const bench = createBench();
    const client = bench.connect();
    await bench.ask(client, join("doc:a"));
    const { ledger } = [...bench.connections.values()][0]!;
    await bench.ask(client, {
      type: "request",
      event: "set_and_wait",
      data: { doc_id: "a", n: 1 },
      id: "slow",
    });
    client.hangUp();
    expect(ledger).toMatchObject({ events: 0, ended: 1 });
  });
});
