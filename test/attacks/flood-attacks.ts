/**
 * Much of what is allowed, from one address or by one user: it is bounded, and is theirs alone to suffer from.
 *
 * @module
 */
import { describe, expect, it, vi } from "vitest";
import { type Answer, Attacker, each } from "./attacker.ts";
import { Peer } from "./peer.ts";
import { AUTH_DEADLINE_MS, CONNECTIONS_PER_ADDRESS, type Service, type Target } from "./target.ts";

const AT_ONCE = 32;
/** What a service has by default. */
const CHANNELS = 128;
const MCP_SESSIONS = 256;

/** How often each status came. */
function counted(answers: readonly (Answer | null)[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const answer of answers) {
    const key = answer === null ? "cut" : String(answer.status);
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

/** Ask until it is refused for the rate. A slow machine takes longer to get there. */
async function untilRefused(ask: () => Promise<Answer>): Promise<Record<string, number>> {
  const answers: (Answer | null)[] = [];
  for (let batch = 0; batch < 20 && !answers.some((answer) => answer?.status === 429); batch++) {
    await each(Array.from({ length: 1_000 }), AT_ONCE, async () => {
      // Above the number of TCP connections of an address one is cut without a word.
      answers.push(await ask().catch(() => null));
    });
  }
  return counted(answers);
}

export function floodAttacks(target: () => Target): void {
  describe("floods", () => {
    const buddy = () => target().service("session-buddy");
    const reader = async (address: string, user: string) =>
      new Attacker(address, await target().token(user, ["session-buddy:read"]));

    // These three wait for ends, and may do so together.
    it.concurrent("of connections from one address: so many are taken, and those without a token lose their place", async () => {
      const attacker = new Attacker("127.0.70.1");
      const peers: Peer[] = [];
      const start = performance.now();
      await each(Array.from({ length: 500 }), AT_ONCE, async () => {
        peers.push(await Peer.upgraded(buddy().websocket, attacker.address));
      });
      const deadlines = 1 + (performance.now() - start) / AUTH_DEADLINE_MS;
      const upgraded = peers.filter(({ text }) => text.startsWith("HTTP/1.1 101"));
      await Promise.all(upgraded.map((peer) => peer.closing()));
      for (const peer of peers) peer.destroy();
      const codes = upgraded.map(({ closeCode }) => closeCode);
      const taken = codes.filter((code) => code === 1008).length;
      expect(taken).toBeGreaterThan(0);
      // Where a deadline has passed meanwhile, others have taken the place.
      expect(taken).toBeLessThanOrEqual(deadlines * CONNECTIONS_PER_ADDRESS);
      expect(codes.filter((code) => code !== 1008 && code !== 1013)).toEqual([]);
      expect(codes.filter((code) => code === 1013).length).toBeGreaterThan(100);
    });

    it.concurrent("of frames on one connection: they are refused, and end it", async () => {
      const client = await (await reader("127.0.70.2", "flooder")).connect(buddy().websocket);
      let over = false;
      void client.closed.then(() => over = true);
      while (!over) {
        if (client.ws.bufferedAmount < 65_536) {
          for (let n = 0; n < 100; n++) client.send({ type: "ping" });
        }
        // Frames would fill this process's memory, not the server's.
        client.frames.length = 0;
        await new Promise((resolve) => setImmediate(resolve));
      }
      // Who is too busy to read what it is refused may be ended for that before.
      expect([4500, 4000, 1006]).toContain((await client.closed).code);
    });

    it.concurrent("of large answers that nobody reads: the connections end", async () => {
      const writer = new Attacker("127.0.70.6", await target().token("writer", ["session-buddy:write"]));
      const context = { text: "x".repeat(200_000) };
      await writer.ask(buddy(), "start_session", { session_id: "large", project: "flood", context });
      const clients = await Promise.all(
        Array.from(
          { length: 10 },
          async () => (await reader("127.0.70.6", "stalled")).connect(buddy().websocket),
        ),
      );
      const channel = "session:large";
      for (const client of clients) {
        await client.request("subscribe", { channel });
        client.ws.pause();
        for (let n = 0; n < 140; n++) {
          client.send({ type: "request", id: `${n}`, event: "get_session", data: { session_id: "large" } });
        }
      }
      // They notice nothing of it, as they do not read: the server is asked.
      const watcher = await reader("127.0.70.7", "watcher");
      const present = async () => (await watcher.ask(buddy(), "get_presence", { channel })).body.count;
      await vi.waitFor(async () => expect(await present()).toBe(0), { timeout: 60_000, interval: 100 });
      for (const client of clients) client.ws.terminate();
    });

    it("of subscriptions on one connection: so many are taken", async () => {
      const client = await (await reader("127.0.70.3", "subscriber")).connect(buddy().websocket);
      const codes: unknown[] = [];
      for (let n = 0; n < CHANNELS + 20; n++) {
        codes.push((await client.request("subscribe", { channel: `session:${n}` })).error_code);
      }
      expect(codes.slice(0, CHANNELS)).toEqual(new Array(CHANNELS).fill(null));
      expect(new Set(codes.slice(CHANNELS))).toEqual(new Set(["TOO_MANY_CHANNELS"]));
      await client.close();
    });

    it("of requests: those of one user, of one address and of guessed tokens are held to a rate", async () => {
      const user = await reader("127.0.70.4", "asker");
      const ofUser = await untilRefused(() => user.http(`${buddy().http}/api/status`));
      expect(ofUser["200"]).toBeGreaterThan(0);
      expect(ofUser["429"]).toBeGreaterThan(0);
      const guesser = new Attacker("127.0.70.5", "a.b.c");
      const ofGuesser = await untilRefused(() => guesser.http(`${buddy().http}/api/status`));
      expect(ofGuesser["429"]).toBeGreaterThan(0);
      for (const counts of [ofUser, ofGuesser]) {
        expect(Object.keys(counts).filter((status) => !/^(200|401|429|503|cut)$/.test(status))).toEqual([]);
      }
      // The same user from elsewhere is the same; another is not.
      const other = await reader("127.0.70.4", "somebody else");
      expect((await other.http(`${buddy().http}/api/status`)).status).toBe(200);
    });

    it("of MCP sessions and streams: so many are kept, and others keep theirs", async () => {
      const other = await reader("127.0.70.8", "agent");
      const session = await openSession(other, buddy());
      const streams: Peer[] = [];
      const statuses: number[] = [];
      for (let n = 0; n < MCP_SESSIONS + 100; n++) {
        // By several addresses, so that none of them has too many TCP connections.
        const user = await reader(`127.0.71.${n % 4 + 1}`, "hoarder");
        const { status, id } = await tryToOpenSession(user, buddy());
        statuses.push(status);
        if (id === null) continue;
        const peer = await Peer.open(buddy().http, user.address);
        peer.send(
          `GET /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${user.token}\r\n` +
            `Accept: text/event-stream\r\nMcp-Session-Id: ${id}\r\n\r\n`,
        );
        await peer.has("\r\n\r\n");
        streams.push(peer);
      }
      expect(statuses.filter((status) => ![200, 429, 503].includes(status))).toEqual([]);
      const held = streams.filter(({ over, text }) => !over && text.startsWith("HTTP/1.1 200")).length;
      expect(held).toBeLessThanOrEqual(MCP_SESSIONS);
      expect(await useSession(other, buddy(), session)).toBe(200);
      // Nor are newcomers turned away.
      const newcomer = await reader("127.0.70.9", "newcomer");
      expect(await useSession(newcomer, buddy(), await openSession(newcomer, buddy()))).toBe(200);
      for (const peer of streams) peer.destroy();
    }, 120_000);
  });
}

const INITIALIZE = {
  protocolVersion: "2025-06-18",
  capabilities: {},
  clientInfo: { name: "attacker", version: "0" },
};

async function tryToOpenSession(
  attacker: Attacker,
  service: Service,
): Promise<{ status: number; id: string | null }> {
  const { status, headers } = await attacker.rpc(service, "initialize", INITIALIZE);
  const id = headers["mcp-session-id"];
  return { status, id: typeof id === "string" ? id : null };
}

async function openSession(attacker: Attacker, service: Service): Promise<string> {
  const { status, id } = await tryToOpenSession(attacker, service);
  expect(status).toBe(200);
  return id!;
}

async function useSession(attacker: Attacker, service: Service, session: string): Promise<number> {
  const body = { jsonrpc: "2.0", id: 2, method: "tools/list" };
  const headers = { accept: "application/json, text/event-stream", "mcp-session-id": session };
  return (await attacker.http(`${service.http}/mcp`, { method: "POST", body, headers })).status;
}
