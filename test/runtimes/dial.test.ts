import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { hasRuntime, type RuntimeName, startProgram } from "../support/start-program.ts";

const program = new URL("./dial-program.ts", import.meta.url).pathname;
const runtimes = (["node", "deno", "bun"] as RuntimeName[]).filter(hasRuntime);

interface Heard {
  readonly opened: number;
  readonly texts: string[];
  readonly closes: number[];
  readonly reason: string;
  readonly early: boolean;
}

/** What the server does with a connection, by its path. */
const CONDUCT: Readonly<Record<string, (ws: WebSocket) => void>> = {
  "/echo": (ws) => ws.on("message", (data) => ws.send(`heard ${data}`, () => ws.send("bye"))),
  "/binary": (ws) => {
    ws.send(new Uint8Array([1, 2, 3]));
    ws.send("bye");
  },
  "/huge": (ws) => ws.send("x".repeat(1_200_000)),
  "/farewell": (ws) => ws.close(4_000, "Too slow"),
  "/cut": (ws) => ws.terminate(),
};

let server: WebSocketServer;
let url: string;
const headers: (string | undefined)[] = [];
beforeAll(async () => {
  server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  server.on("connection", (ws, request) => {
    headers.push(request.headers.authorization);
    ws.on("error", () => {});
    CONDUCT[request.url ?? ""]?.(ws);
  });
  await once(server, "listening");
  url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  for (const client of server.clients) client.terminate();
  server.close();
});

async function dialed(runtime: RuntimeName, address: string, ...words: string[]): Promise<Heard> {
  const started = await startProgram<Heard>(runtime, program, { args: [address, ...words] });
  expect(await started.ended).toBe(0);
  return started.ready;
}

describe.each(runtimes)("dial on %s", { timeout: 60_000 }, (runtime) => {
  test("sends its headers, sends and hears texts, and ends", async () => {
    headers.length = 0;
    expect(await dialed(runtime, `${url}/echo`, "grüße")).toMatchObject({
      opened: 1,
      texts: ["heard grüße", "bye"],
      closes: [expect.any(Number)],
    });
    expect(headers).toEqual(["Bearer a-token"]);
  });

  test("leaves binary messages out", async () => {
    expect(await dialed(runtime, `${url}/binary`)).toMatchObject({
      texts: ["bye"],
      closes: [expect.any(Number)],
    });
  });

  test("ends on a message that is too large, and does not hand it on", async () => {
    expect(await dialed(runtime, `${url}/huge`)).toMatchObject({ texts: [], closes: [expect.any(Number)] });
  });

  test("tells code and reason of the other side's end, and 1006 where it gave none", async () => {
    expect(await dialed(runtime, `${url}/farewell`)).toMatchObject({ closes: [4_000], reason: "Too slow" });
    expect(await dialed(runtime, `${url}/cut`)).toMatchObject({ closes: [1_006] });
  });

  test("tells an end, once and never before connect has returned, where nothing can be opened", async () => {
    const free = createServer((socket: Socket) => socket.destroy()).listen(0, "127.0.0.1");
    await once(free, "listening");
    const { port } = free.address() as AddressInfo;
    const none = { opened: 0, texts: [], closes: [expect.any(Number)], early: false };
    expect(await dialed(runtime, `ws://127.0.0.1:${port}`)).toMatchObject(none);
    await new Promise((resolve) => free.close(resolve));
    expect(await dialed(runtime, `ws://127.0.0.1:${port}`)).toMatchObject(none);
    expect(await dialed(runtime, "no address")).toMatchObject(none);
  });
});
