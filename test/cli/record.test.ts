/**
 * `mcp-realtime record`, as a person or a script runs it: a process of its own against a service in another.
 */
import { createReadStream } from "node:fs";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openRecord } from "../../src/recording/read-record.ts";
import type { RecordEntry, RecordHeader } from "../../src/recording/record.ts";
import { useBuiltScratch } from "../support/built-scratch.ts";
import { type ServedService, serveIn } from "../support/cli-service.ts";
import { runCommand, startCommand } from "../support/command-process.ts";
import { freePort } from "../support/serve-process.ts";
import { hasRuntime, type RuntimeName } from "../support/start-program.ts";

const PATIENCE_MS = 120_000;
const SECRET = "a secret of more than 32 bytes, that only this file knows";

const scratch = useBuiltScratch();
const services: ServedService[] = [];
let count = 0;

/** session-buddy in a folder of its own. */
async function served(settings: Record<string, unknown> = {}): Promise<ServedService> {
  const folder = join(scratch.folder, `record-${++count}`);
  await mkdir(folder);
  const service = await serveIn({ service: "session-buddy", folder, settings });
  services.push(service);
  return service;
}

let sessions: ServedService;
beforeAll(async () => {
  sessions = await served();
}, PATIENCE_MS);
afterAll(() => Promise.all(services.map((service) => service.stop())));

interface Read {
  readonly header: RecordHeader;
  readonly entries: RecordEntry[];
  readonly ending: string | null;
}

async function read(path: string): Promise<Read> {
  const record = await openRecord(createReadStream(path) as AsyncIterable<Uint8Array>, path);
  const entries: RecordEntry[] = [];
  for await (const entry of record.entries()) entries.push(entry);
  return { header: record.header, entries, ending: record.ending };
}

const eventsIn = ({ entries }: Pick<Read, "entries">) => entries.filter((entry) => entry.type === "event");
const isRecording = (_: string, stderr: string) => stderr.includes("Recording ");

/** Say something that makes one event in `session:{id}` and one in `global`. */
const say = (service: ServedService, text: string, session_id = "s") =>
  service.post("update_session", { session_id, context: { text } });

describe.each<RuntimeName>(["node", "deno", "bun"])("record, on %s", { timeout: PATIENCE_MS }, (runtime) => {
  test.skipIf(!hasRuntime(runtime))(
    "writes what comes over channels, once each, until there is enough",
    async () => {
      const session_id = `on-${runtime}`;
      const file = `${runtime}.ndjson`;
      const words = ["session-buddy", `session:${session_id}`, "session:*", "global", "--events", "4"];
      const recorder = startCommand(["record", ...words, "--output", file], { ...sessions.here, runtime });
      await recorder.until(isRecording);
      const before = Date.now();
      await sessions.post("start_session", { session_id, project: "tour" });
      await say(sessions, "größer ☃", session_id);
      const { code, stdout, stderr } = await recorder.ended;
      expect([code, stdout]).toEqual([0, ""]);
      expect(stderr).toMatch(/\nRecorded 4 events \(\d+(\.\d)? K?i?B, .*\) to \w+\.ndjson\n$/);
      const record = await read(join(sessions.here.folder, file));
      expect(record.header).toMatchObject({
        format: "mcp-realtime-record",
        version: 1,
        service: "session-buddy",
        url: `${sessions.websocket}/`,
        channels: ["session:*", "global"],
        epoch: expect.stringMatching(/./),
      });
      expect(Math.abs(Date.parse(record.header.started_at) - before)).toBeLessThan(60_000);
      const events = eventsIn(record);
      expect(events.map(({ channel, event }) => `${channel} ${event}`)).toEqual([
        `session:${session_id} session.created`,
        "global session.created",
        `session:${session_id} session.updated`,
        "global session.updated",
      ]);
      expect(events[0]!.id).toBe(events[1]!.id);
      expect(events[2]!.data.changes).toMatchObject({ text: "größer ☃" });
      const seqs = events.map(({ seq }) => seq!);
      expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
      expect(record.entries.at(-1)).toMatchObject({ type: "end", reason: "events", events: 4 });
      expect(record.ending).toBe("end");
      expect((await stat(join(sessions.here.folder, file))).mode & 0o777).toBe(0o600);
    },
  );
});

