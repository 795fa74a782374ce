/**
 * Listens to a server until something has happened, and tells what was heard: `hostile-program.ts URL WHAT`. WHAT is an
 * error's reason, or `connecting`: then until the connection was made again.
 *
 * @module
 */
import process from "node:process";
import { ClientError, createClient } from "../../src/client/node.ts";

const [url = "", until = ""] = process.argv.slice(2);
const heard = { states: [] as string[], errors: [] as string[], items: 0 };
const client = createClient({
  url,
  // Of a message that never ends nothing is heard.
  silenceMs: 1_000,
  answerMs: 1_000,
  maxDelayMs: 100,
  onState(state) {
    heard.states.push(state);
    if (heard.states.join().endsWith(`${until},open`)) end();
  },
  onError(error) {
    const reason = error instanceof ClientError ? error.reason : String(error);
    heard.errors.push(reason);
    if (reason === until) end();
  },
});
const timer = setTimeout(end, 30_000);
const subscription = client.subscribe("a");
for await (const _ of subscription) heard.items++;

function end(): void {
  clearTimeout(timer);
  console.log(JSON.stringify(heard));
  process.exit(0);
}
