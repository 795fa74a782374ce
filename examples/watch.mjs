// Prints the events of some channels as they arrive, one line each. Runs on Node, Deno and Bun.
//
//   node examples/watch.mjs ws://127.0.0.1:8688 'session:*' 'knowledge:*'
//
// Where the service wants a token, put it into the environment as MCP_REALTIME_TOKEN.
//
// Any WebSocket client can do this: connect, send {"type":"subscribe","data":{"channel":"session:*"}}, read.
import process from "node:process";
import { WebSocket } from "ws";

const [url = "ws://127.0.0.1:8688", ...named] = process.argv.slice(2);
if (!/^wss?:\/\//.test(url)) {
  console.error("Usage: node examples/watch.mjs ws://HOST:PORT [CHANNEL...]");
  process.exit(2);
}
const channels = named.length > 0 ? named : ["global"];

const socket = new WebSocket(url);
const token = process.env.MCP_REALTIME_TOKEN;

socket.on("open", () => {
  if (token) socket.send(JSON.stringify({ type: "request", event: "auth", id: "auth", data: { token } }));
  for (const channel of channels) socket.send(JSON.stringify({ type: "subscribe", data: { channel } }));
});

socket.on("message", (data) => {
  const frame = JSON.parse(String(data));
  if (frame.type === "ack") console.log(`watching ${frame.data.channel}`);
  else if (frame.type === "error") console.error(`${frame.error_code}: ${frame.error_message}`);
  else if (frame.room) console.log(`${frame.room}  ${frame.event}  ${JSON.stringify(frame.data)}`);
});

socket.on("close", (code, reason) => console.log(`closed: ${code} ${reason}`));

socket.on("error", (error) => {
  console.error(`Cannot watch ${url}: ${error.message || "no answer"}: is the service running?`);
  process.exitCode = 1;
});
