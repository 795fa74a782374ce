/**
 * What commands draw at a terminal: each runs on a pseudo-terminal of 100 columns.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatLine } from "../../src/recording/record-line.ts";
import { HEADER } from "../recording/header.ts";
import { useBuiltScratch } from "../support/built-scratch.ts";
import { type ServedService, serveIn } from "../support/cli-service.ts";
import { pythonPath, requireOrSkip } from "../support/require.ts";
import { draw as drawAt, ERASE } from "../support/terminal-command.ts";

const PATIENCE_MS = 120_000;

const scratch = useBuiltScratch();
let service: ServedService;
beforeAll(async () => {
  const folder = join(scratch.folder, "terminal");
  await mkdir(folder);
  service = await serveIn({ folder, service: "session-buddy" });
}, PATIENCE_MS);
afterAll(() => service?.stop());

/** A command at a terminal, where the service is. */
const draw = (words: readonly string[], environment: Record<string, string> = {}) =>
  drawAt(words, { folder: service.here.folder, environment });

const hasPython = requireOrSkip("Python", pythonPath() !== undefined, "python3 with websockets and pydantic");

describe.skipIf(!hasPython)("at a terminal", { timeout: PATIENCE_MS }, () => {
  it("tail draws events with their age in colours, and how things stand in a line below them", async () => {
    const tail = draw(["tail", "session-buddy", "session:*"]);
    await tail.shows("\u001b[32m●\u001b[39m session-buddy: nothing yet");
    await service.post("start_session", { session_id: "drawn", project: "a tour\u001b[31m" });
    await tail.shows("1 event, the last one now");
    expect(tail.drawn()).toContain(
      `${ERASE}\u001b[2m      now\u001b[22m  \u001b[36msession.created\u001b[39m  \u001b[2msession:drawn\u001b[22m  ` +
        'project="a tour\\u001b[31m"',
    );
    // The line is drawn anew as time goes.
    await tail.shows(/1 event, the last one \d+s ago/);
    tail.type("\u0003");
    const { code, drawn } = await tail.ended();
    expect(code).toBe(0);
    const [, end = ""] = drawn.split("^C");
    expect(end).toMatch(/Go on from here with --since \S+:\d+\r\n$/);
    const lines = drawn.split("\n").filter((line) => line.includes("session.created"));
    expect(lines).toHaveLength(1);
  });

  it("tail draws without colours where NO_COLOR is set", async () => {
    const tail = draw(["tail", "session-buddy", "session:*", "--last", "1"], { NO_COLOR: "1" });
    await tail.shows("● session-buddy: 1 event");
    tail.type("\u0003");
    const { drawn } = await tail.ended();
    expect(drawn.replaceAll(ERASE, "")).not.toContain("\u001b");
    expect(drawn).toMatch(/ago|now/);
  });

  it("tail says below its events that it connects again", async () => {
    const tail = draw(["tail", "session-buddy", "global"]);
    await tail.shows("session-buddy: nothing yet");
    await service.stop("SIGKILL");
    await tail.shows("Lost the connection to session-buddy, connecting again");
    await tail.shows(`○\u001b[39m session-buddy: connecting to ${service.websocket}`);
    await service.again();
    await tail.shows("Connected to session-buddy again");
    tail.type("\u0003");
    expect((await tail.ended()).code).toBe(0);
  });

  it("status draws a table, request an object over several lines", async () => {
    const status = await draw(["status"]).ended();
    expect(status.code).toBe(0);
    const rows = status.drawn.split("\u001b").map((part) => part.replace(/^\[\d+m/, "")).join("").split(
      "\r\n",
    );
    expect(rows[0]).toMatch(/^SERVICE +STATE +UP +CONNECTIONS +ROOMS +WEBSOCKET +HTTP$/);
    expect(rows[1]).toMatch(
      /^session-buddy +ready +\d+m?s +0 +0 +ws:\/\/127.0.0.1:\d+ +http:\/\/127.0.0.1:\d+$/,
    );
    expect(status.drawn).toContain("\u001b[32mready");
    const { code, drawn } = await draw(["request", "session-buddy", "get_status"]).ended();
    expect(code).toBe(0);
    expect(drawn.startsWith('{\r\n  \u001b[36m"')).toBe(true);
  });

  it("request says how long it waits, and takes that away again", async () => {
    service.signal("SIGSTOP");
    const words = ["request", "session-buddy", "get_status", "--timeout", "4s"];
    const { code, drawn } = await draw(words).ended().finally(() => service.signal("SIGCONT"));
    expect(code).toBe(3);
    expect(drawn).toMatch(/session-buddy: no answer yet, \ds/);
    expect(drawn.split(ERASE).at(-1)).toMatch(/^session-buddy: No answer in 4000 ms\r\n$/);
  });

  it("doctor colours each finding by how it is, under the name of what it is about", async () => {
    const { code, drawn } = await draw(["doctor", "session-buddy"]).ended();
    expect([code, drawn]).toEqual([
      0,
      expect.stringContaining("\u001b[1mThis machine\u001b[22m\r\n  \u001b[32mok  \u001b[39m  "),
    ]);
    expect(drawn).toContain("\r\n\r\n\u001b[1msession-buddy\u001b[22m\r\n");
    const [sum = ""] = drawn.trimEnd().split("\n").slice(-1);
    expect(sum.replaceAll("\u001b", "ESC")).toMatch(/^ESC\[32m\d+ okESC\[39m, .*, ESC\[2m0 failedESC\[22m$/);
  });

  it("config colours whether settings are right, and where each comes from", async () => {
    const check = await draw(["config", "check", "session-buddy"]).ended();
    expect(check.code).toBe(0);
    expect(check.drawn).toContain("session-buddy  \u001b[32mright\u001b[39m");
    const show = await draw(["config", "show", "session-buddy"]).ended();
    expect(show.code).toBe(0);
    expect(show.drawn).toContain("\u001b[2m# ");
  });

  it("serve logs in colours, and leaves with Ctrl-C", async () => {
    const folder = join(scratch.folder, "terminal-serve");
    await mkdir(folder);
    const serve = drawAt(["serve", "akosha", "--port", "0", "--http-port", "0"], { folder });
    await serve.shows("Stop with Ctrl-C");
    serve.type("\u0003");
    const { code, drawn } = await serve.ended();
    expect(code).toBe(0);
    expect(drawn.replaceAll("\u001b", "ESC")).toMatch(/ESC\[\d+m.*akosha/);
  });

  it("record draws how many events there are, how fast they come, and how large the file is", async () => {
    const record = draw(["record", "session-buddy", "session:taken", "--output", "drawn.ndjson"]);
    await record.shows("Recording session:taken");
    await service.post("start_session", { session_id: "taken", project: "tour" });
    await record.shows(/1 event {2}\d+\.\d\/s {2}\d+(\.\d)? K?i?B {2}\d+/);
    record.type("\u0003");
    const { code, drawn } = await record.ended();
    expect(code).toBe(0);
    expect(drawn).toMatch(/Recorded 1 event /);
  });

  it("replay draws how far it is, and takes that away for its last words", async () => {
    const { folder } = service.here;
    await writeFile(join(folder, "slow.ndjson"), slowRecord());
    const replay = draw(["replay", "slow.ndjson", "--now"]);
    await replay.shows("\r\n1 event of 2");
    replay.type("\u0003");
    const { code, drawn } = await replay.ended();
    expect(code).toBe(0);
    const [, end = ""] = drawn.split("^C");
    expect(end).toBe(`${ERASE}Stopped after 1 event\r\n`);
  });
});

/** The second event comes an hour after the first. */
function slowRecord(): string {
  const event = (at: number) => ({
    at,
    type: "event" as const,
    channel: "a:1",
    event: "a.happened",
    id: `00000000-0000-4000-8000-${String(at).padStart(12, "0")}`,
    data: {},
    timestamp: new Date(at).toISOString(),
    seq: at + 1,
    prev: 0,
    epoch: "e",
  });
  return [HEADER, event(0), event(3_600_000)].map(formatLine).join("");
}