describe("record", { timeout: PATIENCE_MS }, () => {
  test("names its file by service and time, and ends by --duration and by Ctrl-C with 0", async () => {
    const folder = join(scratch.folder, "names");
    await mkdir(folder);
    const timed = await runCommand(
      ["record", "session-buddy", "global", "--url", sessions.websocket, "--duration", "300ms"],
      { folder },
    );
    expect(timed.code).toBe(0);
    const [name = ""] = await readdir(folder);
    expect(name).toMatch(/^session-buddy-\d{8}T\d{6}Z\.ndjson$/);
    expect((await read(join(folder, name))).entries).toMatchObject([{
      type: "end",
      reason: "duration",
      events: 0,
    }]);
    const words = ["session-buddy", "session:*", "--url", sessions.websocket, "--output", "-"];
    const recorder = startCommand(["record", ...words], { folder });
    await recorder.until(isRecording);
    await sessions.post("start_session", { session_id: "ctrl", project: "tour" });
    await recorder.until((stdout) => stdout.includes("session.created"));
    recorder.kill("SIGINT");
    const { code, stdout } = await recorder.ended;
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
    expect(lines.map(({ type }) => type)).toEqual([undefined, "event", "end"]);
    expect(lines.at(-1)).toMatchObject({ reason: "stopped", events: 1 });
  });

  test("replaces no file without --force, and makes none where the service is out of reach", async () => {
    const folder = join(scratch.folder, "files");
    await mkdir(folder);
    const file = join(folder, "a.ndjson");
    await writeFile(file, "precious");
    const words = ["record", "session-buddy", "global", "--output", "a.ndjson", "--duration", "100ms"];
    const refused = await runCommand([...words, "--url", sessions.websocket], { folder });
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringMatching(/^Cannot write "a\.ndjson": there is a file already; .*--force/),
    ]);
    expect(await readFile(file, "utf8")).toBe("precious");
    const nowhere = `ws://127.0.0.1:${await freePort()}`;
    const away = await runCommand([...words, "--force", "--url", nowhere], { folder });
    expect([away.code, away.stderr]).toEqual([1, expect.stringContaining("Cannot reach session-buddy")]);
    expect(await readFile(file, "utf8")).toBe("precious");
    expect((await runCommand([...words, "--force", "--url", sessions.websocket], { folder })).code).toBe(0);
    expect((await read(file)).ending).toBe("end");
    const lost = await runCommand(
      ["record", "session-buddy", "global", "--output", "no/where.ndjson", "--url", sessions.websocket],
      { folder },
    );
    expect([lost.code, lost.stderr]).toEqual([
      1,
      'Cannot write "no/where.ndjson": its folder does not exist; make it, or name another file\n',
    ]);
    expect(await readdir(folder)).toEqual(["a.ndjson"]);
  });

  test("goes on over a service that is killed, and misses nothing", async () => {
    const service = await served();
    await service.post("start_session", { session_id: "s", project: "tour" });
    const words = ["record", "session-buddy", "session:s", "--last", "1", "--output", "over.ndjson"];
    const recorder = startCommand(words, service.here);
    await recorder.until(isRecording);
    await say(service, "before");
    await service.stop("SIGKILL");
    await recorder.until((_, stderr) => stderr.includes("is lost"));
    await service.again();
    await say(service, "meanwhile, perhaps");
    await recorder.until((_, stderr) => stderr.includes("is back"));
    await say(service, "last");
    const file = join(service.here.folder, "over.ndjson");
    await expect.poll(() => readFile(file, "utf8"), { timeout: 60_000 }).toContain('"text":"last"');
    recorder.kill("SIGTERM");
    const { code, stderr } = await recorder.ended;
    expect([code, stderr]).toEqual([0, expect.stringMatching(/Recorded 4 events .*; 1 interruption\n$/)]);
    const record = await read(file);
    const events = eventsIn(record);
    expect(events.map(({ data }) => (data.changes as { text?: string } | undefined)?.text ?? null))
      .toEqual([
        null,
        "before",
        "meanwhile, perhaps",
        "last",
      ]);
    // Each names the one before it.
    expect(events.slice(1).map(({ prev }) => prev)).toEqual(events.slice(0, -1).map(({ seq }) => seq));
    const states = record.entries.flatMap((entry) => entry.type === "connection" ? [entry.state] : []);
    expect(states).toEqual(["lost", "restored"]);
  });

  test("writes down a gap where the service has lost its past, and ends with 5", async () => {
    const service = await served({ storage: { path: ":memory:" } });
    const recorder = startCommand(
      ["record", "session-buddy", "session:*", "--output", "gap.ndjson"],
      service.here,
    );
    await recorder.until(isRecording);
    await service.post("start_session", { session_id: "s", project: "tour" });
    await service.stop("SIGKILL");
    await recorder.until((_, stderr) => stderr.includes("is lost"));
    await service.again();
    await recorder.until((_, stderr) => stderr.includes("is back"));
    const file = join(service.here.folder, "gap.ndjson");
    await expect.poll(() => readFile(file, "utf8"), { timeout: 60_000 }).toContain('"type":"gap"');
    recorder.kill("SIGINT");
    const { code, stderr } = await recorder.ended;
    expect([code, stderr]).toEqual([
      5,
      expect.stringContaining("; 1 interruption; 1 gap: events are missing\n"),
    ]);
    expect((await read(file)).entries.find(({ type }) => type === "gap")).toMatchObject({
      channel: "session:*",
      cause: "epoch",
    });
  });

  test("leaves a file that can be read up to its last whole line when it is killed", async () => {
    const recorder = startCommand(
      ["record", "session-buddy", "session:killed", "--output", "k.ndjson"],
      sessions.here,
    );
    await recorder.until(isRecording);
    await sessions.post("start_session", { session_id: "killed", project: "tour" });
    await say(sessions, "1", "killed");
    const file = join(sessions.here.folder, "k.ndjson");
    await expect.poll(() => readFile(file, "utf8"), { timeout: 60_000 }).toContain("session.updated");
    recorder.kill("SIGKILL");
    expect((await recorder.ended).code).toBe("SIGKILL");
    const record = await read(file);
    expect(eventsIn(record).map(({ event }) => event)).toEqual(["session.created", "session.updated"]);
    expect(record.ending).toBe("cut");
  });

  test("keeps up with many events at once, in the order of their positions", async () => {
    const recorder = startCommand(
      ["record", "session-buddy", "session:*", "knowledge:*", "--events", "600", "--output", "many.ndjson"],
      sessions.here,
    );
    await recorder.until(isRecording);
    await sessions.post("start_session", { session_id: "many", project: "tour" });
    await Promise.all(Array.from({ length: 300 }, async (_, index) => {
      await say(sessions, String(index), "many");
      await sessions.post("capture_knowledge", {
        session_id: "many",
        kind: "note",
        content: `note ${index}`,
      });
    }));
    expect((await recorder.ended).code).toBe(0);
    const record = await read(join(sessions.here.folder, "many.ndjson"));
    const seqs = eventsIn(record).map(({ seq }) => seq!);
    expect(seqs).toHaveLength(600);
    expect(new Set(seqs).size).toBe(600);
    for (const kind of ["session", "knowledge"]) {
      const own = eventsIn(record).filter(({ channel }) => channel.startsWith(kind)).map(({ seq }) => seq!);
      expect(own).toEqual([...own].sort((a, b) => a - b));
    }
  });

  test("ends with 4 where its token is refused, and never writes it down", async () => {
    const service = await served({ auth: { required: true, secret: SECRET } });
    const words = ["record", "session-buddy", "global", "--output", "auth.ndjson", "--duration", "100ms"];
    const environment = { MCP_REALTIME_TOKEN: "a-token-77" };
    const refused = await runCommand(words, { ...service.here, environment });
    expect(refused.code).toBe(4);
    expect(refused.stderr).not.toContain("a-token-77");
    expect(await readdir(service.here.folder)).not.toContain("auth.ndjson");
    // By a token that it makes with the secret of the settings.
    expect((await runCommand(words, service.here)).code).toBe(0);
    expect(await readFile(join(service.here.folder, "auth.ndjson"), "utf8")).not.toMatch(/token|secret/);
  });

  test.each([
    [["session-buddy"], 2, /missing required argument "channel"/i],
    [["session-budy", "global"], 2, /did you mean "session-buddy"\?/],
    [
      ["session-buddy", "global", "--events", "0"],
      2,
      /--events: expected a whole number from 1 to 999999999, got "0"/,
    ],
    [["session-buddy", "global", "--duration", "soon"], 2, /--duration: expected a time like 500ms/],
    [["session-buddy", "nothing:*", "--output", "x.ndjson"], 1, /INVALID_CHANNEL/],
  ])("says what is wrong with %j", async (words, code, message) => {
    const ended = await runCommand(["record", ...words], sessions.here);
    expect([ended.code, ended.stdout]).toEqual([code, ""]);
    expect(ended.stderr).toMatch(message);
    expect(await readdir(sessions.here.folder)).not.toContain("x.ndjson");
  });
});
