/**
 * `mcp-realtime tail` where its reader is slow, its log is full, or the service is none that one would wish for.
 */
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { WebSocketServer } from "ws";
import { useBuiltScratch } from "../support/built-scratch.ts";
import { type ServedService, serveIn } from "../support/cli-service.ts";
import { runCommand, startCommand } from "../support/command-process.ts";
import { get } from "../support/http-client.ts";
import { requireOrSkip } from "../support/require.ts";
import { runInShell } from "../support/shell-command.ts";
import { hasRuntime, type RuntimeName } from "../support/start-program.ts";

const PATIENCE_MS = 120_000;
const POLL = { timeout: 60_000, interval: 20 };

const hasFullDevice = requireOrSkip("/dev/full", existsSync("/dev/full"), "it is Linux that has it");
const scratch = useBuiltScratch();
const services: ServedService[] = [];
afterAll(() => Promise.all(services.map((service) => service.stop())));
let count = 0;

async function served(): Promise<ServedService> {
  const folder = join(scratch.folder, `edges-${++count}`);
  await mkdir(folder);
  const service = await serveIn({ folder, service: "session-buddy" });
  services.push(service);
  return service;
}

/** The lines of NDJSON. */
// deno-lint-ignore no-explicit-any
function objectsIn(stdout: string): any[] {
  return stdout.split("\n").slice(0, -1).map((line) => JSON.parse(line));
}

/** Its pipe is read when the command has ended, and not before. */
const READ_AFTERWARDS = [
  "mkfifo pipe",
  "exec 3<>pipe 4<pipe 5>pipe 3>&-",
  '"$@" >&5 4<&- 5>&-',
  "code=$?",
  "exec 5>&-",
  "cat <&4",
  "(exit $code)",
].join("; ");

