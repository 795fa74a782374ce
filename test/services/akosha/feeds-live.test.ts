import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { AkoshaContract } from "../../../services/akosha/contract.ts";
import { DEFAULT_FEEDS } from "../../../services/akosha/domain/default-feeds.ts";
import { type AkoshaManager, akoshaService } from "../../../services/akosha/mod.ts";
import { CrackerjackWebSocketServer } from "../../../services/crackerjack/mod.ts";
import { MahavishnuWebSocketServer } from "../../../services/mahavishnu/mod.ts";
import { createToken } from "../../../src/auth/token.ts";
import { systemClock } from "../../../src/ports/clock.ts";
import { lineLog } from "../../../src/ports/log.ts";
import type { JsonObject } from "../../../src/protocol/json.ts";
import { type RunningService, startService } from "../../suite/running-service.ts";
import { type Started, startManager } from "../../support/started-manager.ts";

const PATIENCE = { timeout: 30_000 };

/** Says TAP, with as many failures as the file beside it says. */
const TESTS = `
import { readFileSync } from "node:fs";
const failures = Number(readFileSync("failures", "utf8"));
console.log("1..5");
for (let test = 1; test <= 5; test++) console.log((test <= failures ? "not ok " : "ok ") + test + " - number " + test);
process.exitCode = failures > 0 ? 1 : 0;
`;

let crackerjack: RunningService;
let mahavishnu: RunningService;
let shop: string;
beforeAll(async () => {
  crackerjack = await startService({
    name: "crackerjack",
    Server: CrackerjackWebSocketServer,
    async own(folder) {
      shop = join(folder, "shop");
      await mkdir(shop);
      await writeFile(join(shop, "tests.mjs"), TESTS);
      const project = { path: "shop", command: [process.execPath, "tests.mjs"], runner: "tap" };
      return { roots: [folder], projects: { shop: project } };
    },
  });
  mahavishnu = await startService({
    name: "mahavishnu",
    Server: MahavishnuWebSocketServer,
    async own(folder) {
      await mkdir(join(folder, "workflows"));
      for (const [name, program] of [["good", "true"], ["bad", "false"]]) {
        await writeFile(join(folder, `workflows/${name}.yaml`), `stages:\n  only: { run: ["${program}"] }\n`);
      }
      return { definitions: join(folder, "workflows"), working_directory: folder };
    },
  });
}, 60_000);
afterAll(async () => {
  await crackerjack?.stop();
  await mahavishnu?.stop();
});

let akosha: Started<AkoshaContract, AkoshaManager>;
beforeEach(async () => {
  const feeds: object = {
    crackerjack: { ...DEFAULT_FEEDS.crackerjack, url: crackerjack.url },
    mahavishnu: { ...DEFAULT_FEEDS.mahavishnu, url: mahavishnu.url },
  };
  akosha = await startManager(akoshaService, {
    clock: systemClock,
    settings: () => ({ feeds: feeds as JsonObject }),
  });
  await connected("crackerjack");
  await connected("mahavishnu");
});
afterEach(() => akosha.stop());

// deno-lint-ignore no-explicit-any
const feed = (name: string) => (akosha.manager.getStatus({}) as any).feeds[name];
const connected = (name: string) => expect.poll(() => feed(name).connected, PATIENCE).toBe(true);

/** What was taken over of a metric, in order. */
function valuesOf(metric: string): number[] {
  const rows = akosha.database.prepare(
    "SELECT value FROM observations JOIN series ON series.number = observations.series WHERE metric = ? " +
      "ORDER BY observations.number",
  ).all<{ value: number }>(metric);
  return rows.map(({ value }) => Number(value));
}

async function runTests(failures: number): Promise<void> {
  await writeFile(join(shop, "failures"), String(failures));
  const before = valuesOf("tests.failed").length;
  await crackerjack.request({ name: "run_tests", data: { project: "shop" } });
  await expect.poll(() => valuesOf("tests.failed").length, PATIENCE).toBe(before + 1);
}

/** So many of a thousand lines are covered. */
const cover = (n: number) =>
  crackerjack.request({
    name: "report_coverage",
    data: { project: "shop", content: `TN:\nSF:a.js\nLF:1000\nLH:${n}\nend_of_record\n` },
  });

const upTo = (count: number) => Array.from({ length: count }, (_, index) => (index + 1) / 10);

