import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { AkoshaWebSocketServer } from "../../services/akosha/mod.ts";
import { CrackerjackWebSocketServer } from "../../services/crackerjack/mod.ts";
import { DhruvaWebSocketServer } from "../../services/dhruva/mod.ts";
import { ExcalidrawWebSocketServer } from "../../services/excalidraw/mod.ts";
import { MahavishnuWebSocketServer } from "../../services/mahavishnu/mod.ts";
import { SessionBuddyWebSocketServer } from "../../services/session-buddy/mod.ts";
import { startService } from "../suite/running-service.ts";
import type { ServiceDescription } from "../suite/service-description.ts";
import { Listener, Requester, type Subscribed } from "./listener.ts";
import {
  ADAPTER,
  adapterFolds,
  type Data,
  diagramFold,
  findingFolds,
  type Fold,
  presenceFold,
  qualityFolds,
  runFold,
  sessionFold,
  workflowFolds,
} from "./snapshot-folds.ts";

const TIMEOUT_MS = 180_000;
/** Subscribers of one channel. */
const READERS = 40;
const PATIENCE = { timeout: 60_000, interval: 50 };

interface Scene {
  readonly name: string;
  readonly Server: ServiceDescription["Server"];
  readonly own?: NonNullable<ServiceDescription["own"]>;
  /** Make what the channels are about; its folds. */
  readonly prepare: (requester: Requester) => Promise<readonly Fold[]>;
  /** Commit something, for the nth time. False when there is nothing more to commit. */
  readonly publish: (requester: Requester, n: number) => Promise<boolean>;
}

interface Reader {
  readonly fold: Fold;
  readonly listener: Listener;
  readonly reply: Subscribed;
}

/** Subscribe to all channels again and again, until the publisher is done. */
async function readWhile(url: string, folds: readonly Fold[], isDone: () => boolean): Promise<Reader[]> {
  const readers: Reader[] = [];
  for (let round = 0; round < READERS && !isDone(); round++) {
    readers.push(
      ...await Promise.all(folds.map(async (fold) => {
        const listener = new Listener(url, fold.channel);
        return { fold, listener, reply: await listener.subscribed };
      })),
    );
  }
  return readers;
}

function folded({ fold, listener, reply }: Reader): Data {
  return listener.events.reduce(fold.apply, fold.take(reply.snapshot));
}

/** What the service knows of a channel now. */
async function known(url: string, fold: Fold, requester: Requester): Promise<Data> {
  if (fold.ask) return fold.take(await fold.ask(requester));
  const listener = new Listener(url, fold.channel);
  const { snapshot } = await listener.subscribed;
  await listener.close();
  return fold.take(snapshot);
}

function expectUnbroken({ fold, listener, reply }: Reader): void {
  let { seq } = reply;
  for (const event of listener.events) {
    expect(event.prev <= seq && seq < event.seq, `${fold.channel}: ${event.prev}, ${event.seq} after ${seq}`)
      .toBe(true);
    seq = event.seq;
  }
  expect(listener.strange, fold.channel).toEqual([]);
}

const box = (id: string, version: number) => ({
  id,
  type: "rectangle",
  version,
  versionNonce: version,
  x: version,
});
/** So many of a thousand lines are covered. */
const lcov = (lines: number) => `TN:\nSF:a.js\nLF:1000\nLH:${lines}\nend_of_record\n`;

/** Distributions whose second target has not answered yet. */
const unacknowledged: { distribution_id: string; sha256: string }[] = [];

