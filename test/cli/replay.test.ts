/**
 * `mcp-realtime replay`, as a person or a script runs it: a process of its own, read by clients.
 */
import { execFileSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Client, createClient } from "../../src/client/node.ts";
import { openRecord } from "../../src/recording/read-record.ts";
import { formatLine } from "../../src/recording/record-line.ts";
import type { RecordedEvent, RecordEntry, RecordHeader } from "../../src/recording/record.ts";
import { bytesOf, pieces } from "../recording/pieces.ts";
import { useBuiltScratch } from "../support/built-scratch.ts";
import { runCommand, type RunningCommand, startCommand } from "../support/command-process.ts";
import { hasRuntime, type RuntimeName } from "../support/start-program.ts";

const PATIENCE_MS = 120_000;

const scratch = useBuiltScratch();
const started: RunningCommand[] = [];
const clients: Client[] = [];

beforeAll(() => mkdir(join(scratch.folder, "replay")), PATIENCE_MS);
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  for (const command of started) command.kill("SIGTERM");
  await Promise.all(started.splice(0).map(({ ended }) => ended));
});

const HEADER: RecordHeader = {
  format: "mcp-realtime-record",
  version: 1,
  service: "crackerjack",
  url: "ws://127.0.0.1:8686/",
  channels: ["test:*", "global"],
  started_at: "2026-01-31T12:00:00.000Z",
  epoch: "abc",
};

/** An event of a channel, at a moment. */
function event(index: number, at: number, channel = `test:${index % 3}`): RecordEntry {
  const moment = new Date(Date.parse(HEADER.started_at) + at).toISOString();
  return {
    at,
    type: "event",
    channel,
    event: index % 2 === 0 ? "test.started" : "test.failed",
    id: `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`,
    data: { run_id: String(index), text: "größer ☃", timestamp: moment },
    timestamp: moment,
    seq: 10 * index + 7,
    prev: 0,
    epoch: "abc",
  };
}

async function fileWith(name: string, entries: readonly RecordEntry[], rest = ""): Promise<string> {
  const path = join(scratch.folder, "replay", name);
  await writeFile(path, formatLine(HEADER) + entries.map(formatLine).join("") + rest);
  return path;
}

interface Replaying extends RunningCommand {
  readonly websocket: string;
  readonly http: string;
}

/** Start it, and wait until it can be read. */
async function replaying(words: readonly string[], runtime: RuntimeName = "node"): Promise<Replaying> {
  const command = startCommand(["replay", ...words], { folder: scratch.folder, runtime });
  started.push(command);
  await command.until((stdout) => stdout.includes("Stop with Ctrl-C"));
  const address = (label: string) =>
    new RegExp(`^  ${label} +(\\S+)$`, "m").exec(command.stdout())?.[1] ?? "";
  return { ...command, websocket: address("WebSocket"), http: address("HTTP") };
}

/** What a client reads of channels until it has so many events. */
async function readBy(url: string, channels: readonly string[], count: number): Promise<RecordedEvent[]> {
  const client = createClient({ url });
  clients.push(client);
  const events: RecordedEvent[] = [];
  await Promise.race(channels.map(async (channel) => {
    for await (const item of client.subscribe(channel)) {
      if (item.type === "gap") throw new Error(`Expected no gap, got one: ${JSON.stringify(item)}`);
      if (item.type !== "event") continue;
      events.push(item as unknown as RecordedEvent);
      if (events.length === count) return;
    }
  }));
  return events;
}

/** All that a replay keeps of an event. */
const kept = ({ channel, event, id, data, timestamp }: RecordedEvent) => ({
  channel,
  event,
  id,
  data,
  timestamp,
});

describe.each<RuntimeName>(["node", "deno", "bun"])("replay, on %s", { timeout: PATIENCE_MS }, (runtime) => {
  test.skipIf(!hasRuntime(runtime))(
    "brings every event as it was to the first client that subscribes",
    async () => {
      const entries = Array.from(
        { length: 2_000 },
        (_, index) => event(index, index * 1_000, index % 4 === 0 ? "global" : undefined),
      );
      const file = await fileWith(`${runtime}.ndjson`, entries);
      const { websocket, until, kill, ended } = await replaying([file, "--speed", "max"], runtime);
      const events = await readBy(websocket, ["test:*", "global"], 2_000);
      const of = (list: readonly RecordedEvent[], kind: string) =>
        list.filter(({ channel }) => channel.startsWith(kind)).map(kept);
      for (const kind of ["test", "global"]) {
        expect(of(events, kind)).toEqual(of(entries as RecordedEvent[], kind));
      }
      // Positions are of an epoch of its own, without a hole.
      const seqs = events.map(({ seq }) => seq!).sort((a, b) => a - b);
      expect(seqs.at(-1)! - seqs[0]!).toBe(1_999);
      expect(events[0]!.epoch).not.toBe("abc");
      await until((_, stderr) => stderr.includes("Replayed 2,000 events; they can be read until Ctrl-C"));
      kill("SIGINT");
      expect((await ended).code).toBe(0);
    },
  );
});

