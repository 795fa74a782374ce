/**
 * What clients of each service do on a connection: its real work, one visit at a time.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { FrameClient, Received } from "../support/frame-client.ts";
import { get, send } from "../support/http-client.ts";

export interface Visit {
  readonly client: FrameClient;
  /** Where the service's HTTP port is. */
  readonly http: string;
  /** Of all visits, so that ids differ. */
  readonly turn: number;
  /** Send a request that must be answered, not refused. */
  ask(event: string, data?: object): Promise<Received["data"]>;
}

/** Projects with tests; each has one run at a time. */
export const PROJECTS = 4;

/** Processes that wait for each other take longer than an answer may. */
async function patiently(wait: () => Promise<unknown>): Promise<void> {
  for (let n = 0; n < 5; n++) if (await wait().then(() => true, () => false)) return;
  await wait();
}

/** Diagrams, adapters and series are few, and change for ever. */
const FEW = 8;

export const VISITS: Readonly<Record<string, (visit: Visit) => Promise<void>>> = {
  async "session-buddy"({ client, turn, ask }) {
    const { session_id } = await ask("start_session", {
      project: `soak-${turn % FEW}`,
      working_directory: process.cwd(),
    });
    await ask("subscribe", { channel: `session:${session_id}` });
    for (let n = 0; n < 5; n++) {
      await ask("update_session", { session_id, context: { n, text: "x".repeat(500) } });
    }
    const { checkpoint_id } = await ask("checkpoint_session", { session_id });
    await ask("restore_checkpoint", { checkpoint_id });
    await ask("capture_knowledge", {
      ...{ session_id, kind: "insight", content: `Turn ${turn} was like the others` },
      ...{
        entities: [`e${turn % FEW}`],
        relations: [{ from: `e${turn % FEW}`, to: "soak", type: "is_part_of" }],
      },
    });
    await ask("search_knowledge", { query: `turn ${turn}`, limit: 5 });
    await ask("query_graph", { entity: "soak", depth: 1 });
    await ask("end_session", { session_id, summary: "done" });
    await client.event("session.closed", `session:${session_id}`);
    await ask("list_sessions", { limit: 10 });
  },

  async mahavishnu({ client, turn, ask }) {
    await ask("subscribe", { channel: "pool:*" });
    const { workflow_id } = await ask("run_workflow", { definition: turn % 3 === 0 ? "endless" : "short" });
    await ask("subscribe", { channel: `workflow:${workflow_id}`, last: 10 });
    if (turn % 6 === 0) await ask("cancel_workflow", { workflow_id });
    await patiently(() =>
      client.frame(({ event, room }) =>
        room === `workflow:${workflow_id}` && /^workflow\.(?:completed|failed)$/.test(event)
      )
    );
    await ask("get_workflow_status", { workflow_id });
    await ask("list_workflows", { limit: 10 });
  },

  async akosha({ turn, ask }) {
    await ask("subscribe", { channel: "metrics" });
    await ask("subscribe", { channel: "patterns:*" });
    const observations = Array.from({ length: 50 }, (_, index) => ({
      metric: `soak.${index % FEW}`,
      value: index === 25 ? 1_000 : Math.sin(turn + index),
      labels: { of: String(turn % FEW) },
    }));
    for (let n = 0; n < 3; n++) await ask("record_observations", { observations });
    for (const query of ["get_anomalies", "get_patterns", "get_insights", "get_aggregations"]) {
      await ask(query, { limit: 10 });
    }
    await ask("list_metrics");
  },

  async crackerjack({ client, turn, ask }) {
    const project = `tap-${turn % PROJECTS}`;
    await ask("subscribe", { channel: "test:*" });
    await ask("subscribe", { channel: "coverage" });
    const { run_id } = await ask("run_tests", { project });
    await patiently(() => client.event("test.completed", `test:${run_id}`));
    const run = await ask("get_test_status", { run_id });
    if (run.status !== "failed" || run.failed !== 1) {
      throw new Error(`Expected one failed test, got ${JSON.stringify(run)}`);
    }
    await ask("report_coverage", { project, content: "SF:a.ts\nDA:1,1\nDA:2,0\nend_of_record\n" });
    await ask("check_quality", { project });
    await ask("list_runs", { limit: 10 });
  },

  async dhruva({ client, http, turn, ask }) {
    const content = `content ${turn} ${"x".repeat(20_000)}`;
    const sha256 = createHash("sha256").update(content).digest("hex");
    const put = await send("PUT", `${http}/api/blobs/${sha256}`, {}, content);
    if (put.status !== 201) throw new Error(`Expected 201 of an upload, got ${put.status}`);
    const names = { domain: "soak", key: `k${turn % FEW}`, provider: "p" };
    const adapter_id = Object.values(names).join(":");
    await ask("subscribe", { channel: "distribution" });
    await ask("store_adapter", { ...names, version: `1.${turn}`, sha256 });
    await ask("validate_adapter", { adapter_id });
    const target = `client:soak-${turn}`;
    const { distribution_id } = await ask("distribute_adapter", {
      ...{ adapter_id, version: `1.${turn}`, targets: ["shelf", target] },
    });
    await client.frame(({ event, data }) =>
      event === "adapter.offered" && data.distribution_id === distribution_id
    );
    const { body } = await get(`${http}/api/blobs/${sha256}`);
    if (body !== content) {
      throw new Error(`Expected the content that was stored, got ${String(body).slice(0, 80)}`);
    }
    await ask("ack_distribution", { distribution_id, target, sha256 });
    await ask("list_adapters", { limit: 10 });
  },

  async excalidraw({ client, turn, ask }) {
    const diagram_id = `soak-${turn % FEW}`;
    const made = await client.request("create_diagram", { diagram_id });
    if (made.type === "error" && made.error_code !== "CONFLICT") {
      throw new Error(`create_diagram: ${made.error_message}`);
    }
    for (const kind of ["diagram", "cursor", "presence"]) {
      await ask("subscribe", { channel: `${kind}:${diagram_id}` });
    }
    await ask("join_diagram", { diagram_id, user_id: `user-${turn}` });
    const element = (id: string, more = {}) => ({ id, type: "rectangle", x: turn % 100, y: 1, ...more });
    for (let n = 0; n < 5; n++) {
      await ask("update_diagram", {
        diagram_id,
        elements: [element(`e${(turn + n) % 20}`), element(`d${n}`, { isDeleted: true })],
      });
      await ask("move_cursor", { diagram_id, position: { x: n, y: turn % 100 } });
    }
    await ask("export_diagram", { diagram_id });
    if (turn % 2 === 0) await ask("leave_diagram", { diagram_id });
  },
};