const scenes: readonly Scene[] = [
  {
    name: "session-buddy",
    Server: SessionBuddyWebSocketServer,
    async prepare(requester) {
      await requester.request("start_session", { session_id: "s", project: "edges" });
      return [sessionFold];
    },
    async publish(requester, n) {
      const context = { [`key_${n % 7}`]: n % 3 === 0 ? null : { n, deep: { [`m${n % 2}`]: n } } };
      await requester.request("update_session", { session_id: "s", context });
      if (n % 5 === 0) await requester.request("checkpoint_session", { session_id: "s" });
      return n < 400;
    },
  },
  {
    name: "excalidraw",
    Server: ExcalidrawWebSocketServer,
    async prepare(requester) {
      await requester.request("create_diagram", { diagram_id: "d" });
      return [diagramFold, presenceFold];
    },
    async publish(requester, n) {
      const elements = [box(`e${n % 10}`, n + 1), box(`f${n % 3}`, n + 1)];
      await requester.request("update_diagram", { diagram_id: "d", elements });
      // Each of five comes in one round and goes in another.
      const user = { diagram_id: "d", user_id: `u${n % 5}` };
      await requester.request(Math.floor(n / 5) % 2 === 0 ? "join_diagram" : "leave_diagram", user);
      return n < 300;
    },
  },
  {
    name: "dhruva",
    Server: DhruvaWebSocketServer,
    async prepare(requester) {
      const [domain, key, provider] = ADAPTER.split(":");
      await requester.request("store_adapter", { domain, key, provider, version: "0" });
      return adapterFolds;
    },
    async publish(requester, n) {
      const [domain, key, provider] = ADAPTER.split(":");
      const changelog = `change ${n}`;
      await requester.request("store_adapter", { domain, key, provider, version: `1.${n}`, changelog });
      const { distribution_id, sha256 } = await requester.request("distribute_adapter", {
        adapter_id: ADAPTER,
        targets: ["client:a", "client:b"],
      });
      const ack = (target: string, of: { distribution_id: string; sha256: string }) =>
        requester.request("ack_distribution", { target, ...of });
      await ack("client:a", { distribution_id, sha256 });
      unacknowledged.push({ distribution_id, sha256 });
      if (unacknowledged.length > 5) await ack("client:b", unacknowledged.shift()!);
      return n < 150;
    },
  },
  {
    name: "crackerjack",
    Server: CrackerjackWebSocketServer,
    async own(folder) {
      for (const project of ["shop", "bank", "slow"]) await mkdir(join(folder, project));
      const lines = `for (let n = 1; n <= 400; n++) console.log("not ok " + n + " - test " + n);`;
      await writeFile(join(folder, "slow", "tests.mjs"), `console.log("TAP version 13\\n1..400");\n${lines}`);
      return {
        roots: [folder],
        projects: { slow: { path: "slow", runner: "tap", command: [process.execPath, "tests.mjs"] } },
      };
    },
    async prepare(requester) {
      await requester.request("report_coverage", { project: "shop", content: lcov(1) });
      await requester.request("check_quality", { project: "shop" });
      const { run_id } = await requester.request("run_tests", { project: "slow" });
      return [...qualityFolds, runFold(run_id)];
    },
    async publish(requester, n) {
      await requester.request("report_coverage", { project: ["shop", "bank"][n % 2], content: lcov(n) });
      if (n % 5 === 0) await requester.request("check_quality", { project: "shop" });
      return n < 300;
    },
  },
  {
    name: "mahavishnu",
    Server: MahavishnuWebSocketServer,
    async own(folder) {
      const command = JSON.stringify([process.execPath, "--version"]);
      const stage = (n: number) =>
        `  stage-${n}:\n    run: ${command}\n    needs: [${n > 0 ? `stage-${n - 1}` : ""}]\n`;
      const stages = (count: number) =>
        `stages:\n${Array.from({ length: count }, (_, n) => stage(n)).join("")}`;
      await mkdir(join(folder, "workflows"));
      await writeFile(join(folder, "workflows", "long.yaml"), stages(15));
      await writeFile(join(folder, "workflows", "short.yaml"), stages(1));
      return {
        definitions: join(folder, "workflows"),
        working_directory: folder,
        pools: { default: { min: 2, max: 2 } },
      };
    },
    async prepare(requester) {
      await requester.request("run_workflow", { workflow_id: "long", definition: "long" });
      return workflowFolds;
    },
    async publish(requester, n) {
      if (n % 20 === 0) await requester.request("run_workflow", { definition: "short" });
      const { status } = await requester.request("get_workflow_status", { workflow_id: "long" });
      return status !== "completed";
    },
  },
  {
    name: "akosha",
    Server: AkoshaWebSocketServer,
    own: () => ({ feeds: {} }),
    prepare: () => Promise.resolve(findingFolds),
    async publish(requester, n) {
      // Two minutes of observations a round, one of which stands out; and in some rounds a series with a new level.
      const from = Date.now() - 3_600_000 + n * 120_000;
      const at = (second: number) => new Date(from + second * 1_000).toISOString();
      const observations = Array.from({ length: 24 }, (_, k) => ({
        metric: "latency",
        value: k === 23 && n > 2 ? 1_000 : 10 + (k % 5),
        at: at(k * 5),
      }));
      await requester.request("record_observations", { observations });
      if (n % 3 === 0) {
        const level = (value: number) => Array.from({ length: 16 }, () => ({ metric: `step.${n}`, value }));
        await requester.request("record_observations", { observations: [...level(0), ...level(10 + n)] });
      }
      return n < 20;
    },
  },
];

describe.each(scenes)("a snapshot of $name", ({ name, Server, own, prepare, publish }) => {
  it("and the events after its position are the whole state, whenever it is taken", {
    timeout: TIMEOUT_MS,
  }, async () => {
    const service = await startService({ name, Server, ...(own ? { own } : {}) }, {
      websocket: { max_connections: 0, message_rate_limit: 0 },
      history: { events: 100_000, bytes: 67_108_864 },
    });
    onTestFinished(() => service.stop());
    const requester = await Requester.open(service.url);
    const folds = await prepare(requester);
    let isDone = false;
    const publishing = (async () => {
      for (let n = 1; await publish(requester, n); n++);
      isDone = true;
    })();
    const readers = await readWhile(service.url, folds, () => isDone);
    await publishing;
    for (const fold of folds) {
      const its = readers.filter((reader) => reader.fold === fold);
      await vi.waitFor(async () => {
        const state = await known(service.url, fold, requester);
        for (const reader of its) expect(folded(reader), fold.channel).toEqual(state);
      }, PATIENCE);
      // Without an event after the snapshot there was nothing to get wrong.
      expect(its.filter(({ listener }) => listener.events.length > 0), fold.channel).not.toEqual([]);
      for (const reader of its) expectUnbroken(reader);
    }
    for (const { listener } of readers) listener.ws.terminate();
    await requester.close();
  });
});
