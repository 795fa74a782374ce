/**
 * Streams of a session that break and are taken up again, on a real port of each runtime, by plain sockets.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fileURLToPath } from "node:url";
import { hasRuntime, type Program, type RuntimeName, startProgram } from "../support/start-program.ts";
import { type EventStream, openStream, type SentEvent } from "./stream-client.ts";

const RUNTIMES: readonly RuntimeName[] = ["node", "deno", "bun"];
const path = fileURLToPath(new URL("./streams-server.ts", import.meta.url));
const NEW = "2025-11-25";
const OLD = "2025-06-18";

for (const runtime of RUNTIMES) {
  describe.runIf(hasRuntime(runtime))(`streams of /mcp on ${runtime}`, () => {
    let program: Program<{ url: string }>;
    let base: string;

    beforeAll(async () => {
      program = await startProgram(runtime, path);
      base = program.ready.url;
    }, 60_000);
    afterAll(async () => {
      await program?.stop();
      expect(program?.stderr()).not.toMatch(/error|unhandled|uncaught/i);
    });

    const tell = async (route: string) => {
      await (await fetch(`${base}/${route}`, { method: "POST" })).text();
    };
    const publish = async (...channels: string[]) => {
      for (const channel of channels) await tell(`publish/${channel}`);
    };
    const held = async () => await (await fetch(`${base}/held`)).json();

    async function openSession(version = NEW) {
      let requestId = 0;
      const headers: Record<string, string> = {};
      const post = async (method: string, params: unknown = {}) =>
        await openStream(`${base}/mcp`, {
          method: "POST",
          headers,
          body: { jsonrpc: "2.0", id: ++requestId, method, params },
        });
      const ask = async (method: string, params: unknown = {}) => {
        const stream = await post(method, params);
        const answer = (await stream.rest()).at(-1)?.message;
        expect(answer).toMatchObject({ jsonrpc: "2.0", result: {} });
        return answer!;
      };
      const capabilities = { protocolVersion: version, capabilities: {} };
      const opened = await post("initialize", {
        ...capabilities,
        clientInfo: { name: "test", version: "0" },
      });
      headers["mcp-session-id"] = String(opened.headers["mcp-session-id"]);
      headers["mcp-protocol-version"] = version;
      await opened.rest();
      const listen = async (lastEventId?: string) =>
        await openStream(`${base}/mcp`, {
          headers: { ...headers, ...(lastEventId === undefined ? {} : { "last-event-id": lastEventId }) },
        });
      const subscribe = async (...ids: string[]) => {
        for (const id of ids) await ask("resources/subscribe", { uri: `notes://note/${id}` });
      };
      const cancel = async (id: number) => {
        const params = { requestId: id };
        const body = { jsonrpc: "2.0", method: "notifications/cancelled", params };
        await openStream(`${base}/mcp`, { method: "POST", headers, body });
      };
      const end = async () => {
        await (await fetch(`${base}/mcp`, { method: "DELETE", headers })).text();
      };
      return { post, ask, listen, subscribe, cancel, end, lastId: () => requestId };
    }

    /** What an update is of; null for an event that has none. */
    const idOf = ({ message }: SentEvent): string | null => {
      const { method, params } = (message ?? {}) as { method?: string; params?: { uri?: string } };
      return method === "notifications/resources/updated"
        ? params?.uri?.replace("notes://note/", "") ?? null
        : null;
    };
    /** Updates up to the one of the resource with this id. */
    const updatesUntil = async (stream: EventStream, last: string) => {
      const found: { update: string; id: string | null }[] = [];
      while (found.at(-1)?.update !== last) {
        const event = await stream.next();
        if (event === null) throw new Error(`Expected an update of ${last}, got the end of the stream`);
        const update = idOf(event);
        if (update !== null) found.push({ update, id: event.id });
      }
      return found;
    };
    const namesUntil = async (stream: EventStream, last: string) =>
      (await updatesUntil(stream, last)).map(({ update }) => update);

    test("tell a listener that comes back all that it missed, once and in order", async () => {
      const session = await openSession();
      await session.subscribe("a", "b", "c", "d", "end");
      const first = await session.listen();
      const { id, message } = (await first.next())!;
      expect([typeof id, message]).toEqual(["string", null]);
      await publish("note:a");
      const lastId = (await updatesUntil(first, "a")).at(-1)!.id!;
      first.cut();
      await publish("note:b", "note:c", "note:d");
      const second = await session.listen(lastId);
      await publish("note:end");
      expect(await namesUntil(second, "end")).toEqual(["b", "c", "d", "end"]);
      second.cut();
      const again = await session.listen(id!);
      expect(await namesUntil(again, "a")).toEqual(["a"]);
      expect(await namesUntil(again, "end")).toEqual(["b", "c", "d", "end"]);
      await session.end();
    });

    test("let a listener come back before its loss was noticed", async () => {
      const session = await openSession();
      await session.subscribe("a", "b");
      const lost = await session.listen();
      const { id } = (await lost.next())!;
      await publish("note:a");
      const found = await session.listen(id!);
      expect(found.status).toBe(200);
      expect(await namesUntil(found, "a")).toEqual(["a"]);
      await publish("note:b");
      expect(await namesUntil(found, "b")).toEqual(["b"]);
      expect((await lost.rest()).map(idOf)).toEqual(["a"]);
      await session.end();
    });

    test("lose nothing where they break again before a message came", async () => {
      const session = await openSession();
      await session.subscribe("a", "b");
      const first = await session.listen();
      const { id } = (await first.next())!;
      first.cut();
      const second = await session.listen(id!);
      expect(await second.next()).toEqual({ id, message: null });
      second.cut();
      await publish("note:a");
      const third = await session.listen(id!);
      await publish("note:b");
      expect(await namesUntil(third, "b")).toEqual(["a", "b"]);
      await session.end();
    });

    test("tell once of each resource that is subscribed to where too much was missed", async () => {
      const session = await openSession();
      await session.subscribe("a", "b", "end");
      await session.ask("resources/list");
      const first = await session.listen();
      const { id } = (await first.next())!;
      first.cut();
      await publish("note:a");
      await session.ask("tools/call", { name: "echo", arguments: { large: "x".repeat(1_100_000) } });
      const second = await session.listen(id!);
      expect(await second.next()).toEqual({ id, message: null });
      expect((await second.next())?.message).toMatchObject({
        method: "notifications/resources/list_changed",
      });
      expect(await namesUntil(second, "end")).toEqual(["a", "b", "end"]);
      // The look at the list goes on.
      await expect.poll(async () => (await held()).timers).toBe(1);
      await publish("note:end");
      expect(await namesUntil(second, "end")).toEqual(["end"]);
      await session.end();
    });

    test("tell of each resource that is subscribed to where one listens anew that may have missed something", async () => {
      const session = await openSession(OLD);
      await session.subscribe("a", "b", "end");
      const quiet = await session.listen();
      quiet.cut();
      // The server learns of it a little later than the client.
      let second = await session.listen();
      while (second.status === 409) second = await session.listen();
      await publish("note:end");
      expect(await namesUntil(second, "end")).toEqual(["end"]);
      second.cut();
      let third = await session.listen();
      while (third.status === 409) third = await session.listen();
      expect(await namesUntil(third, "end")).toEqual(["a", "b", "end"]);
      await session.end();
    });

    test("tell a first listener of what has happened since it subscribed", async () => {
      const session = await openSession();
      await session.subscribe("a");
      await publish("note:a");
      const stream = await session.listen();
      expect(await namesUntil(stream, "a")).toEqual(["a"]);
      await session.end();
    });

    test("are one of a kind: another listener takes the place of the first, which may be lost without our knowing", async () => {
      const session = await openSession(OLD);
      await session.subscribe("a", "end");
      const stream = await session.listen();
      await publish("note:a");
      expect(await namesUntil(stream, "a")).toEqual(["a"]);
      const next = await session.listen();
      expect(next.status).toBe(200);
      expect(await stream.next()).toBeNull();
      await publish("note:end");
      // What may have been missed between the two is told again.
      expect(await namesUntil(next, "end")).toEqual(["a", "end"]);
      await session.end();
    });

    test("bring the answer to a call whose stream broke before it, or after the client had come back", async () => {
      const session = await openSession();
      for (const when of ["before", "after"]) {
        const call = await session.post("tools/call", { name: "hold" });
        const { id, message } = (await call.next())!;
        expect([typeof id, message]).toEqual(["string", null]);
        call.cut();
        await expect.poll(async () => (await held()).calls).toBe(1);
        if (when === "before") await tell("release");
        const resumed = await session.listen(id!);
        if (when === "after") await tell("release");
        const answers = (await resumed.rest()).filter((event) => event.message !== null);
        expect(answers).toMatchObject([
          { message: { id: session.lastId(), result: { structuredContent: { released: true } } } },
        ]);
        // Nothing is left to be told, which ends a client's coming back.
        expect((await session.listen(answers[0]!.id!)).status).toBe(204);
      }
      await session.end();
    });

    test("bring progress and the answer to a call whose loss was not noticed", async () => {
      const session = await openSession();
      const traceparent = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
      const params = { name: "hold", _meta: { progressToken: "p", traceparent } };
      const lost = await session.post("tools/call", params);
      const { id } = (await lost.next())!;
      expect(await lost.next()).toMatchObject({ message: { method: "notifications/progress" } });
      const found = await session.listen(id!);
      await tell("release");
      const messages = (await found.rest()).flatMap(({ message }) => message ?? []);
      const _meta = { traceparent };
      expect(messages).toMatchObject([{ method: "notifications/progress", params: { _meta } }, {
        result: { _meta },
      }]);
      await session.end();
    });

    test("end with a call that is cancelled, in every version of the protocol", async () => {
      for (const version of [OLD, NEW]) {
        const session = await openSession(version);
        const params = { name: "hold", _meta: { progressToken: "p" } };
        const call = await session.post("tools/call", params);
        const begun = [await call.next()];
        if (version === NEW) begun.push(await call.next());
        expect(begun.at(-1)).toMatchObject({ message: { method: "notifications/progress" } });
        await session.cancel(session.lastId());
        const rest = await call.rest();
        expect(rest).toMatchObject([{ message: { error: { code: -32800, message: "Request cancelled" } } }]);
        expect((await session.listen(rest[0]!.id!)).status).toBe(204);
        await expect.poll(async () => (await held()).calls).toBe(0);
        await session.end();
      }
    });

    test("begin with an id to go on from only where the client's version of the protocol knows of it", async () => {
      const session = await openSession(OLD);
      await session.subscribe("a");
      const stream = await session.listen();
      await publish("note:a");
      const { id, message } = (await stream.next())!;
      expect(message).toMatchObject({ method: "notifications/resources/updated" });
      stream.cut();
      const resumed = await session.listen(id!);
      await expect.poll(async () => (await held()).timers).toBe(0);
      await publish("note:a");
      expect(idOf((await resumed.next())!)).toBe("a");
      const call = await session.post("tools/call", { name: "websocket_status", arguments: {} });
      expect((await call.rest()).map(({ message }) => message !== null)).toEqual([true]);
      await session.end();
    });

    test("are not taken up by ids that nobody has given", async () => {
      const session = await openSession();
      expect((await session.listen("7")).status).toBe(400);
      expect((await session.listen("7@nowhere")).status).toBe(204);
      await session.end();
    });

    test("end with their session, and so does all that it holds", async () => {
      expect(await held()).toEqual({ watching: 0, timers: 0, calls: 0 });
      const session = await openSession();
      await session.subscribe("a", "b", "*");
      await session.ask("resources/subscribe", { uri: "notes://note:a" });
      await Promise.all([session.subscribe("c"), session.subscribe("c")]);
      await session.ask("resources/unsubscribe", { uri: "notes://note/b" });
      await session.ask("resources/list");
      await session.ask("resources/list");
      const stream = await session.listen();
      const call = await session.post("tools/call", { name: "hold" });
      await publish("note:a");
      // Four subscriptions, and three kinds that are looked at for the list.
      await expect.poll(held).toMatchObject({ watching: 7, calls: 1 });
      expect((await held()).timers).toBeGreaterThan(0);
      await session.end();
      await stream.rest();
      await call.rest();
      await expect.poll(held).toEqual({ watching: 0, timers: 0, calls: 0 });
    });
  });
}
