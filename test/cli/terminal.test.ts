/**
 * What commands draw at a terminal: each runs on a pseudo-terminal of 100 columns.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBuiltScratch } from "../support/built-scratch.ts";
import { type ServedService, serveIn } from "../support/cli-service.ts";
import { commandLine, environmentOf } from "../support/command-process.ts";
import { startPython } from "../support/python-program.ts";
import { pythonPath, requireOrSkip } from "../support/require.ts";

const PATIENCE_MS = 120_000;
const ERASE = "\r\u001b[2K";

const scratch = useBuiltScratch();
let service: ServedService;
beforeAll(async () => {
  const folder = join(scratch.folder, "terminal");
  await mkdir(folder);
  service = await serveIn({ folder, service: "session-buddy" });
}, PATIENCE_MS);
afterAll(() => service?.stop());

/** A command at a terminal. */
function draw(words: readonly string[], environment: Record<string, string> = {}) {
  const program = startPython("terminal.py", [], {
    command: commandLine(words),
    folder: service.here.folder,
    environment: { ...environmentOf({}), TERM: "xterm-256color", ...environment },
  });
  const facts = () => program.lines.map((line) => JSON.parse(line) as { output?: string; code?: number });
  const drawn = () => facts().map(({ output = "" }) => output).join("");
  return {
    drawn,
    /** Resolves when what is drawn so far holds the text. */
    shows: (text: string | RegExp) =>
      program.line(() => typeof text === "string" ? drawn().includes(text) : text.test(drawn())),
    type: (keys: string) => program.write(JSON.stringify({ keys })),
    async ended() {
      await program.ended;
      return { code: facts().at(-1)?.code, drawn: drawn() };
    },
  };
}

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
    expect(drawn.split(ERASE).at(-1)).toMatch(/^session-buddy: No answer to get_status in 4000 ms\r\n$/);
  });
});