describe("feeds, as they are without a word in the settings", { timeout: 120_000 }, () => {
  it("make of a run of failing tests an anomaly, and an insight that names the project", async () => {
    await runTests(0);
    await runTests(3);
    const anomaly = await akosha.heard("anomaly.detected");
    expect(anomaly.data).toMatchObject({
      anomaly_type: "spike",
      description: "tests.failed of project 'shop' is 3, expected about 0",
      metrics: {
        metric: "tests.failed",
        value: 3,
        expected: 0,
        source: "crackerjack",
        labels: { project: "shop" },
      },
    });
    const insight = await akosha.heard("insight.generated");
    expect(insight.data).toMatchObject({
      insight_type: "incident",
      title: "tests.failed of project 'shop' stands out",
      data: { evidence: [anomaly.data.anomaly_id], subject: "project 'shop'" },
    });
    await runTests(2);
    const { anomalies } = await akosha.request("get_anomalies", { metric: "tests.failed" });
    expect(anomalies).toMatchObject([{ observations: 2, ended_at: null }]);
  });

  it("make of a workflow that fails an anomaly", async () => {
    const run = (definition: string) => mahavishnu.request({ name: "run_workflow", data: { definition } });
    await run("good");
    await expect.poll(() => valuesOf("workflows.failed"), PATIENCE).toEqual([0]);
    await run("bad");
    await akosha.heard("anomaly.detected", ({ metrics }) => metrics.metric === "workflows.failed");
    expect(valuesOf("workflows.failed")).toEqual([0, 1]);
    expect(valuesOf("workflows.duration_seconds")).toHaveLength(1);
  });
});

describe("a feed", { timeout: 120_000 }, () => {
  it("takes each event over once while the other service is started again and again", async () => {
    for (let n = 1; n <= 40; n++) {
      await cover(n);
      if (n % 10 === 0) await crackerjack.restart();
    }
    await expect.poll(() => valuesOf("coverage.line").length, PATIENCE).toBe(40);
    await connected("crackerjack");
    await cover(41);
    await expect.poll(() => valuesOf("coverage.line"), PATIENCE).toEqual(upTo(41));
    expect(feed("crackerjack")).toMatchObject({ observations: 41, gaps: 0, garbage: 0, late: 0, refused: 0 });
  });

  it("takes each event over once while akosha crashes and is started again", async () => {
    for (let n = 1; n <= 40; n++) {
      await cover(n);
      if (n % 8 !== 0) continue;
      const crashed = akosha.manager;
      await akosha.restart();
      crashed.stop();
    }
    await expect.poll(() => valuesOf("coverage.line").length, PATIENCE).toBe(40);
    await connected("crackerjack");
    await cover(41);
    await expect.poll(() => valuesOf("coverage.line"), PATIENCE).toEqual(upTo(41));
    expect(feed("crackerjack")).toMatchObject({ events: 41, gaps: 0 });
  });

  it("takes over what happened while akosha was down, and begins with what comes where it is new", async () => {
    expect(valuesOf("coverage.line")).toEqual([]);
    await cover(1);
    await expect.poll(() => valuesOf("coverage.line"), PATIENCE).toEqual(upTo(1));
    const gone = akosha.manager;
    gone.stop();
    for (let n = 2; n <= 20; n++) await cover(n);
    await akosha.restart("orderly");
    await expect.poll(() => valuesOf("coverage.line"), PATIENCE).toEqual(upTo(20));
  });

  it("counts and tells a gap where the other service no longer has what was missed", async () => {
    await cover(1);
    await expect.poll(() => valuesOf("coverage.line"), PATIENCE).toEqual(upTo(1));
    akosha.manager.stop();
    // More than the history of a channel holds.
    for (let n = 2; n <= 300; n++) await cover(n);
    await akosha.restart("orderly");
    await expect.poll(() => feed("crackerjack").gaps, PATIENCE).toBe(1);
    await connected("crackerjack");
    await cover(500);
    await expect.poll(() => valuesOf("coverage.line"), PATIENCE).toEqual([0.1, 50]);
  });

  it("signs in where it must, and says so where it is not let in", async () => {
    const secret = "only for this test of the feeds";
    const locked = await startService(
      { name: "crackerjack", Server: CrackerjackWebSocketServer, own: (folder) => ({ roots: [folder] }) },
      { auth: { required: true, secret } },
    );
    const token = await createToken({
      secret,
      userId: "akosha",
      permissions: ["crackerjack:read"],
      clock: systemClock,
    });
    const { channels } = DEFAULT_FEEDS.crackerjack;
    const lines: string[] = [];
    const own = await startManager(akoshaService, {
      clock: systemClock,
      log: lineLog({ level: "info", write: (line) => lines.push(line) }),
      settings: () => ({
        feeds: {
          known: { url: locked.url, token, channels },
          stranger: { url: locked.url, channels },
          liar: { url: locked.url, token: `${token}x`, channels },
        } as JsonObject,
      }),
    });
    try {
      const toldOf = (name: string) => lines.filter((line) => line.includes(name)).join("\n");
      await expect.poll(() => toldOf("known"), PATIENCE).toContain("Feed is connected");
      await expect.poll(() => toldOf("stranger"), PATIENCE).toContain("Feed is refused");
      await expect.poll(() => toldOf("liar"), PATIENCE).toContain("Feed is refused");
      expect(lines.join("\n")).not.toContain(token);
    } finally {
      await own.stop();
      await locked.stop();
    }
  });
});
