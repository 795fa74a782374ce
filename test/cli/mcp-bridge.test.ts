/**
 * The bridge between an MCP client and a service, against a real endpoint that is restarted and loses answers.
 */
import { afterEach, describe, expect, it } from "vitest";
import { FakeClock } from "../support/fake-clock.ts";
import { BridgeBench, HELLO } from "./bridge-bench.ts";

const POLL = { timeout: 30_000, interval: 5 };
const URI = "notes://note/1";
const UUID = "5e8f4a3c-1b1d-4a54-9d3c-0f3f1a2b3c4d";

const benches: BridgeBench[] = [];
afterEach(async () => {
  await Promise.all(benches.splice(0).map(({ bridge }) => bridge.close()));
});

async function open(): Promise<BridgeBench> {
  const bench = new BridgeBench();
  benches.push(bench);
  await bench.initialize();
  return bench;
}

const methods = ({ asked }: BridgeBench) => asked.map(({ http, rpc }) => rpc ?? http);

describe("Bridge", { timeout: 60_000 }, () => {
  it("hands on what the client and the service say, under the client's ids", async () => {
    const bench = await open();
    expect(bench.answerTo("hello")!.result).toMatchObject({ serverInfo: { name: "notes" } });
    expect((await bench.request(1, "tools/list")).result.tools).toHaveLength(5);
    expect((await bench.call("1", "change")).result.content).toEqual([{ type: "text", text: "changed" }]);
    expect((await bench.request(2, "nonsense")).error).toMatchObject({ code: -32601 });
    expect((await bench.call(3, "no_such_tool")).error).toMatchObject({ code: -32602 });
  });

  it("answers by itself what comes before initialize, a second initialize and an id that is in use", async () => {
    const bench = new BridgeBench();
    benches.push(bench);
    expect(await bench.request(1, "ping")).toEqual({ jsonrpc: "2.0", id: 1, result: {} });
    expect((await bench.request(2, "tools/list")).error.message).toBe("Expected initialize first");
    await bench.send({ method: "notifications/initialized" });
    expect(bench.asked).toEqual([]);
    await bench.initialize();
    expect((await bench.request(3, "initialize", HELLO)).error.message).toBe("Initialized already");
    await bench.send({ id: 4, method: "tools/call", params: { name: "wait", arguments: {} } });
    await bench.send({ id: 4, method: "ping" });
    expect(bench.answerTo(4)!.error.message).toBe("The id is in use");
    await expect.poll(() => bench.waiting, POLL).toBe(1);
    bench.release();
    await bench.bridge.idle();
  });

  it("names the version that was agreed on, and its session, in all that follows", async () => {
    const bench = await open();
    await bench.request(1, "ping");
    const [hello, ...rest] = bench.asked;
    expect(hello!.headers).not.toHaveProperty("Mcp-Session-Id");
    for (const { headers } of rest) {
      expect(headers).toMatchObject({
        "MCP-Protocol-Version": "2025-06-18",
        "Mcp-Session-Id": expect.any(String),
      });
    }
  });

  it("makes a session anew that the service has forgotten, with all that the client had set up in it", async () => {
    const bench = await open();
    await bench.request(1, "resources/list");
    await bench.request(2, "resources/subscribe", { uri: URI });
    await bench.request(3, "resources/subscribe", { uri: "notes://note/2" });
    await bench.request(4, "resources/unsubscribe", { uri: "notes://note/2" });
    await bench.request(5, "logging/setLevel", { level: "warning" });
    bench.asked.splice(0);
    await bench.restart();
    expect((await bench.call(6, "change")).result.content[0].text).toBe("changed");
    await expect.poll(() => bench.told("notifications/resources/updated"), POLL).toMatchObject([
      { params: { uri: URI } },
    ]);
    expect(bench.told("notifications/resources/list_changed")).toHaveLength(1);
    expect(methods(bench).filter((name) => name !== "GET" && name !== "tools/call")).toEqual([
      "initialize",
      "notifications/initialized",
      "logging/setLevel",
      "resources/list",
      "resources/subscribe",
    ]);
    expect(bench.said.filter(({ id }) => id === "hello")).toHaveLength(1);
    // It was done once, though it may have been sent twice.
    expect(bench.done).toEqual(["change"]);

    await expect.poll(() => methods(bench).at(-1) === "GET" || methods(bench).includes("GET"), POLL).toBe(
      true,
    );
    expect(bench.watchers).toBe(1);
    bench.update();
    await expect.poll(() => bench.told("notifications/resources/updated").length, POLL).toBe(2);
  });

  it("notices by its stream alone that the service is another, and tells the client to read again", async () => {
    const bench = await open();
    await bench.request(1, "resources/subscribe", { uri: URI });
    await expect.poll(() => methods(bench).includes("GET"), POLL).toBe(true);
    await bench.restart();
    await expect.poll(() => bench.told("notifications/resources/updated").length, POLL).toBe(1);
    expect(bench.watchers).toBe(1);
  });

  it("says of a call that changes something, and whose answer is lost, that nobody knows what became of it", async () => {
    const bench = await open();
    bench.losing.add("change");
    const { result } = await bench.call(1, "change");
    expect(result).toMatchObject({ isError: true, _meta: { error_code: "NOT_AVAILABLE", retryable: true } });
    expect(result.content[0].text).toMatch(/^NOT_AVAILABLE: .* it may have been done or not\. .* try again$/);
    expect(bench.done).toEqual(["change"]);
    // Only this answer was lost, not the session.
    expect(methods(bench).filter((name) => name === "initialize")).toHaveLength(1);
    expect((await bench.call(2, "change")).result.content[0].text).toBe("changed");
  });

  it("sends again what changes nothing, or is done once by its key", async () => {
    const bench = await open();
    bench.losing.add("look");
    expect((await bench.call(1, "look")).result.content[0].text).toBe("looked");
    bench.losing.add("tools/list");
    expect((await bench.request(2, "tools/list")).result.tools).toHaveLength(5);
    bench.losing.add("resources/read");
    expect((await bench.request(3, "resources/read", { uri: URI })).result.contents).toHaveLength(1);
    bench.losing.add("ping");
    expect((await bench.request(4, "ping")).result).toEqual({});
    expect(bench.done).toEqual(["look", "look"]);
    expect(bench.losing.size).toBe(0);
    bench.losing.add("change");
    expect((await bench.call(5, "change", { idempotency_key: UUID })).result.content[0].text).toBe("changed");
    bench.losing.add("change");
    expect((await bench.call(6, "change", { idempotency_key: "mine" })).result.isError).toBe(true);
  });

  it("sends a wait for an event again only where it says since when", async () => {
    const bench = await open();
    bench.losing.add("wait_for_event");
    expect((await bench.call(1, "wait_for_event", { since: "a:1" })).result.content[0].text).toBe("came");
    bench.losing.add("wait_for_event");
    expect((await bench.call(2, "wait_for_event")).result.isError).toBe(true);
  });

  it("repeats a call that was under way when the service went, with progress that only grows", async () => {
    const bench = await open();
    const params = { name: "wait", arguments: {}, _meta: { progressToken: "p" } };
    await bench.send({ id: 1, method: "tools/call", params });
    await expect.poll(() => bench.told("notifications/progress").length, POLL).toBe(1);
    await bench.restart();
    await expect.poll(() => bench.done.filter((name) => name === "wait").length, POLL).toBe(2);
    bench.release();
    await bench.bridge.idle();
    expect(bench.answerTo(1)!.result.content[0].text).toBe("waited");
    expect(bench.told("notifications/progress").map(({ params }) => params.progress)).toEqual([1, 2]);
  });

  it("cancels at the service what the client cancels, and answers it no more", async () => {
    const bench = await open();
    await bench.send({ id: 1, method: "tools/call", params: { name: "wait", arguments: {} } });
    await bench.send({ method: "notifications/cancelled", params: { requestId: 1 } });
    await expect.poll(() => bench.done, POLL).toEqual(["wait", "cancelled"]);
    await bench.request(2, "ping");
    expect(bench.answerTo(1)).toBeUndefined();
  });

  it("carries requests of the service to the client and its answers back, each under an id of its own", async () => {
    const bench = await open();
    const ids: string[] = [];
    for (const id of [1, 2]) {
      await bench.send({ id, method: "tools/call", params: { name: "ask_client", arguments: {} } });
      await expect.poll(() => bench.told("ping").length, POLL).toBe(id);
      ids.push(bench.told("ping").at(-1)!.id);
      await bench.send({ id: ids.at(-1), result: {} });
      await bench.bridge.idle();
      expect(bench.answerTo(id)!.result.content[0].text).toBe("the client is there");
      await bench.restart();
    }
    expect(new Set(ids).size).toBe(2);
    // An answer to nothing does no harm.
    await bench.send({ id: "never asked", result: {} });
  });

  it("holds requests while the service is looked for, and sends them when it is found", async () => {
    const bench = await open();
    let found: () => void = () => {};
    bench.looking = new Promise((resolve) => found = resolve);
    await bench.stop("nobody serves");
    await bench.send({ id: 1, method: "tools/call", params: { name: "change", arguments: {} } });
    await bench.send({ id: 2, method: "tools/call", params: { name: "look", arguments: {} } });
    await bench.send({ method: "notifications/cancelled", params: { requestId: 2 } });
    expect(bench.answerTo(1)).toBeUndefined();
    await bench.restart();
    bench.away = null;
    found();
    await bench.bridge.idle();
    expect(bench.answerTo(1)!.result.content[0].text).toBe("changed");
    expect(bench.done).toEqual(["change"]);
  });

  it("says why where nobody serves and nobody can, and goes on looking", async () => {
    const bench = await open();
    await bench.stop("Cannot reach notes: something else answers there");
    const { result } = await bench.call(1, "change");
    expect(result.content[0].text).toBe("NOT_AVAILABLE: Cannot reach notes: something else answers there");
    const { error } = await bench.request(2, "tools/list");
    expect(error).toEqual({ code: -32000, message: "Cannot reach notes: something else answers there" });
    await bench.restart();
    bench.away = null;
    await expect.poll(async () => {
      const id = crypto.randomUUID();
      return (await bench.call(id, "look")).result.content[0].text;
    }, POLL).toBe("looked");
  });

  it("ends its session at the service when it is closed, and leaves nothing waiting", async () => {
    const bench = await open();
    await bench.send({ id: 1, method: "tools/call", params: { name: "wait", arguments: {} } });
    await bench.bridge.close();
    await bench.bridge.idle();
    expect(methods(bench).at(-1)).toBe("DELETE");
    expect(bench.answerTo(1)).toBeUndefined();
    // Nothing comes from a session that is over.
    await expect.poll(() => bench.done, POLL).toContain("wait");
  });

  it("answers initialize with what keeps the service away, and takes another one", async () => {
    const clock = new FakeClock();
    const bench = new BridgeBench(clock);
    benches.push(bench);
    bench.away = "Cannot reach notes";
    await bench.send({ id: 1, method: "initialize", params: HELLO });
    expect(bench.answerTo(1)!.error).toEqual({ code: -32000, message: "Cannot reach notes" });
    bench.away = null;
    await bench.send({ id: 2, method: "initialize", params: HELLO });
    expect(bench.answerTo(2)!.result.serverInfo.name).toBe("notes");
  });
});
