/**
 * Commands and servers that are not what they are taken for: another service, a full one, one that says what no server
 * says. As a person runs them, against a server that does as the test says.
 */
import { once } from "node:events";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { useBuiltScratch } from "../../support/built-scratch.ts";
import { runCommand, startCommand } from "../../support/command-process.ts";

const PATIENCE_MS = 120_000;
const SECRET = "hush-hush";

const scratch = useBuiltScratch();
let server: WebSocketServer;
let web: Server;
let url: string;
/** What the server does with a connection, and with each frame of it. */
let conduct: { opened?: (ws: WebSocket) => void; heard?: (ws: WebSocket, frame: Frame) => void } = {};
let count = 0;
let events: string[] = [];

interface Frame {
  readonly id: string;
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

beforeAll(async () => {
  web = createServer((_, response) => response.writeHead(503).end());
  server = new WebSocketServer({ server: web });
  server.on("connection", (ws) => {
    count++;
    ws.on("error", () => {});
    ws.on("message", (message) => {
      const frame: Frame = JSON.parse(String(message));
      events.push(frame.event);
      conduct.heard?.(ws, frame);
    });
    conduct.opened?.(ws);
  });
  web.listen(0, "127.0.0.1");
  await once(web, "listening");
  url = `ws://127.0.0.1:${(web.address() as AddressInfo).port}/`;
});
afterEach(() => {
  [conduct, count, events] = [{}, 0, []];
});
afterAll(() => {
  for (const client of server.clients) client.terminate();
  server.close();
  web.close();
});

const answer = (ws: WebSocket, { id }: Frame, data: string) =>
  ws.send(`{"type":"response","correlation_id":"${id}","data":${data}}`);
const greet = (ws: WebSocket, name: string) =>
  ws.send(
    JSON.stringify({
      type: "event",
      event: "welcome",
      room: null,
      data: { connection_id: "c", server: name },
    }),
  );
const run = (words: readonly string[]) => runCommand(words, { folder: scratch.folder });
const times = (text: string, part: string) => text.split(part).length - 1;

describe("a server that is another service", { timeout: PATIENCE_MS }, () => {
  it("is left with a sentence and exit code 1, and asked for nothing", async () => {
    conduct = {
      heard(ws, frame) {
        greet(ws, "session-buddy\u001b[2J");
        answer(ws, frame, '{"epoch":"e","seq":0}');
      },
    };
    const sentence = `Cannot reach crackerjack at ${url}: session-buddy\\u001b[2J answers there; ` +
      "name that service, or the address of crackerjack\n";
    for (
      const words of [
        ["tail", "crackerjack", "global", "--timeout", "60s"],
        ["request", "crackerjack", "run_tests", "project=sums"],
        ["publish", "crackerjack", "system.announcement", "message=hello"],
        ["record", "crackerjack", "global", "--output", "wrong.ndjson"],
      ]
    ) {
      const { code, stdout, stderr } = await run([...words, "--url", url]);
      expect([words[0], code, stdout, stderr]).toEqual([words[0], 1, "", sentence]);
    }
    expect(events.filter((event) => event === "run_tests" || event === "publish")).toEqual([]);
    expect(await readdir(scratch.folder)).not.toContain("wrong.ndjson");
  });

  it("may have any name where it is one of your own", async () => {
    conduct = {
      heard(ws, frame) {
        greet(ws, "weather");
        answer(ws, frame, '{"degrees":4}');
      },
    };
    const { code, stdout } = await run(["request", "mine", "get_weather", "--url", url]);
    expect([code, stdout]).toEqual([0, '{"degrees":4}\n']);
  });
});

describe("a server that ends every connection", { timeout: PATIENCE_MS }, () => {
  it("is told of once by tail, with its code and what it says", async () => {
    let reached: () => void = () => {};
    const often = new Promise<void>((resolve) => reached = resolve);
    conduct = {
      opened(ws) {
        ws.close(1013, "The server is full\u001b[2J");
        if (count === 5) reached();
      },
    };
    const tail = startCommand(["tail", "crackerjack", "global", "--url", url], { folder: scratch.folder });
    await Promise.race([often, tail.ended]);
    tail.kill("SIGINT");
    const { stderr } = await tail.ended;
    expect(stderr).toContain(
      "The server has ended the connection with 1013: The server is full\\u001b[2J\n",
    );
    expect([times(stderr, "1013"), times(stderr, "Lost"), times(stderr, "again\n")]).toEqual([1, 2, 3]);
  });

  it("is why request has no answer", async () => {
    conduct = { opened: (ws) => ws.close(1013, "The server is full") };
    const words = ["request", "crackerjack", "get_status", "--timeout", "1s", "--url", url];
    const { code, stdout, stderr } = await run(words);
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr).toBe(
      "crackerjack: No answer in 1000 ms; the server has ended the connection with 1013: The server is full\n",
    );
  });

  it("is told of once where it sends more than is taken", async () => {
    let reached: () => void = () => {};
    const often = new Promise<void>((resolve) => reached = resolve);
    const frame = JSON.stringify({ type: "event", event: "x", room: "global", data: "x".repeat(1_200_000) });
    conduct = {
      opened(ws) {
        ws.send(frame);
        if (count === 4) reached();
      },
    };
    const tail = startCommand(["tail", "crackerjack", "global", "--url", url], { folder: scratch.folder });
    await Promise.race([often, tail.ended]);
    tail.kill("SIGINT");
    const { stderr } = await tail.ended;
    expect(times(stderr, "\nThe ")).toBe(1);
    expect(stderr).toMatch(/Max payload size|at most 1048576/);
  });
});

