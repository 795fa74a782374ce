/**
 * The short commands of `mcp-realtime`, as a person or a script runs them: `request`, `publish`, `status` and the help.
 */
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { COMMANDS } from "../../src/cli/commands.ts";
import { VERSION } from "../../src/protocol/version.ts";
import { EXIT_CODES } from "../../src/server/exit-codes.ts";
import { useBuiltScratch } from "../support/built-scratch.ts";
import { type ServedService, serveIn } from "../support/cli-service.ts";
import { runCommand } from "../support/command-process.ts";
import { freePort } from "../support/serve-process.ts";
import { hasRuntime, type RuntimeName } from "../support/start-program.ts";

const PATIENCE_MS = 120_000;
const RUNTIMES: RuntimeName[] = ["node", "deno", "bun"];

const scratch = useBuiltScratch();
let service: ServedService;
beforeAll(async () => {
  const folder = join(scratch.folder, "commands");
  await mkdir(folder);
  service = await serveIn({ folder, service: "session-buddy" });
}, PATIENCE_MS);
afterAll(() => service?.stop());

const run = (words: string[], runtime: RuntimeName = "node", input = "") =>
  runCommand(words, { ...service.here, runtime, input });

describe.each(RUNTIMES)("on %s", { timeout: PATIENCE_MS }, (runtime) => {
  it.skipIf(!hasRuntime(runtime))(
    "request asks with fields, an object or standard input, and prints the answer",
    async () => {
      const id = `asked-${runtime}`;
      const words = [
        "request",
        "session-buddy",
        "start_session",
        `session_id=${id}`,
        "project=tour",
        'context:={"step":1}',
      ];
      const started = await run(words, runtime);
      expect(started).toMatchObject({ code: 0, stderr: "" });
      expect(started.stdout.trimEnd().split("\n")).toHaveLength(1);
      expect(JSON.parse(started.stdout)).toMatchObject({ session_id: id });
      const object = JSON.stringify({ session_id: id });
      const got = await run(["request", "session-buddy", "get_session", object], runtime);
      expect(JSON.parse(got.stdout)).toMatchObject({ session_id: id, context: { step: 1 } });
      const read = await run(["request", "session-buddy", "get_session", "-"], runtime, `${object}\n`);
      expect(JSON.parse(read.stdout)).toMatchObject({ session_id: id, context: { step: 1 } });
    },
  );

  it.skipIf(!hasRuntime(runtime))("status says who runs", async () => {
    const { code, stdout, stderr } = await run(["status", "session-buddy", "--json"], runtime);
    expect([code, stderr]).toEqual([0, ""]);
    expect(JSON.parse(stdout)).toMatchObject({
      service: "session-buddy",
      state: "ready",
      url: service.websocket,
      http: service.http,
      reason: null,
      authorized: true,
    });
  });
});

describe("request", { timeout: PATIENCE_MS }, () => {
  it("tells a refusal on standard error, with --json on standard output too, and ends with 1", async () => {
    const words = ["request", "session-buddy", "get_session", "session_id=nobody"];
    const { code, stdout, stderr } = await run(words);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^NOT_FOUND: [^\n]+\n$/);
    const told = await run([...words, "--json"]);
    expect([told.code, told.stderr]).toEqual([1, stderr]);
    expect(JSON.parse(told.stdout)).toMatchObject({ error_code: "NOT_FOUND" });
  });

  it("is done once for an idempotency key", async () => {
    const key = "0b9c1f0e-6d1a-4a53-9c39-0a8f6a3c4f10";
    const words = ["request", "session-buddy", "start_session", "project=tour", "--idempotency-key", key];
    const [first, second] = [await run(words), await run(words)];
    expect(first.code).toBe(0);
    expect(JSON.parse(second.stdout)).toEqual(JSON.parse(first.stdout));
  });

  it("says how a number is given, where a text was", async () => {
    const words = ["request", "session-buddy", "list_sessions"];
    const text = await run([...words, "limit=5"]);
    expect([text.code, text.stderr]).toEqual([
      1,
      expect.stringMatching(/^INVALID_DATA: .*; "limit=" gives a text, "limit:=" a number or other JSON\n$/),
    ]);
    expect(await run([...words, "limit:=5"])).toMatchObject({ code: 0, stderr: "" });
    const other = await run([...words, "limit=five"]);
    expect([other.code, other.stderr.includes("gives a text")]).toEqual([1, false]);
  });

  it("says what is wrong with its words, and none of what they hold", async () => {
    const cases: [string[], string][] = [
      [
        ["get_sesion"],
        'request: expected a request of session-buddy, got "get_sesion", did you mean "get_session"?',
      ],
      [
        ["get_session", "hush"],
        "request: expected FIELD=TEXT, FIELD:=JSON or one JSON object, got another word",
      ],
      [["get_session", "a:=hush"], 'request: a: expected JSON after ":=", got something else'],
      [["get_session", "{hush"], "request: DATA: expected one JSON object, got something else"],
      [
        ["start_session", "project=tour", "working_directry=/"],
        'got "working_directry", did you mean "working_directory"?',
      ],
      [["get_session", "session=demo"], "request: expected a field of get_session (session_id"],
      [["get_session", "session=demo"], 'got "session", did you mean "session_id"?'],
      [["get_session", "a=1", "a=2"], 'request: expected field "a" once, got it twice'],
      [["get_session", "--timeout", "soon"], "--timeout: expected a time like"],
      [[], 'request: missing required argument "NAME"; see mcp-realtime request --help'],
    ];
    for (const [words, sentence] of cases) {
      const { code, stdout, stderr } = await run(["request", "session-buddy", ...words]);
      expect([words, code, stdout, stderr]).toEqual([words, 2, "", expect.stringContaining(sentence)]);
      expect(stderr).not.toContain("hush");
    }
  });
});