describe("replay", { timeout: PATIENCE_MS }, () => {
  test("serves history, HTTP and filters as a service does, and takes no requests", async () => {
    const entries = Array.from({ length: 12 }, (_, index) => event(index, index));
    const { websocket, http, until } = await replaying([
      await fileWith("http.ndjson", entries),
      "--now",
      "--speed",
      "max",
    ]);
    await until((_, stderr) => stderr.includes("Replayed 12 events"));
    const page = await (await fetch(`${http}/api/channels/test:1/events?last=10`)).json() as {
      events: RecordedEvent[];
    };
    expect(page.events.map(({ id }) => id)).toEqual(
      [1, 4, 7, 10].map((index) => (entries[index] as RecordedEvent).id),
    );
    expect(await (await fetch(`${http}/health`)).json()).toMatchObject({ server: "crackerjack" });
    const client = createClient({ url: websocket });
    clients.push(client);
    const late = [];
    for await (const item of client.subscribe("test:*", { last: 100, events: ["test.failed"] })) {
      if (item.type === "event") late.push(item.id);
      if (late.length === 6) break;
    }
    expect(late).toEqual(
      entries.filter((_, index) => index % 2 === 1).map((entry) => (entry as RecordedEvent).id),
    );
    await expect(client.request("run_tests", {})).rejects.toThrow(/run_tests/);
  });

  test("keeps the time between events, by its speed", async () => {
    const entries = [event(1, 60_000), event(4, 61_000), event(7, 64_000)];
    const { websocket } = await replaying([await fileWith("timed.ndjson", entries), "--speed", "5"]);
    const client = createClient({ url: websocket });
    clients.push(client);
    const times: number[] = [];
    for await (const item of client.subscribe("test:1")) {
      if (item.type === "event") times.push(performance.now());
      if (times.length === 3) break;
    }
    // Never earlier than they are due; later only as the machine is busy.
    expect(times[1]! - times[0]!).toBeGreaterThan(150);
    expect(times[2]! - times[0]!).toBeGreaterThan(750);
  });

  test("begins where --from says, brings what --channel names, and ends by --exit when readers have all", async () => {
    const entries = Array.from({ length: 3_000 }, (_, index) => event(index, index));
    const file = await fileWith("part.ndjson", entries);
    const words = [file, "--speed", "max", "--from", "1500ms", "--channel", "test:1", "--exit"];
    const { websocket, ended } = await replaying(words);
    const events = await readBy(websocket, ["test:*"], 500);
    const expected = entries.filter((entry, index) =>
      entry.at >= 1_500 && index % 3 === 1
    ) as RecordedEvent[];
    expect(events.map(kept)).toEqual(expected.map(kept));
    expect(await ended).toMatchObject({ code: 0, stderr: expect.stringContaining("Replayed 500 events\n") });
  });

  test("refuses channels and beginnings that the record has not, at once", async () => {
    const file = await fileWith("little.ndjson", [event(1, 1), event(2, 6), event(3, 9, "global")]);
    const told = async (...words: string[]) => {
      const { code, stdout, stderr } = await runCommand(["replay", file, ...words], {
        folder: scratch.folder,
      });
      expect([code, stdout]).toEqual([2, ""]);
      return stderr.slice(stderr.indexOf("--"));
    };
    const which = "--channel: expected a channel of the record, which has test:*, global, got";
    expect(await told("--channel", "tset:*", "--channel", "test:1", "--channel", "test:7")).toBe(
      `${which} "tset:*", did you mean "test:*"?\n${which} "test:7", did you mean "test:1"?\n`,
    );
    const from = "--from: expected a place up to the last event of";
    expect(await told("--from", "10s")).toBe(
      `${from} the record (9ms, seq 37, 2026-01-31T12:00:00.009Z), got one behind it\n`,
    );
    expect(await told("--from", "28", "--channel", "test:*")).toBe(
      `${from} --channel (6ms, seq 27, 2026-01-31T12:00:00.006Z), got one behind it\n`,
    );
  });

  test("brings the event at --from itself, and nothing where a recorded channel was silent", async () => {
    const file = await fileWith("edges.ndjson", [event(1, 1), event(2, 6)]);
    const words = ["replay", file, "--now", "--exit", "--speed", "max"];
    const replayed = async (...more: string[]) => {
      const { code, stderr } = await runCommand([...words, ...more], { folder: scratch.folder });
      expect(code).toBe(0);
      return /Replayed .*/.exec(stderr)?.[0];
    };
    for (const from of ["6ms", "27", "2026-01-31T12:00:00.006Z"]) {
      expect(await replayed("--from", from)).toBe("Replayed 1 event");
    }
    expect(await replayed("--channel", "global")).toBe("Replayed 0 events");
  });

  test("is recorded again as it was", async () => {
    const entries = Array.from({ length: 300 }, (_, index) => event(index, index));
    const { websocket } = await replaying([await fileWith("again.ndjson", entries), "--speed", "max"]);
    const again = await runCommand(
      ["record", "crackerjack", "test:*", "--url", websocket, "--events", "300", "--output", "-"],
      { folder: scratch.folder },
    );
    expect(again.code).toBe(0);
    const record = await openRecord(pieces(bytesOf(again.stdout)), "again");
    const found: RecordedEvent[] = [];
    for await (const entry of record.entries()) if (entry.type === "event") found.push(entry);
    expect(found.map(kept)).toEqual((entries as RecordedEvent[]).map(kept));
    expect(record.header.service).toBe("crackerjack");
  });

  test("says that a record was cut off or has gaps, and replays what is there", async () => {
    const gap: RecordEntry = { at: 5, type: "gap", channel: "test:*", from: 17, to: 20, cause: "history" };
    const file = await fileWith(
      "cut.ndjson",
      [event(1, 1), gap, event(2, 6)],
      '{"at":7,"type":"event","chan',
    );
    const ended = await runCommand(["replay", file, "--now", "--exit", "--speed", "max"], {
      folder: scratch.folder,
    });
    expect(ended.code).toBe(0);
    expect(ended.stderr).toContain(
      "2 events of crackerjack in 6ms, recorded from 2026-01-31T12:00:00.000Z\n",
    );
    expect(ended.stderr).toContain("The record was cut off: it ends with its last whole line\n");
    expect(ended.stderr).toContain("The record has 1 gap: events are missing there\n");
    expect(ended.stderr).toContain("Replayed 2 events\n");
  });

  test("refuses what is damaged, what no service can be made of, and what is not there", async () => {
    const told = async (path: string) => {
      const { code, stdout, stderr } = await runCommand(["replay", path], { folder: scratch.folder });
      expect([code, stdout]).toEqual([1, ""]);
      return stderr;
    };
    const damaged = await fileWith("damaged.ndjson", [event(1, 1)], `{"at":2}\n${formatLine(event(2, 3))}`);
    expect(await told(damaged)).toMatch(/damaged\.ndjson:3: expected a line with "type" of .*, got none\n$/);
    expect(await told(await fileWith("both.ndjson", [event(1, 1, "test")]))).toMatch(
      /expected channels of kind "test" to have an id all, or none, got both/,
    );
    const strange = { ...event(1, 1), event: "Not An Event" } as RecordEntry;
    expect(await told(await fileWith("strange.ndjson", [strange]))).toMatch(
      /^.*Cannot replay the record: .*'Not An Event'/s,
    );
    expect(await told("nowhere.ndjson")).toBe('Cannot read "nowhere.ndjson": there is no such file\n');
    expect(await told(".")).toBe('Cannot read ".": it is a folder; name a file\n');
    execFileSync("mkfifo", [join(scratch.folder, "pipe")]);
    expect(await told("pipe")).toBe(
      'Cannot read "pipe": it is a pipe or a device, and a record is read twice; write it to a file first, and ' +
        "replay that\n",
    );
  });

  test.each([
    [["--speed", "0"], '--speed: expected a number from 0.001 to 100000, or max, got "0"'],
    [["--from", "later"], "--from: expected a time since the start like 90s"],
    [["--port", "70000"], '--port: expected a port from 0 to 65535, got "70000"'],
  ])("refuses %j", async (words, message) => {
    const { code, stderr } = await runCommand(["replay", "a.ndjson", ...words], { folder: scratch.folder });
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});
