import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import type { sessionBuddy } from "../../services/session-buddy/contract.ts";
import { SessionBuddyWebSocketServer } from "../../services/session-buddy/mod.ts";
import { createClient, type WebSocketClass } from "../../src/client/mod.ts";
import { type RunningService, startService } from "../suite/running-service.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { scriptedSockets, type Sent } from "./scripted-socket.ts";

const RATE = 50;
let service: RunningService;
beforeAll(async () => {
  service = await startService({ name: "session-buddy", Server: SessionBuddyWebSocketServer }, {
    websocket: { message_rate_limit: RATE },
    limits: { abuse_seconds: 1 },
  });
}, 60_000);
afterAll(() => service.stop());

test(
  "a client that has more to say than the rate allows is slowed down, and not shown the door",
  async () => {
    const states: string[] = [];
    const client = createClient<typeof sessionBuddy>({
      url: service.url,
      WebSocket: WebSocket as unknown as WebSocketClass,
      onState: (state) => states.push(state),
    });
    try {
      await client.request("start_session", { session_id: "s1", project: "many" });
      // More than a burst, and than another second's worth.
      const asked = Array.from({ length: 4 * RATE }, (_, n) => {
        return client.request("update_session", { session_id: "s1", context: { [`n${n}`]: n } });
      });
      const versions = (await Promise.all(asked)).map(({ version }) => version);
      expect([...versions].sort((a, b) => a - b)).toEqual(versions.map((_, n) => n + 2));
      expect(states).toEqual(["open"]);
    } finally {
      client.close();
    }
  },
  60_000,
);

test("requests that the rate limit refuses are said again in their order", () => {
  const clock = new FakeClock();
  const { WebSocket, newest } = scriptedSockets();
  const client = createClient({ url: "ws://127.0.0.1", WebSocket, clock, timeoutMs: 0 });
  newest().open();
  for (const n of [1, 2, 3]) void client.request("ask", { n });
  const [first, ...others] = newest().take();
  const refuse = (frame: Sent) =>
    newest().refuses(frame, "RATE_LIMIT_EXCEEDED", "Message rate limit exceeded. Retry after 0.250 seconds.");
  refuse(first!);
  void client.request("ask", { n: 4 });
  others.forEach(refuse);
  expect(newest().take()).toEqual([]);
  clock.advance(1_500);
  expect(newest().take().map(({ data }) => data.n)).toEqual([1, 2, 3, 4]);
});
