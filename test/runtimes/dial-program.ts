/**
 * Dials an address and prints what it has heard, when it was over: `dial-program.ts URL [say what is sent once open]`.
 * The text "bye" makes it close.
 */
import process from "node:process";
import type { DialedSocket } from "../../src/ports/dial.ts";
import { dial } from "../../src/runtimes/dial.ts";

const [url = "", ...words] = process.argv.slice(2);
const heard = { opened: 0, texts: [] as string[], closes: [] as number[], reason: "", early: false };
let wake = () => {};
const end = new Promise<void>((resolve) => wake = resolve);
const sockets: DialedSocket[] = [];
const socket = dial.connect(url, {
  headers: { authorization: "Bearer a-token" },
  onOpen() {
    heard.opened++;
    for (const word of words) sockets[0]!.send(word);
  },
  onText(text) {
    heard.texts.push(text);
    if (text === "bye") sockets[0]!.close();
  },
  onClose(code, reason) {
    heard.early = sockets.length === 0;
    heard.closes.push(code);
    heard.reason = reason;
    wake();
  },
});
sockets.push(socket);
const timer = setTimeout(() => wake(), 20_000);
await end;
clearTimeout(timer);
// What would be said twice is said by then.
await new Promise((resolve) => setImmediate(resolve));
socket.send("nobody hears this");
socket.close();
console.log(JSON.stringify(heard));
process.exit(0);