describe("what a server says", { timeout: PATIENCE_MS }, () => {
  it("keeps its digits, both ways", async () => {
    let asked = "";
    conduct = {
      opened: (ws) => ws.on("message", (message) => asked += String(message)),
      heard(ws, frame) {
        greet(ws, "crackerjack");
        answer(ws, frame, '{"n":-9007199254740993}');
      },
    };
    const words = ["request", "crackerjack", "get_status", "n:=9007199254740993", "--url", url];
    expect(await run(words)).toEqual({ code: 0, stdout: '{"n":-9007199254740993}\n', stderr: "" });
    expect(asked).toContain('"n":9007199254740993');
  });

  it("is no frame where it is nested without end", async () => {
    const deep = `{"a":${"[".repeat(200_000)}${"]".repeat(200_000)}}`;
    conduct = {
      heard(ws, frame) {
        greet(ws, "crackerjack");
        if (frame.event !== "subscribe") return answer(ws, frame, frame.event === "ping" ? "{}" : deep);
        answer(ws, frame, '{"epoch":"e","seq":0}');
        const told = (seq: number, data: string) =>
          `{"type":"event","event":"system.announcement","id":"i","timestamp":"2026-01-01T00:00:00Z",` +
          `"room":"global","seq":${seq},"prev":${seq - 1},"epoch":"e","data":${data}}`;
        ws.send(told(1, deep));
        ws.send(told(2, "{}"));
      },
    };
    const asked = await run(["request", "crackerjack", "get_status", "--timeout", "1s", "--url", url]);
    expect(asked).toEqual({
      code: 3,
      stdout: "",
      stderr: "crackerjack: No answer to get_status in 1000 ms; the server sends what is no frame\n",
    });
    const until = ["--until", "system.announcement", "--timeout", "60s"];
    const tail = await run(["tail", "crackerjack", "global", ...until, "--url", url]);
    expect([tail.code, tail.stderr]).toEqual([
      0,
      expect.stringMatching(/^The server sends what is no frame\nGo on from here .*\n$/),
    ]);
    const record = await run([
      "record",
      "crackerjack",
      "global",
      "--events",
      "1",
      "--output",
      "-",
      "--url",
      url,
    ]);
    expect(record.code).toBe(0);
    expect(record.stderr).not.toContain("RangeError");
  });
});

