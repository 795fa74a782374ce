/**
 * Where a soak happens: a folder with settings, a project with tests, a definition of a workflow.
 *
 * What is kept is bounded as in any other place, by lower bounds, so that a minute of work fills what hours would.
 *
 * @module
 */
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SERVICES } from "../../src/cli/services.ts";
import { freePort } from "../support/serve-process.ts";
import { PROJECTS } from "./visits.ts";

/** A test that passes, one that fails, one that is left out. */
const TAP = "1..3\\nok 1 - holds\\nnot ok 2 - does not hold\\nok 3 - later # SKIP\\n";

const WORKFLOW = {
  stages: {
    first: { run: ["echo", "hello"] },
    second: { run: ["sh", "-c", "[ $STAGE_ATTEMPT = 2 ]"], retries: 1 },
    last: { run: ["sh", "-c", "sleep 1000 & exit 0"], needs: ["first", "second"] },
  },
};

/** One that is cancelled, or takes too long. */
const ENDLESS = { stages: { only: { run: ["sleep", "1000"], timeout: "2s" } } };

export async function makePlace(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "realtime-soak-"));
  for (const name of ["settings", "workflows", "shelf"]) await mkdir(join(folder, name));
  for (let n = 0; n < PROJECTS; n++) await mkdir(join(folder, `tap-${n}`));
  await writeFile(join(folder, "workflows/short.yaml"), JSON.stringify(WORKFLOW));
  await writeFile(join(folder, "workflows/endless.yaml"), JSON.stringify(ENDLESS));
  // akosha listens to these two, and has to be told where.
  const ports = { crackerjack: await freePort(), mahavishnu: await freePort() };
  const own = ownSettings(folder, ports);
  for (const name of Object.keys(SERVICES)) {
    const settings = {
      websocket: { port: Object.hasOwn(ports, name) ? ports[name as keyof typeof ports] : 0 },
      http: { port: 0 },
      history: { events: 64, age_seconds: 10, bytes: 1_048_576 },
      idempotency: { age_seconds: 10 },
      limits: { outbound_queue_bytes: 65_536 },
      shutdown: { drain_ms: 200 },
      log: { level: "warn" },
      ...own[name] && { [name]: own[name] },
    };
    await writeFile(join(folder, `settings/${name}.yaml`), JSON.stringify(settings));
  }
  return folder;
}

function ownSettings(
  folder: string,
  ports: { crackerjack: number; mahavishnu: number },
): Record<string, object> {
  const command = ["sh", "-c", `printf '${TAP}'; exit 1`];
  const projects = Array.from({ length: PROJECTS }, (_, n) => [`tap-${n}`, { path: `tap-${n}`, command }]);
  const feed = (port: number, rules: object[]) => ({
    url: `ws://127.0.0.1:${port}`,
    channels: { global: rules },
  });
  return {
    akosha: {
      ...{ window_seconds: 2, lateness_seconds: 1, observations_per_series: 256 },
      ...{ findings_kept: 100, aggregations_kept: 500 },
      feeds: {
        crackerjack: feed(ports.crackerjack, [
          {
            event: "test.completed",
            metric: "tests.failed",
            value: "/tests_failed",
            labels: { project: "/project" },
          },
        ]),
        mahavishnu: feed(ports.mahavishnu, [{
          event: "workflow.completed",
          metric: "workflows.failed",
          value: 0,
        }]),
      },
    },
    crackerjack: {
      keep_runs: 20,
      projects: Object.fromEntries(projects),
    },
    mahavishnu: {
      ...{ workflows_kept: 50, stop_grace_ms: 500 },
      pools: { default: { min: 1, max: 4, queue: 1_000, idle_ms: 500 } },
    },
    dhruva: {
      ...{ keep_versions: 3, keep_distributions: 50, orphan_seconds: 5 },
      targets: { shelf: { folder: join(folder, "shelf") } },
    },
    excalidraw: { tombstone_seconds: 5, lease_seconds: 5, diagrams: 100 },
  };
}
