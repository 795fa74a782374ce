/**
 * One call of each tool of each service, in an order in which they can succeed.
 *
 * @module
 */
import type { ServiceName } from "./all-services.ts";

/** What earlier calls of the same service were answered, by tool. */
export type Answers = ReadonlyMap<string, Readonly<Record<string, unknown>>>;

type Data = Readonly<Record<string, unknown>>;

export interface ExampleCall {
  readonly tool: string;
  readonly data: Data | ((answers: Answers) => Data);
}

const call = (tool: string, data: ExampleCall["data"] = {}): ExampleCall => ({ tool, data });

/** Arguments that take members of an earlier answer. */
const from = (tool: string, ...members: string[]) => (answers: Answers): Data => {
  const answer = answers.get(tool);
  if (!answer) throw new Error(`Expected an answer of ${tool} before, got none`);
  return Object.fromEntries(members.map((member) => [member, answer[member]]));
};

/** Those that every service has. */
const COMMON: readonly ExampleCall[] = [
  call("publish", {
    channel: "global",
    event: "system.announcement",
    data: { message: "Hello", level: "info", source: "a test" },
  }),
  call("get_history", { channel: "global" }),
  call("get_presence", { channel: "global" }),
  call("get_status"),
  call("wait_for_event", { channel: "global", since: "start" }),
  call("read_events", { channel: "global", since: "start" }),
  call("websocket_status"),
  call("websocket_health_check"),
  call("websocket_list_rooms"),
  call("websocket_get_metrics"),
  call("websocket_get_status"),
  call("broadcast_test_event", { event_type: "made.up" }),
  call("websocket_broadcast_test_event", { event_type: "made.up", room: "global" }),
];

const adapter = { adapter_id: "cache:memory:local" };
const diagram = { diagram_id: "sketch" };
const session = { session_id: "morning" };
const lcov = "TN:\nSF:a.js\nLF:10\nLH:9\nend_of_record\n";

const OWN: Readonly<Record<ServiceName, readonly ExampleCall[]>> = {
  "session-buddy": [
    call("start_session", { ...session, project: "house" }),
    call("update_session", { ...session, context: { step: 1 } }),
    call("get_session", session),
    call("list_sessions", { project: "house", limit: 5 }),
    call("checkpoint_session", session),
    call("list_checkpoints", session),
    call("get_checkpoint", from("checkpoint_session", "checkpoint_id")),
    call("restore_checkpoint", from("checkpoint_session", "checkpoint_id")),
    call("capture_knowledge", {
      ...session,
      kind: "decision",
      content: "Paint the roof blue",
      entities: [{ name: "roof", type: "part" }],
    }),
    call("get_knowledge", from("capture_knowledge", "knowledge_id")),
    call("search_knowledge", { query: "roof" }),
    call("query_graph", { entity: "roof" }),
    call("end_session", session),
  ],
  mahavishnu: [
    call("list_definitions"),
    call("run_workflow", { definition: "endless", workflow_id: "long" }),
    call("get_workflow_status", { workflow_id: "long" }),
    call("list_workflows"),
    call("get_stage_output", { workflow_id: "long", stage_name: "wait" }),
    call("cancel_workflow", { workflow_id: "long" }),
    call("list_pools"),
    call("get_pool_status", { pool_id: "default" }),
    call("scale_pool", { pool_id: "default", max: 5 }),
  ],
  akosha: [
    call("record_observations", { observations: [{ metric: "doors", value: 2 }] }),
    call("list_metrics"),
    call("get_patterns", { category: "burst" }),
    call("get_anomalies"),
    call("get_insights"),
    call("get_aggregations"),
  ],
  crackerjack: [
    call("run_tests", { project: "endless" }),
    call("get_test_status", from("run_tests", "run_id")),
    call("list_runs", { project: "endless", limit: 1 }),
    call("report_coverage", { project: "app", content: lcov }),
    call("get_quality_gate", { project: "app" }),
    call("check_quality", { project: "app" }),
    call("cancel_run", from("run_tests", "run_id")),
  ],
  dhruva: [
    call("store_adapter", { domain: "cache", key: "memory", provider: "local", version: "1.0" }),
    call("get_adapter", adapter),
    call("list_adapters"),
    call("get_adapter_status", adapter),
    call("get_adapter_versions", adapter),
    call("validate_adapter", adapter),
    call("distribute_adapter", { ...adapter, targets: ["client:desk"] }),
    call("get_distribution_status", from("distribute_adapter", "distribution_id")),
    call("ack_distribution", (answers) => ({
      ...from("distribute_adapter", "distribution_id", "sha256")(answers),
      target: "client:desk",
    })),
  ],
  excalidraw: [
    call("create_diagram", diagram),
    call("join_diagram", { ...diagram, user_id: "ann" }),
    call("move_cursor", { ...diagram, user_id: "ann", position: { x: 1, y: 2 } }),
    call("leave_diagram", { ...diagram, user_id: "ann" }),
    call("update_diagram", {
      ...diagram,
      elements: [{ id: "box", type: "rectangle", x: 0, y: 0, version: 1, versionNonce: 1, isDeleted: false }],
    }),
    call("get_diagram", diagram),
    call("get_diagram_status", diagram),
    call("list_diagrams"),
    call("export_diagram", diagram),
    call("import_diagram", (answers) => ({
      content: JSON.stringify(answers.get("export_diagram")?.document),
      title: "Again",
    })),
  ],
};

export function exampleCalls(service: ServiceName): readonly ExampleCall[] {
  return [...OWN[service], ...COMMON];
}