describe("an address", { timeout: PATIENCE_MS }, () => {
  it("is shown and recorded without its query, and connected to with it", async () => {
    const secret = `${url}live?token=${SECRET}`;
    let address: string | undefined;
    const note = (_: WebSocket, request: { url?: string }) => void (address = request.url);
    server.on("connection", note);
    conduct = {
      heard(ws, frame) {
        answer(ws, frame, '{"epoch":"e","seq":0}');
        if (frame.event === "subscribe") setImmediate(() => ws.close(1008, "enough"));
      },
    };
    const record = await run(["record", "crackerjack", "global", "--output", "-", "--url", secret]);
    server.off("connection", note);
    expect(address).toBe(`/live?token=${SECRET}`);
    expect(record.stdout).toContain(`${url}live`);
    const nowhere = `ws://127.0.0.1:9/?token=${SECRET}`;
    const ran = [
      record,
      await run(["tail", "crackerjack", "global", "--url", nowhere]),
      await run(["status", "crackerjack", "--url", nowhere]),
      await run(["status", "crackerjack", "--url", nowhere, "--json"]),
      await run(["request", "crackerjack", "get_status", "--url", `ws://ada:${SECRET}@127.0.0.1:9`]),
      await run(["request", "crackerjack", "get_status", "--url", `nonsense://127.0.0.1:9/?${SECRET}`]),
    ];
    for (const { stdout, stderr } of ran) expect(stdout + stderr).not.toContain(SECRET);
    expect(ran[1]!.stderr).toMatch(/^Cannot reach crackerjack at ws:\/\/127\.0\.0\.1:9\/: .*; start it/);
    expect([ran[4]!.code, ran[4]!.stderr]).toEqual([
      2,
      expect.stringContaining(', got "ws://…@127.0.0.1:9"'),
    ]);
  });

  it("at which there is no WebSocket, or no TLS, is told so", async () => {
    const refused = createServer();
    refused.on("upgrade", (_, socket) => socket.end("HTTP/1.1 503 Service Unavailable\r\n\r\n"));
    refused.listen(0, "127.0.0.1");
    await once(refused, "listening");
    const { port } = refused.address() as AddressInfo;
    try {
      const none = await run(["request", "crackerjack", "get_status", "--url", `http://127.0.0.1:${port}`]);
      expect([none.code, none.stderr]).toEqual([
        1,
        expect.stringContaining("there is no WebSocket to be had"),
      ]);
      for (const command of [["request", "crackerjack", "get_status"], ["status", "crackerjack"]]) {
        const { code, stdout, stderr } = await run([...command, "--url", `https://127.0.0.1:${port}`]);
        expect([code, stdout + stderr]).toEqual([
          1,
          expect.stringContaining("what answers there does not speak TLS"),
        ]);
      }
    } finally {
      refused.close();
    }
    const off = { websocket: { enabled: false, port: 9 }, http: { port: 9 } };
    const folder = join(scratch.folder, "off");
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "off.yaml"), JSON.stringify(off));
    const words = ["tail", "crackerjack", "global", "--settings", "off.yaml"];
    const { code, stderr } = await runCommand(words, { folder });
    expect([code, stderr]).toEqual([
      1,
      "Cannot reach crackerjack by WebSocket: its settings switch that off (websocket.enabled is false); " +
      "switch it on, or ask over HTTP, at http://127.0.0.1:9\n",
    ]);
    const status = await runCommand(["status", "crackerjack", "--settings", "off.yaml", "--json"], {
      folder,
    });
    expect(JSON.parse(status.stdout)).toMatchObject({ url: null, http: "http://127.0.0.1:9" });
  });
});

describe("a token", { timeout: PATIENCE_MS }, () => {
  it("with a line break is refused with exit code 2, and not shown", async () => {
    await writeFile(join(scratch.folder, "broken.token"), `${SECRET}\n${SECRET}\n`);
    for (const command of [["status", "crackerjack"], ["request", "crackerjack", "get_status"]]) {
      const file = await run([...command, "--url", url, "--token-file", "broken.token"]);
      expect([file.code, file.stdout, file.stderr]).toEqual([
        2,
        "",
        'the file of --token-file, "broken.token": expected one token, got a text with line breaks or other ' +
        "characters that no token has\n",
      ]);
      const given = await runCommand([...command, "--url", url], {
        folder: scratch.folder,
        environment: { MCP_REALTIME_TOKEN: `${SECRET}\n${SECRET}` },
      });
      expect([given.code, given.stderr]).toEqual([
        2,
        expect.stringMatching(/^MCP_REALTIME_TOKEN: expected one/),
      ]);
      expect(given.stderr).not.toContain(SECRET);
    }
  });

  it("that is refused is asked for where it came from", async () => {
    conduct = {
      heard: (ws, { id }) =>
        ws.send(`{"type":"error","correlation_id":"${id}","data":{},"error_code":"AUTH_FAILED"}`),
    };
    await writeFile(join(scratch.folder, "good.token"), SECRET);
    const words = ["request", "crackerjack", "get_status", "--url", url];
    const file = await run([...words, "--token-file", "good.token"]);
    expect([file.code, file.stderr]).toEqual([
      4,
      'AUTH_FAILED: AUTH_FAILED; give a valid token of crackerjack in the file of --token-file, "good.token"\n',
    ]);
    const none = await run(words);
    expect([none.code, none.stderr]).toEqual([
      4,
      expect.stringContaining("in MCP_REALTIME_TOKEN or a file that --token-file names"),
    ]);
  });
});
