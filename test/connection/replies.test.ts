import { describe, expect, test } from "vitest";
import { createBench } from "../support/connection-bench.ts";

const A = "6f9619ff-8b86-4011-b42d-00cf4fc964ff";
const B = "7d444840-9dc0-41d1-b245-5ffdce74fad2";

describe("Connection.reply", () => {
  test.each<[string, object, string | null, string | null]>([
    ["only id", { id: "i" }, "i", null],
    ["only correlation_id", { correlation_id: "c" }, "c", "c"],
    ["both, equal", { id: "x", correlation_id: "x" }, "x", "x"],
    ["both, two UUIDs", { id: A, correlation_id: B }, A, B],
    ["both, one a UUID", { id: A, correlation_id: "c" }, "c", "c"],
    ["neither", {}, null, null],
  ])("a reply to a frame with %s names it as the mode says", async (_, ids, compatible, strict) => {
    for (const [correlation, expected] of [["compatible", compatible], ["strict", strict]] as const) {
      const bench = createBench({ settings: { correlation } });
      const client = bench.connect();
      const frames = await bench.ask(
        client,
        { ...ids, type: "request", event: "get_doc", data: { doc_id: "a" } },
        { ...ids, type: "event", event: "subscribe", data: { channel: "doc:a" } },
        { ...ids, type: "ping" },
        { ...ids, type: "request", event: "nothing" },
      );
      expect(frames.map(({ type }) => type).sort()).toEqual(["ack", "error", "pong", "response"]);
      for (const frame of frames) expect(frame.correlation_id).toBe(expected);
    }
  });

  test("ping is answered by pong, and a ping request by a response, with empty data and the trace", async () => {
    const bench = createBench();
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const frames = await bench.ask(
      bench.connect(),
      { type: "ping", traceparent },
      { type: "request", event: "ping", traceparent },
    );
    expect(frames).toMatchObject([
      { type: "pong", event: "ping", data: {}, traceparent },
      { type: "response", event: "ping", data: {}, traceparent },
    ]);
  });

  test("a query is answered by a response as a request and as an event, and says not_found itself", async () => {
    const bench = createBench();
    bench.state.docs.set("a", 1);
    for (const type of ["request", "event"]) {
      const frames = await bench.ask(
        bench.connect(),
        { type, event: "get_doc", data: { doc_id: "a" } },
        { type, event: "get_doc", data: { doc_id: "b" } },
      );
      expect(frames).toMatchObject([
        { type: "response", event: "get_doc", data: { status: "found", n: 1 }, error_code: null, room: null },
        { type: "response", event: "get_doc", data: { status: "not_found" }, status: "not_found" },
      ]);
    }
  });

  test("a query without its field is answered with INVALID_DATA that names the field", async () => {
    const bench = createBench();
    for (const type of ["request", "event"]) {
      const [frame] = await bench.ask(bench.connect(), { type, event: "get_doc", data: {}, id: "q" });
      expect(frame).toMatchObject({
        type: "error",
        event: "get_doc",
        error_code: "INVALID_DATA",
        correlation_id: "q",
      });
      expect(frame!.error_message).toContain("doc_id: expected");
    }
  });

  test("an unknown request and an unknown event are answered, null included", async () => {
    const bench = createBench();
    const frames = await bench.ask(
      bench.connect(),
      { type: "request", event: "nothing" },
      { type: "request" },
      { type: "event", event: "hello" },
      { type: "event" },
    );
    expect(frames.map(({ error_code, error_message }) => [error_code, error_message]).sort()).toEqual([
      ["UNKNOWN_REQUEST", "Unknown event: None"],
      ["UNKNOWN_REQUEST", "Unknown event: hello"],
      ["UNKNOWN_REQUEST", "Unknown request event: None"],
      ["UNKNOWN_REQUEST", "Unknown request event: nothing"],
    ]);
  });

  test("names that every object has are no requests, events or channels", async () => {
    const bench = createBench();
    const client = bench.connect();
    for (const name of ["constructor", "__proto__", "toString", "hasOwnProperty"]) {
      const frames = await bench.ask(
        client,
        { type: "request", event: name },
        { type: "event", event: name },
        { type: "subscribe", data: { channel: `${name}:a` } },
        { type: "request", event: "publish", data: { event: name, data: {} } },
      );
      expect(frames.map(({ error_code }) => error_code).sort())
        .toEqual(["INVALID_CHANNEL", "INVALID_DATA", "UNKNOWN_REQUEST", "UNKNOWN_REQUEST"]);
    }
  });

  test("status and message of the data are repeated at the top level", async () => {
    const bench = createBench();
    const [frame] = await bench.ask(bench.connect(), { type: "subscribe", data: { channel: "doc:a" } });
    expect(frame!.status).toBe("subscribed");
    expect(Object.keys(frame!).slice(0, 9)).toEqual([
      "id",
      "correlation_id",
      "type",
      "event",
      "data",
      "timestamp",
      "room",
      "error_code",
      "error_message",
    ]);
  });

  test("frames that are answers themselves are not answered", async () => {
    const bench = createBench();
    const frames = ["response", "ack", "pong", "error"].map((type) => ({
      type,
      event: "subscribe",
      data: {},
    }));
    expect(await bench.ask(bench.connect(), ...frames)).toEqual([]);
  });

  test("a reply over 1 MiB becomes MESSAGE_TOO_LARGE that names its HTTP address", async () => {
    const bench = createBench();
    const client = bench.connect();
    const [fits] = await bench.ask(client, { type: "request", event: "big", data: { size: 1_000_000 } });
    expect(fits!.type).toBe("response");
    const [frame] = await bench.ask(client, {
      type: "request",
      event: "big",
      data: { size: 1_048_576 },
      id: "q",
    });
    expect(frame).toMatchObject({ type: "error", error_code: "MESSAGE_TOO_LARGE", correlation_id: "q" });
    expect(frame!.error_message).toContain("/api/requests/big");
    expect(client.close).toBeNull();
  });

  test("what a client sent to tell its requests apart is left out where it does not fit", async () => {
    const bench = createBench();
    const huge = "x".repeat(1_048_400);
    const client = bench.connect();
    for (
      const frame of [
        { type: "request", event: huge },
        { type: "event", event: huge },
        { type: "request", event: "get_doc", data: { doc_id: "a" }, id: huge },
        { type: "ping", correlation_id: huge },
      ]
    ) {
      const [answer, ...more] = await bench.ask(client, frame);
      expect(more).toEqual([]);
      expect(answer!.error_code).toBe("MESSAGE_TOO_LARGE");
      expect(JSON.stringify(answer).length).toBeLessThan(4_000);
    }
  });

  test("an answer that is no JSON is a fault of the server, answered once", async () => {
    const bench = createBench();
    const frames = await bench.ask(bench.connect(), { type: "request", event: "cyclic", id: "q" });
    expect(frames).toMatchObject([{ error_code: "SERVER_ERROR", correlation_id: "q" }]);
  });

  test("what cannot be decoded is answered with its id where that can be read", async () => {
    const bench = createBench();
    const client = bench.connect();
    const frames = await bench.ask(client, "{", { type: "x", id: "q" }, new Uint8Array([255]), "[]");
    expect(
      frames.map(({ type, event, error_code, correlation_id }) => [type, event, error_code, correlation_id]),
    )
      .toEqual([null, "q", null, null].map((id) => ["error", null, "DECODE_ERROR", id]));
    const [pong] = await bench.ask(client, new TextEncoder().encode('{"type":"ping"}'));
    expect(pong!.type).toBe("pong");
  });
});
