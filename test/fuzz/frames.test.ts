/**
 * Hostile input to real server processes: FUZZ_INPUTS of them in all (10,000 unless told), made of FUZZ_SEED.
 *
 *     FUZZ_INPUTS=1000000 npx vitest run test/fuzz
 *
 * @module
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SERVICES } from "../../src/cli/services.ts";
import { buildOnce } from "../support/build-once.ts";
import { makeScratch, type Scratch, serve, type Serving } from "../support/serve-process.ts";
import { hasRuntime } from "../support/start-program.ts";
import { FuzzRun, type FuzzTarget } from "./fuzz-run.ts";
import { Known } from "./valid-inputs.ts";

const INPUTS = Number(process.env.FUZZ_INPUTS ?? 10_000);
const SEED = Number(process.env.FUZZ_SEED ?? 20_240_229);
const SHARE = { node: 0.6, deno: 0.2, bun: 0.2 } as const;

/** A slow machine sends some hundred inputs a second. */
const TIMEOUT_MS = 120_000 + INPUTS * 10;
/** What all six services may hold, with little history: see `COMMON`. */
const MAX_RSS_MIB = 1_000;

/** No rate and no slow reader stands between the input and the service; history is short, so that memory is. */
const COMMON = `websocket:
  max_connections: 0
  message_rate_limit: 0
limits:
  outbound_queue_bytes: 268435456
history:
  bytes: 262144
  total_bytes: 8388608
log:
  level: warn
`;

const OWN: Readonly<Record<string, string>> = {
  akosha: "akosha:\n  feeds: {}\n",
  mahavishnu:
    "mahavishnu:\n  allow_inline: false\n  pools:\n    default: {}\n    slow: { max: 2, queue: 20 }\n",
  crackerjack: `crackerjack:
  roots: [projects]
  parallel_runs: 4
  queued_runs: 20
  projects:
    shop: { path: shop, command: ["true"], runner: command }
    slow: { path: slow, command: [sleep, "60"], runner: command }
`,
  dhruva: "dhruva:\n  targets:\n    shelf: { folder: shelf }\n",
};

/** Names of things that are there, or that the inputs themselves make. */
const KNOWN = {
  session_id: ["s1", "s2", "s3", "s4"],
  workflow_id: ["w1", "w2", "w3"],
  diagram_id: ["d1", "d2", "d3"],
  definition: ["quick", "slow", "missing"],
  stage_name: ["only", "none"],
  pool_id: ["default", "slow"],
  project: ["shop", "slow", "nowhere"],
  content: [
    "TN:\nSF:a.js\nLF:10\nLH:5\nend_of_record\n",
    '{"type":"excalidraw","version":2,"source":"fuzz","elements":[{"id":"i1","type":"rectangle"}]}',
    "What was learnt",
  ],
  metric: ["latency", "errors.total"],
  pattern_type: ["burst", "trend"],
  storage_type: ["blob", "database"],
  domain: ["storage"],
  key: ["cache", "queue"],
  provider: ["redis", "file"],
  adapter_id: ["storage:cache:redis", "storage:queue:file"],
  targets: ["shelf", "client:laptop"],
  target: ["client:laptop"],
  version: ["1.0.0", "1.0.1", "2"],
  at: ["2024-02-29T12:00:00Z", "1999-12-31T23:59:59+14:00"],
  user_id: ["ada", "bob"],
  sha256: ["e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
};

async function prepare(folder: string): Promise<void> {
  for (const name of ["settings", "workflows", "shelf", "projects/shop", "projects/slow"]) {
    await mkdir(join(folder, name), { recursive: true });
  }
  for (const name of Object.keys(SERVICES)) {
    await writeFile(join(folder, "settings", `${name}.yaml`), COMMON + (OWN[name] ?? ""));
  }
  const workflow = (name: string, stage: string) =>
    writeFile(join(folder, "workflows", `${name}.yaml`), `stages:\n  only: ${stage}\n`);
  await workflow("quick", '{ run: ["true"] }');
  await workflow("slow", '{ run: [sleep, "60"], pool: slow }');
}

async function targets(program: Serving, folder: string): Promise<FuzzTarget[]> {
  const found = program.stdout().matchAll(/^([a-z-]+)\n {2}WebSocket +ws:\/\/127\.0\.0\.1:(\d+)$/gm);
  return await Promise.all([...found].map(async ([, name = "", port]) => ({
    contract: (await SERVICES[name]!()).contract,
    port: Number(port),
    known: new Known({ ...KNOWN, working_directory: [folder] }),
  })));
}

/** Resident memory of a process; 0 where the system does not tell. */
async function residentMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Math.round(Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1_024);
}

describe.each(["node", "deno", "bun"] as const)("six services on %s", (runtime) => {
  let scratch: Scratch;
  beforeAll(async () => {
    if (runtime === "node") await buildOnce();
    scratch = await makeScratch();
    await prepare(scratch.folder);
  }, 120_000);
  afterAll(() => scratch.remove());

  it.runIf(hasRuntime(runtime))("answer every hostile input or close its connection, and go on", {
    timeout: TIMEOUT_MS,
  }, async () => {
    const program = await serve(runtime, {
      args: ["--port", "0", "--http-port", "0"],
      folder: scratch.folder,
      lifetimeMs: TIMEOUT_MS,
    });
    const faults: string[] = [];
    try {
      const services = await targets(program, scratch.folder);
      expect(services).toHaveLength(Object.keys(SERVICES).length);
      const runs = services.map((target, index) => new FuzzRun(target, SEED + index));
      const before = await residentMiB(program.pid);
      const started = performance.now();
      await Promise.all(runs.map((run) => run.run(Math.ceil(INPUTS * SHARE[runtime] / runs.length))));
      const seconds = (performance.now() - started) / 1_000;
      const after = await residentMiB(program.pid);
      const inputs = runs.reduce((sum, run) => sum + run.inputs, 0);
      console.info(
        `fuzz on ${runtime}: ${inputs} inputs, ${Math.round(inputs / seconds)} a second, ` +
          `memory ${before} MiB before and ${after} MiB after, ` +
          [...tallyOf(runs)].map(([what, count]) => `${count} × ${what}`).join(", "),
      );
      faults.push(...runs.flatMap((run) => run.faults));
      if (!program.isAlive()) faults.push("the process has ended");
      if (after > MAX_RSS_MIB) faults.push(`${after} MiB of memory`);
    } finally {
      program.kill("SIGTERM");
    }
    const { code, complaints } = await program.ended;
    expect([...faults, ...complaints].join("\n")).toBe("");
    expect(code).toBe(0);
  });
});

/** What came how often, most first. */
function tallyOf(runs: readonly FuzzRun[]): Map<string, number> {
  const sum = new Map<string, number>();
  for (const { tally } of runs) {
    for (const [what, count] of tally) sum.set(what, (sum.get(what) ?? 0) + count);
  }
  return new Map([...sum].sort(([, a], [, b]) => b - a));
}
