/**
 * `mcp-realtime tail`, as a person or a script runs it: a process of its own against a service in another.
 */
import { spawn } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createToken } from "../../src/auth/token.ts";
import { systemClock } from "../../src/ports/clock.ts";
import { useBuiltScratch } from "../support/built-scratch.ts";
import { type ServedService, serveIn } from "../support/cli-service.ts";
import { commandLine, environmentOf, runCommand, startCommand } from "../support/command-process.ts";
import { hasRuntime, type RuntimeName } from "../support/start-program.ts";

const PATIENCE_MS = 120_000;
const SECRET = "a secret that only this file knows";

const scratch = useBuiltScratch();
const services: ServedService[] = [];
let count = 0;

/** A service in a folder of its own. */
async function served(options: Partial<Parameters<typeof serveIn>[0]> = {}): Promise<ServedService> {
  const folder = join(scratch.folder, `tail-${++count}`);
  await mkdir(folder);
  const service = await serveIn({ service: "session-buddy", ...options, folder });
  services.push(service);
  return service;
}

let sessions: ServedService;
beforeAll(async () => {
  sessions = await served();
}, PATIENCE_MS);
afterAll(() => Promise.all(services.map((service) => service.stop())));

/** The lines of NDJSON. */
// deno-lint-ignore no-explicit-any
function objectsIn(stdout: string): any[] {
  return stdout.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

/** A position from the beginning: whatever happens before a tail has joined is brought too. */
async function begin(service: ServedService): Promise<string> {
  await service.post("start_session", { project: "tour" });
  const { stdout } = await runCommand(
    ["tail", "session-buddy", "global", "--last", "1", "--until", "session.created", "--json"],
    service.here,
  );
  const { epoch, seq } = objectsIn(stdout)[0];
  return `${epoch}:${seq}`;
}

describe.each<RuntimeName>(["node", "deno", "bun"])("tail, on %s", { timeout: PATIENCE_MS }, (runtime) => {
  it.skipIf(!hasRuntime(runtime))(
    "ends with 0 when the event of --until has come, one object a line",
    async () => {
      const words = ["tail", "session-buddy", "session:*", "--since", await begin(sessions)];
      const until = ["--until", "session.closed", "--timeout", "60s", "--json"];
      const tail = startCommand([...words, ...until], { ...sessions.here, runtime });
      const session_id = `on-${runtime}`;
      await sessions.post("start_session", { session_id, project: "tour" });
      await sessions.post("end_session", { session_id, summary: "done\u001b[2J" });
      const { code, stdout, stderr } = await tail.ended;
      expect([code, stderr]).toEqual([0, expect.stringMatching(/^Go on from here with --since \S+:\d+\n$/)]);
      const items = objectsIn(stdout).filter(({ data }) => data.session_id === session_id);
      expect(items.map(({ type, channel, event }) => [type, channel, event])).toEqual([
        ["event", `session:${session_id}`, "session.created"],
        ["event", `session:${session_id}`, "session.closed"],
      ]);
      expect(items[1].data.summary).toBe("done\u001b[2J");
      expect(stdout).not.toContain("\u001b");
    },
  );

  it.skipIf(!hasRuntime(runtime))("prints whole lines to a pipe, and ends with 0 by Ctrl-C", async () => {
    const tail = startCommand(["tail", "session-buddy", "global", "--last", "1"], {
      ...sessions.here,
      runtime,
    });
    await tail.until((stdout) => stdout.includes("\n"));
    tail.kill("SIGINT");
    const { code, stdout } = await tail.ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\d{4}-\d\d-\d\dT\S+Z global session\.\w+ \{"session_id":.*\}\n/);
  });

  it.skipIf(!hasRuntime(runtime))("says at once that nobody serves, with exit code 1", async () => {
    const words = ["tail", "session-buddy", "global", "--url", "ws://127.0.0.1:9", "--timeout", "60s"];
    const { code, stdout, stderr } = await runCommand(words, { folder: scratch.folder, runtime });
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(
      /^Cannot reach session-buddy at ws:\/\/127\.0\.0\.1:9\/?.*; start it \(mcp-realtime serve/,
    );
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  });

  it.skipIf(!hasRuntime(runtime))("ends quietly when nobody reads any more", async () => {
    const [program, ...args] = commandLine(
      ["tail", "session-buddy", "global", "--last", "1", "--json"],
      runtime,
    );
    const script = '"$@" | head -n 1; echo "${PIPESTATUS[0]}"';
    const shell = spawn("bash", ["-c", script, "bash", program, ...args], {
      cwd: sessions.here.folder,
      env: environmentOf({}),
      stdio: ["ignore", "pipe", "pipe"],
    });
    let [stdout, stderr] = ["", ""];
    shell.stdout.setEncoding("utf8").on("data", (text: string) => void (stdout += text));
    shell.stderr.setEncoding("utf8").on("data", (text: string) => void (stderr += text));
    let isOver = false;
    const ended = new Promise<void>((resolve) => shell.on("close", () => resolve())).then(() =>
      isOver = true
    );
    // Something must be written after the reader has gone.
    while (!isOver) await sessions.post("start_session", { project: "tour" });
    await ended;
    const [event, code, rest] = stdout.split("\n");
    expect(JSON.parse(event!).event).toBe("session.created");
    expect([code, rest]).toEqual(["0", ""]);
    expect(stderr).toMatch(/^(Go on from here with --since \S+\n)?$/);
  });
});

describe("tail", { timeout: PATIENCE_MS }, () => {
  it("waits for the result of a test run", async () => {
    const crackerjack = await served({ service: "crackerjack" });
    const project = join(crackerjack.here.folder, "sums");
    await mkdir(project);
    await writeFile(join(project, "package.json"), '{"type": "module", "scripts": {"test": "node --test"}}');
    await writeFile(join(project, "sums.test.js"), 'import test from "node:test"; test("adds", () => {});');
    const ask = async (...words: string[]) =>
      JSON.parse((await runCommand(["request", "crackerjack", ...words], crackerjack.here)).stdout);
    const { epoch, seq } = await ask("get_history", "channel=global");
    const flags = ["--until", "test.completed", "--timeout", "80s", "--json"];
    const tail = startCommand(
      ["tail", "crackerjack", "test:*", "--since", `${epoch}:${seq}`, ...flags],
      crackerjack.here,
    );
    const { run_id } = await ask("run_tests", "project=sums");
    const { code, stdout } = await tail.ended;
    expect(code).toBe(0);
    const completed = { event: "test.completed", data: { run_id, outcome: "passed", tests_completed: 1 } };
    expect(objectsIn(stdout).at(-1)).toMatchObject(completed);
    // Whoever comes too late finds it in the past.
    const late = await runCommand(
      ["tail", "crackerjack", `test:${run_id}`, "--last", "100", ...flags],
      crackerjack.here,
    );
    expect(late.code).toBe(0);
    expect(objectsIn(late.stdout).at(-1)).toMatchObject(completed);
  });

  it("ends with 3 when the time is over", async () => {
    const words = [
      "tail",
      "session-buddy",
      "session:nobody",
      "--until",
      "session.closed",
      "--timeout",
      "200ms",
    ];
    const { code, stdout, stderr } = await runCommand(words, sessions.here);
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr).toContain("No session.closed in 200ms\n");
  });

  it("ends with 130 by Ctrl-C before what it waits for", async () => {
    const words = ["tail", "session-buddy", "global", "--last", "1", "--until", "system.announcement"];
    const tail = startCommand(words, sessions.here);
    await tail.until((stdout) => stdout.includes("\n"));
    tail.kill("SIGINT");
    expect((await tail.ended).code).toBe(130);
  });

  it("says what is wrong with its words, with exit code 2", async () => {
    const cases: [words: string[], sentence: string][] = [
      [
        ["sesion-buddy", "global"],
        'tail: expected a service of session-buddy, mahavishnu, akosha, crackerjack, dhruva, excalidraw, got "sesion-buddy": did you mean "session-buddy"?',
      ],
      [["session-buddy", "sesion:*"], 'did you mean "session"?'],
      [["session-buddy", "session"], "'session:*' is all of them"],
      [
        ["session-buddy", "global", "--until", "session.close"],
        '--until: expected an event of session-buddy, got "session.close", did you mean "session.closed"?',
      ],
      [["session-buddy", "global", "--until", "knowledge.captured"], "which goes to knowledge:*"],
      [
        ["session-buddy", "global", "--timeout", "10"],
        '--timeout: expected a time like 500ms, 30s, 10m or 2h (at most 24d), got "10"',
      ],
      [["session-buddy", "global", "--last", "0"], '--last: expected a whole number from 1, got "0"'],
      [["session-buddy", "global", "--since", "12"], "--since: expected EPOCH:SEQ"],
      [["session-buddy", "global", "--since", "a:1", "--last", "1"], "--last: expected without --since"],
      [["session-buddy"], 'tail: missing required argument "CHANNEL"; see mcp-realtime tail --help'],
      [
        ["session-buddy", "global", "--tokenfile=hush"],
        'tail: unknown option "--tokenfile", did you mean "--token-file"?',
      ],
      [["session-buddy", "global", "--url", "ws://user:hush@127.0.0.1"], "--url: expected an address like"],
    ];
    for (const [words, sentence] of cases) {
      const { code, stdout, stderr } = await runCommand(["tail", ...words], sessions.here);
      expect([words, code, stdout, stderr]).toEqual([words, 2, "", expect.stringContaining(sentence)]);
      expect(stderr).not.toContain("hush");
      expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    }
  });

  it("goes on by itself over a restart, and misses and repeats nothing", async () => {
    const service = await served();
    const since = await begin(service);
    const tail = startCommand(
      ["tail", "session-buddy", "session:*", "--since", since, "--json"],
      service.here,
    );
    await service.post("start_session", { session_id: "before", project: "tour" });
    await tail.until((stdout) => stdout.includes('"before"'));
    await service.stop("SIGKILL");
    await tail.until((_, stderr) =>
      stderr.includes("Lost the connection to session-buddy, connecting again\n")
    );
    await service.again();
    await service.post("start_session", { session_id: "meanwhile", project: "tour" });
    await tail.until((stdout, stderr) =>
      stdout.includes('"meanwhile"') && stderr.includes("Connected to session-buddy again\n")
    );
    tail.kill("SIGINT");
    const { code, stdout } = await tail.ended;
    expect(code).toBe(0);
    expect(objectsIn(stdout).map(({ data }) => data.session_id)).toEqual(["before", "meanwhile"]);
  });

  it("says a gap, and ends with 5 where that may hide what it waits for", async () => {
    const service = await served();
    const since = await begin(service);
    const words = ["tail", "session-buddy", "session:*", "--since", since];
    const waiting = startCommand([...words, "--until", "session.closed", "--json"], service.here);
    const watching = startCommand(words, service.here);
    await service.post("start_session", { session_id: "before", project: "tour" });
    await Promise.all([waiting, watching].map((tail) => tail.until((stdout) => stdout.includes("before"))));
    await service.stop("SIGKILL");
    // What it remembers is gone with its database.
    await rm(join(service.here.folder, "data"), { recursive: true });
    await service.again();
    const { code, stdout } = await waiting.ended;
    expect(code).toBe(5);
    expect(objectsIn(stdout).at(-1)).toMatchObject({ type: "gap", channel: "session:*", cause: "epoch" });
    await watching.until((_, stderr) => stderr.includes("Gap: events of session:*"));
    await service.post("start_session", { session_id: "after", project: "tour" });
    await watching.until((stdout) => stdout.includes("after"));
    watching.kill("SIGINT");
    expect((await watching.ended).code).toBe(5);
  });

  it("ends with 4 where it may not listen, and takes its token from a file, the environment or the secret", async () => {
    const service = await served({
      settings: { auth: { required: true } },
      environment: { SESSION_BUDDY_JWT_SECRET: SECRET },
    });
    const stranger = await runCommand(["tail", "session-buddy", "global"], service.here);
    expect([stranger.code, stranger.stderr]).toEqual([4, expect.stringContaining("AUTH_REQUIRED: ")]);
    expect(stranger.stderr).toContain("give a token of session-buddy in MCP_REALTIME_TOKEN");
    const token = (permissions: string[]) =>
      createToken({ secret: SECRET, userId: "ann", permissions, expiresInSeconds: 600, clock: systemClock });
    const good = await token(["session-buddy:admin"]);
    await writeFile(join(service.here.folder, "token"), `${good}\n`);
    await writeFile(join(service.here.folder, "bad"), "no token at all");
    const announce = ["publish", "session-buddy", "system.announcement", "message=hello"];
    const withFile = await runCommand([...announce, "--token-file", "token"], service.here);
    expect(withFile).toMatchObject({ code: 0, stderr: "" });
    const wait = ["tail", "session-buddy", "global", "--last", "1", "--until", "system.announcement"];
    const ways: [string[], Record<string, string>, number][] = [
      [["--token-file", "token"], {}, 0],
      [[], { MCP_REALTIME_TOKEN: good }, 0],
      [[], { SESSION_BUDDY_JWT_SECRET: SECRET }, 0],
      [["--token-file", "bad"], {}, 4],
      [[], { MCP_REALTIME_TOKEN: await token(["akosha:read"]) }, 4],
      [[], { SESSION_BUDDY_JWT_SECRET: "another" }, 4],
      [["--token-file", "missing"], {}, 2],
      // No secret of this folder makes a token for an address that was named.
      [["--url", service.websocket], { SESSION_BUDDY_JWT_SECRET: SECRET }, 4],
    ];
    for (const [flags, environment, code] of ways) {
      const ended = await runCommand([...wait, ...flags], { ...service.here, environment });
      expect([flags, Object.keys(environment), ended.code]).toEqual([flags, Object.keys(environment), code]);
      expect(ended.stderr).not.toContain(good);
      expect(ended.stderr).not.toContain(SECRET);
    }
  });
});
