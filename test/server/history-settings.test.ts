import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { silentLog } from "../../src/ports/log.ts";
import { defineContract } from "../../src/protocol/contract.ts";
import { detectRuntime } from "../../src/runtimes/detect.ts";
import { RealtimeServer } from "../../src/server/realtime-server.ts";
import { readSettings } from "../../src/server/run.ts";
import { defineService } from "../../src/service/define-service.ts";
import type { SettingsPart } from "../../src/settings/schema.ts";
import { SettingsError } from "../../src/settings/settings-error.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { get } from "../support/http-client.ts";

const data = v.object({ id: v.string(), text: v.optional(v.string(), "") });

const contract = defineContract({
  name: "shelf",
  ports: { http: 18_680, websocket: 18_690 },
  channels: {
    plain: { description: "As the settings say", id: "id" },
    bounded: { description: "As the contract says", id: "id", history: { events: 3 } },
    passing: { description: "No history", id: "id", ephemeral: true },
  },
  events: {
    "plain.put": { description: "Something", channels: ["plain"], data },
    "bounded.put": { description: "Something", channels: ["bounded"], data },
  },
  requests: {},
});

const service = defineService({ contract, createManager: () => ({}), createHandlers: () => ({}) });

async function startShelf(settings: SettingsPart, clock = new FakeClock()) {
  const server = new RealtimeServer(service, {
    runtime: await detectRuntime({ log: silentLog }),
    log: silentLog,
    clock,
    settings: { ...settings, websocket: { port: 0 }, http: { port: 0 } },
  });
  await server.start();
  const base = `http://127.0.0.1:${server.httpPort}`;
  return {
    server,
    put(kind: "plain" | "bounded", count: number, text = "") {
      for (let index = 0; index < count; index++) server.publish(`${kind}.put`, { id: "a", text });
    },
    async kept(kind: string): Promise<number> {
      return (await get(`${base}/api/channels/${kind}:a/events?limit=1000`)).body.events.length;
    },
    async capped(): Promise<number> {
      const { body } = await get(`${base}/metrics`);
      return Number(/^websocket_history_capped_events_total\{server="shelf"\} (\d+)$/m.exec(body)![1]);
    },
    async bounds(): Promise<Record<string, unknown>> {
      const { body } = await get(`${base}/api/channels`);
      return Object.fromEntries(
        body.kinds.map(({ kind, history }: { kind: string; history: unknown }) => [kind, history]),
      );
    },
  };
}

describe.each(["none", ":memory:"])("history with storage %s", (path) => {
  const storage = { path };

  it("is as the contract says where the settings say nothing of the kind, else as the settings say", async () => {
    const cases: [SettingsPart["history"], Record<string, number>][] = [
      [{}, { plain: 20, bounded: 3 }],
      [{ events: 5 }, { plain: 5, bounded: 3 }],
      [{ kinds: { bounded: { events: 7 } } }, { plain: 20, bounded: 7 }],
      [{ events: 5, kinds: { bounded: { events: 2 }, plain: { events: 6 } } }, { plain: 6, bounded: 2 }],
      [{ kinds: { bounded: { events: 0 } } }, { plain: 20, bounded: 0 }],
      // What is not set for the kind stays as the contract says.
      [{ kinds: { bounded: { bytes: 1_000_000 } } }, { plain: 20, bounded: 3 }],
    ];
    for (const [history, expected] of cases) {
      const shelf = await startShelf({ storage, history });
      for (const kind of ["plain", "bounded"] as const) {
        shelf.put(kind, 20);
        expect(await shelf.kept(kind), `${kind} of ${JSON.stringify(history)}`).toBe(expected[kind]);
      }
      await shelf.server.stop();
    }
  });

  it("ends for one kind by age and by bytes where its settings say so", async () => {
    const clock = new FakeClock();
    const kinds = { plain: { age_seconds: 10 }, bounded: { events: 100, bytes: 2_000 } };
    const shelf = await startShelf({ storage, history: { kinds } }, clock);
    expect(await shelf.bounds()).toEqual({
      global: { events: 256, age_seconds: 600, bytes: 4_194_304 },
      plain: { events: 256, age_seconds: 10, bytes: 4_194_304 },
      bounded: { events: 100, age_seconds: 600, bytes: 2_000 },
      passing: null,
    });
    shelf.put("plain", 4);
    shelf.put("bounded", 50, "x".repeat(500));
    expect(await shelf.kept("plain")).toBe(4);
    expect(await shelf.kept("bounded")).toBe(2);
    clock.advance(10_001);
    expect(await shelf.kept("plain")).toBe(0);
    expect(await shelf.kept("bounded")).toBe(2);
    await shelf.server.stop();
  });

  it("is capped for all kinds together, and the metric counts what goes for that", async () => {
    const shelf = await startShelf({
      storage,
      history: { total_bytes: 20_000, kinds: { bounded: { events: 500 } } },
    });
    shelf.put("plain", 3, "x".repeat(1_000));
    expect(await shelf.capped()).toBe(0);
    shelf.put("bounded", 40, "x".repeat(1_000));
    // The oldest go first, whatever their kind.
    expect(await shelf.kept("plain")).toBe(0);
    const kept = await shelf.kept("bounded");
    expect(kept).toBeGreaterThan(10);
    expect(kept).toBeLessThan(20);
    expect(await shelf.capped()).toBe(43 - kept);
    await shelf.server.stop();
  });
});

it("history.kinds comes from the settings file, and a wrong kind is told with its line", async () => {
  const read = (text: string) =>
    readSettings(service as never, {
      environment: {},
      files: {
        readText: () => Promise.resolve(text),
        resolve: (file: string) => file,
      } as never,
    });
  const settings = await read("history:\n  kinds:\n    bounded: { events: 7 }\nstorage: { path: none }\n");
  const shelf = await startShelf(settings);
  shelf.put("bounded", 20);
  expect(await shelf.kept("bounded")).toBe(7);
  await shelf.server.stop();
  await expect(read("history:\n  kinds:\n    bound: { events: 7 }\n    passing: {}\n")).rejects.toThrow(
    new SettingsError([
      "settings/shelf.yaml:3: history.kinds.bound: expected a kind of channel that keeps history " +
      '(global, plain, bounded), got "bound"',
      "settings/shelf.yaml:4: history.kinds.passing: expected a kind of channel that keeps history " +
      '(global, plain, bounded), got "passing"',
    ]),
  );
});

it("a program that gives settings of an unknown kind is told at once", () => {
  const settings = { history: { kinds: { boundde: { events: 7 } } } };
  expect(() => new RealtimeServer(service, { settings })).toThrow(
    'Settings: history.kinds.boundde: expected a kind of channel that keeps history (global, plain, bounded), got "boundde", did you mean "bounded"?',
  );
});