describe("tail", { timeout: PATIENCE_MS }, () => {
  it("tells the position of what is written, where its reader is slow", async () => {
    const service = await served();
    // All of them are more than a pipe holds.
    const context = { text: "x".repeat(20_000) };
    for (let n = 0; n < 20; n++) await service.post("start_session", { project: "tour", context });
    const words = ["tail", "session-buddy", "global", "--last", "20", "--timeout", "5s", "--json"];
    const { code, stdout, stderr } = await runInShell(words, READ_AFTERWARDS, service.here);
    expect(code).toBe(3);
    const told = objectsIn(stdout);
    expect(told.length).toBeGreaterThan(0);
    expect(told.length).toBeLessThan(20);
    // The next one begins with the event that was on its way.
    const [, since] = /--since (\S+)/.exec(stderr)!;
    await service.post("end_session", { session_id: told[0].data.session_id, summary: "the last event" });
    const flags = ["--since", since!, "--until", "session.closed", "--json"];
    const rest = await runCommand(["tail", "session-buddy", "global", ...flags], service.here);
    const all = [...told, ...objectsIn(rest.stdout).slice(0, -1)].map(({ data }) => data.session_id);
    expect([all.length, new Set(all).size]).toEqual([20, 20]);
  });

  it("shows an event once that comes over a wildcard and over its own channel", async () => {
    const service = await served();
    await service.post("start_session", { session_id: "both", project: "tour" });
    await service.post("end_session", { session_id: "both", summary: "done" });
    const words = ["tail", "session-buddy", "session:*", "session:both", "--last", "9"];
    const { code, stdout } = await runCommand(
      [...words, "--until", "session.closed", "--json"],
      service.here,
    );
    expect([code, objectsIn(stdout).map(({ event }) => event)]).toEqual([
      0,
      ["session.created", "session.closed"],
    ]);
  });

  it("ends with the first to come of several --until, whichever it is", async () => {
    const service = await served();
    await service.post("start_session", { session_id: "two", project: "tour" });
    for (const until of [["session.closed", "session.created"], ["session.created", "session.closed"]]) {
      const flags = until.flatMap((event) => ["--until", event]);
      const words = ["tail", "session-buddy", "session:two", "--last", "9", "--timeout", "60s", ...flags];
      expect((await runCommand(words, service.here)).code).toBe(0);
    }
  });

  it("ends with 5 when the time is over after a gap", async () => {
    const service = await served();
    const tail = startCommand(
      ["tail", "session-buddy", "global", "--since", "another:7", "--timeout", "5s"],
      service.here,
    );
    const { code, stderr } = await tail.ended;
    expect([code, stderr]).toEqual([5, expect.stringContaining("Gap: events of global")]);
  });

  it("says of a service that never answers that it cannot be reached", async () => {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => void sockets.add(socket.on("error", () => {})));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const { port } = server.address() as { port: number };
    const url = `ws://127.0.0.1:${port}/`;
    const words = ["tail", "session-buddy", "global", "--url", url, "--until", "session.created"];
    const { code, stdout, stderr } = await runCommand([...words, "--timeout", "500ms"], {
      folder: scratch.folder,
    });
    expect([code, stdout, stderr]).toEqual([
      1,
      "",
      `Cannot reach session-buddy at ${url}: no answer in 500ms\n`,
    ]);
  });

  it("lets no word of a service, nor of the command line, steer the terminal", async () => {
    const evil = "\u001b]0;owned\u0007\u001b[2J";
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    await once(server, "listening");
    onTestFinished(() => {
      for (const client of server.clients) client.terminate();
      server.close();
    });
    const timestamp = "2026-01-01T00:00:00.000Z";
    const place = { epoch: `${evil}e`, room: "global" };
    server.on("connection", (socket) => {
      socket.on("message", (text) => {
        const { id, event, data } = JSON.parse(String(text));
        const say = (frame: object) => socket.send(JSON.stringify({ id: "1", timestamp, ...frame }));
        const answer = { status: "subscribed", channel: data?.channel, epoch: place.epoch, seq: 0 };
        say({ type: "response", correlation_id: id, event, data: answer });
        if (event !== "subscribe") return;
        say({ type: "event", event: `${evil}x`, data: { [evil]: evil }, seq: 1, prev: 0, ...place });
        say({ type: "event", event: "told", data: {}, seq: 2, prev: 1, ...place });
      });
    });
    const { port } = server.address() as { port: number };
    const words = ["tail", "mine", "global", "--url", `ws://127.0.0.1:${port}`, "--until", "told"];
    const { code, stdout, stderr } = await runCommand(words, { folder: scratch.folder });
    expect([code, stderr]).toEqual([
      0,
      expect.stringContaining("Go on from here with --since \\u001b]0;owned"),
    ]);
    expect(stdout).toContain("told");
    // deno-lint-ignore no-control-regex
    expect(stdout + stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    const unknown = await runCommand(["tail", "mine", "global", `--flag${evil}`], { folder: scratch.folder });
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining("unknown option")]);
    expect(unknown.stderr).not.toContain("\u001b");
  });
});

describe.each<RuntimeName>(["node", "deno", "bun"])("tail, on %s", { timeout: PATIENCE_MS }, (runtime) => {
  it.skipIf(!hasRuntime(runtime) || !hasFullDevice)(
    "goes on over a lost connection that it cannot speak of",
    async () => {
      const service = await served();
      const words = ["tail", "session-buddy", "global", "--until", "session.closed", "--json"];
      const ended = runInShell(words, '"$@" 2>/dev/full', { ...service.here, runtime });
      const rooms = async () => {
        const answer = await get(`${service.http}/api/status`).catch(() => null);
        return JSON.stringify(answer?.body.rooms);
      };
      const none = await rooms();
      await expect.poll(rooms, POLL).not.toBe(none);
      await service.stop("SIGKILL");
      await service.again();
      await service.post("start_session", { session_id: "after", project: "tour" });
      await service.post("end_session", { session_id: "after", summary: "done" });
      const { code, stdout } = await ended;
      expect([code, objectsIn(stdout).map(({ event }) => event)]).toEqual([
        0,
        ["session.created", "session.closed"],
      ]);
    },
  );
});
