/**
 * What an application does with the client, as a program. Arguments: how it imports the client, what it is to do, and
 * the address of a service. It tells what it sees, a line of JSON each, and is to end by itself.
 *
 * @module
 */
import process from "node:process";
import type { sessionBuddy } from "../../services/session-buddy/contract.ts";
import type * as clientModule from "../../src/client/mod.ts";

const [specifier, part, url] = process.argv.slice(2) as [string, string, string];
const { createClient } = await import(specifier) as typeof clientModule;

const say = (what: object) => console.log(JSON.stringify(what));

/** Follow the sessions until one is closed; ask and publish on the way. */
async function talk(): Promise<void> {
  const client = createClient<typeof sessionBuddy>({
    url,
    minDelayMs: 20,
    maxDelayMs: 200,
    timeoutMs: 0,
    onState: (state, error) => {
      say({ state, error });
      if (state !== "connecting") return;
      // There is no server now; the next one is to answer, once.
      void client.request("update_session", { session_id: "s1", context: { asked: "while away" } })
        .then(({ version }) => say({ answered: "update_session", version }));
    },
    onError(error) {
      // It is told of a server that is away, too.
      if ((error as { reason?: string }).reason !== "unreachable") say({ fault: String(error) });
    },
  });
  const sessions = client.subscribe("session:*");
  const everywhere = client.subscribe("global", { events: ["system.announcement"] });
  await Promise.all([sessions.ready, everywhere.ready]);
  await client.request("start_session", { session_id: "s1", project: "runtimes" });
  const hearing = (async () => {
    for await (const item of everywhere) say({ announced: item.type === "event" && item.data.message });
    say({ over: "global" });
  })();
  await client.publish("system.announcement", { message: "hello" });
  say({ published: true });
  for await (const item of sessions) {
    say({ item });
    if (item.type === "event" && item.event === "session.closed") break;
  }
  client.close();
  await hearing;
}

/** Wait for a server as long as it takes. */
function wait(): void {
  let tries = 0;
  const client = createClient({
    url,
    minDelayMs: 20,
    maxDelayMs: 200,
    token: () => (say({ try: ++tries }), null),
    onState: (state) => {
      say({ state });
      if (state === "open") client.close();
    },
  });
}

/** Give up while the next try is hours away. */
function giveUp(): void {
  let tries = 0;
  const client = createClient({
    url,
    minDelayMs: 3_600_000,
    maxDelayMs: 36_000_000,
    onState: (state) => say({ state }),
    random: () => {
      if (++tries < 3) return 0;
      queueMicrotask(() => client.close());
      return 0.99;
    },
  });
  const never = client.request("get_session", { session_id: "s1" });
  void never.catch((error) => say({ refused: error.reason }));
}

/** Leave when the server does not answer any more. */
function leave(): void {
  const client = createClient({
    url,
    silenceMs: 50,
    answerMs: 1_000,
    onState: (state) => {
      say({ state });
      if (state === "connecting") client.close();
    },
  });
}

const parts: Record<string, () => unknown> = { talk, wait, giveUp, leave };
say({ part });
await parts[part]!();