describe("publish", { timeout: PATIENCE_MS }, () => {
  it("says what happened, to whom its data says", async () => {
    const words = [
      "publish",
      "session-buddy",
      "system.announcement",
      "message=Back at noon",
      "level=warning",
    ];
    const { code, stdout } = await run([...words, "--channel", "global"]);
    expect([code, JSON.parse(stdout)]).toEqual([
      0,
      { status: "published", event: "system.announcement", channels: ["global"] },
    ]);
    const elsewhere = await run([...words, "--channel", "session:x"]);
    expect([elsewhere.code, elsewhere.stderr]).toEqual([1, expect.stringMatching(/^INVALID_CHANNEL: /)]);
    const wrong = await run(["publish", "session-buddy", "system.announcement", "message=a", "levle=info"]);
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('did you mean "level"?')]);
    const own = await run(["publish", "session-buddy", "session.closed"]);
    expect([own.code, own.stderr]).toEqual([
      2,
      expect.stringContaining("that clients may publish (system.announcement)"),
    ]);
  });
});

describe("status", { timeout: PATIENCE_MS }, () => {
  it("has a row for each service, and counts those that do not run where they are named", async () => {
    const { code, stdout } = await run(["status"]);
    const rows = stdout.trimEnd().split("\n").map((line) => line.split(/ {2,}/));
    expect(rows.map(([name]) => name)).toEqual([
      "SERVICE",
      "session-buddy",
      "mahavishnu",
      "akosha",
      "crackerjack",
      "dhruva",
      "excalidraw",
    ]);
    expect(rows[1]![1]).toBe("ready");
    expect([code, stdout.includes("\u001b")]).toEqual([0, false]);
    const nowhere = `http://127.0.0.1:${await freePort()}`;
    const stopped = await run(["status", "akosha", "--url", nowhere, "--json"]);
    expect([stopped.code, JSON.parse(stopped.stdout).state]).toEqual([1, "not running"]);
    const other = await run(["status", "akosha", "--url", service.http]);
    expect([other.code, other.stdout]).toEqual([1, expect.stringContaining("session-buddy answers there")]);
  });

  it("is coloured in a pipe where FORCE_COLOR is set, and not where NO_COLOR is set besides", async () => {
    const words = ["status", "session-buddy"];
    const forced = await runCommand(words, { ...service.here, environment: { FORCE_COLOR: "1" } });
    expect(forced.stdout).toContain("\u001b[32mready");
    const both = await runCommand(words, {
      ...service.here,
      environment: { FORCE_COLOR: "1", NO_COLOR: "1" },
    });
    expect(both.stdout).not.toContain("\u001b");
  });
});

describe("mcp-realtime", { timeout: PATIENCE_MS }, () => {
  it("has a help of its own and one of every command, on standard output", async () => {
    const { code, stdout, stderr } = await run(["--help"]);
    expect([code, stderr]).toEqual([0, ""]);
    for (const [name, { summary }] of Object.entries(COMMANDS)) {
      expect(stdout).toContain(`  ${name} `);
      expect(stdout).toContain(summary);
      const words = name.split(" ");
      const help = await run([...words, "--help"]);
      expect([name, help.code, help.stderr]).toEqual([name, 0, ""]);
      expect(help.stdout).toMatch(/^Usage: mcp-realtime /);
    }
    expect(await run(["help", "tail"])).toEqual(await run(["tail", "--help"]));
  });

  it("names every command in docs/command-line.md, and every exit code", async () => {
    const page = await readFile(new URL("../../docs/command-line.md", import.meta.url), "utf8");
    for (const name of Object.keys(COMMANDS)) expect(page).toContain(`mcp-realtime ${name}`);
    const codes = [...page.matchAll(/^\| (\d+) +\|/gm)].map(([, code]) => Number(code));
    expect(codes).toEqual(Object.values(EXIT_CODES));
  });

  it("says its version", async () => {
    expect(await run(["--version"])).toEqual({ code: 0, stdout: `${VERSION}\n`, stderr: "" });
  });

  it("says which commands there are where it knows none of this name", async () => {
    const { code, stdout, stderr } = await run(["tial", "x"]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(
      /^Unknown command "tial": expected serve, tail, .*, did you mean "tail"\?\n\nUsage: /,
    );
    expect(await run([])).toMatchObject({ code: 2, stdout: "" });
    expect(await run(["config"])).toMatchObject({ code: 2, stdout: "" });
  });
});
