/**
 * The agents of `bench-mcp.ts`, in a process of their own: MCP sessions that wait for an event which does not come, and
 * are subscribed to the channel as a resource where the third argument is `subscribed`. Says `ready`, ends when its
 * standard input does, and says then how many updates the agents were told of.
 *
 * @module
 */
import { once } from "node:events";
import process from "node:process";
import { connectClient, type ConnectedClient } from "../test/mcp/mcp-client.ts";

const [url = "", count = "0", mode = ""] = process.argv.slice(2);
let updates = 0;
let isOver = false;

async function begin(): Promise<ConnectedClient> {
  const connected = await connectClient(url);
  const { client } = connected;
  client.fallbackNotificationHandler = ({ method }) => {
    if (method === "notifications/resources/updated") updates++;
    return Promise.resolve();
  };
  if (mode === "subscribed") await client.subscribeResource({ uri: "bench://feed" });
  const waiting = connected.call("wait_for_event", { channel: "feed", events: ["feed.ended"], timeout: 45 });
  waiting.then(({ content }) => {
    throw new Error(`Expected a call to wait, got ${JSON.stringify(content)}`);
  }).catch((error) => {
    if (!isOver) throw error;
  });
  return connected;
}

const agents = await Promise.all(Array.from({ length: Number(count) }, begin));
console.log("ready");
process.stdin.resume();
await once(process.stdin, "end");
isOver = true;
await Promise.all(agents.map(({ transport }) => transport.terminateSession()));
console.log(updates);
process.exit(0);
