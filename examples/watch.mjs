// Prints the events of some channels as they arrive, one line each. Runs on Node, Deno and Bun.
//
//   node examples/watch.mjs ws://127.0.0.1:8688 'session:*' 'knowledge:*'
//
// Where the service wants a token, put it into the environment as MCP_REALTIME_TOKEN; where its certificate is not
// trusted by itself, put the file with it into NODE_EXTRA_CA_CERTS. The exit code is 1 where nothing can be watched.
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
let refused = 0;

socket.on("open", () => {
  if (token) socket.send(JSON.stringify({ type: "request", event: "auth", id: "auth", data: { token } }));
  for (const channel of channels) socket.send(JSON.stringify({ type: "subscribe", data: { channel } }));
});

socket.on("message", (data) => {
  const frame = JSON.parse(String(data));
  if (frame.type === "ack") console.log(`watching ${frame.data.channel}`);
  else if (frame.type === "error") {
    console.error(`${frame.error_code}: ${frame.error_message}`);
    process.exitCode = 1;
    if (++refused === channels.length) socket.close();
  } else if (frame.room) console.log(`${frame.room}  ${frame.event}  ${JSON.stringify(frame.data)}`);
});

socket.on("close", (code, reason) => {
  console.log(`closed: ${code} ${reason}`);
  const isStopping = code === 1001 || code === 4002;
  if (!isStopping) process.exitCode = 1;
});

socket.on("error", (error) => {
  const { message } = error;
  let advice = "is the service running?";
  if (message.includes("server response")) advice = "the service is there, and refuses";
  else if (/certificate/i.test(message) && !message.includes("altnames")) {
    advice = "if it is the right one, set NODE_EXTRA_CA_CERTS to the file with it";
  }
  console.error(`Cannot watch ${url}: ${message || "no answer"}: ${advice}`);
  process.exitCode = 1;
});
