/**
 * Every row of the catalog moves when what it counts happens, at the real /metrics.
 */
import { describe, expect, test } from "vitest";
import { type MetricName, METRICS } from "../../src/metrics/catalog.ts";
import * as scenarios from "./scenarios.ts";
import type { Scenario } from "./scenarios.ts";

interface Row {
  readonly when: Scenario;
  /** By how much it moves, or that it does. @default "up" */
  readonly by?: number | "up" | "elsewhere";
  /** Of which of its series. @default of all */
  readonly labels?: Readonly<Record<string, string>>;
  /** What it must be afterwards. @default anything */
  readonly to?: number;
}

const ROWS: Record<MetricName, Row> = {
  websocket_connections_total: { when: scenarios.connects, by: 1, labels: { tls_mode: "ws" } },
  websocket_connections_active: { when: scenarios.connects, by: 1, to: 1 },
  websocket_connections: { when: scenarios.connects, by: 1, to: 1, labels: { name: "metered" } },
  websocket_connections_current: { when: scenarios.connects, by: 1, to: 1 },
  websocket_connections_limit: { when: scenarios.isSetOtherwise, by: "elsewhere", to: 7 },
  websocket_connection_duration_seconds: { when: scenarios.leaves, by: 1 },
  websocket_messages_total: {
    when: scenarios.connects,
    by: 1,
    labels: { message_type: "request", direction: "received" },
  },
  websocket_messages_sent_total: { when: scenarios.hears, by: 1 },
  websocket_messages_received_total: { when: scenarios.speaksNonsense, by: 1 },
  websocket_broadcast_total: { when: scenarios.hears, by: 1, labels: { channel: "note" } },
  websocket_broadcast_duration_seconds: { when: scenarios.hears, by: 1, labels: { channel: "note" } },
  websocket_connection_errors_total: {
    when: scenarios.isOneTooMany,
    by: 1,
    labels: { error_type: "max_connections" },
  },
  websocket_message_errors_total: {
    when: scenarios.speaksNonsense,
    by: 1,
    labels: { error_type: "decode_error" },
  },
  websocket_latency_seconds: { when: scenarios.connects, by: 1, labels: { message_type: "request" } },
  websocket_message_duration_seconds: {
    when: scenarios.connects,
    by: 1,
    labels: { message_type: "request" },
  },
  websocket_errors_total: { when: scenarios.asksNonsense, by: 1, labels: { error_type: "unknown_request" } },
  websocket_subscriptions: { when: scenarios.subscribes, by: 1, to: 1, labels: { channel: "note" } },
  websocket_rooms: { when: scenarios.subscribes, by: 1, to: 1 },
  websocket_slow_consumers_total: { when: scenarios.readsTooSlowly, by: 1 },
  websocket_dead_connections_total: { when: scenarios.isDead, by: 1 },
  websocket_outbox_bytes: { when: scenarios.keepsEventsWaiting },
  websocket_outbox_highest_bytes: { when: scenarios.keepsEventsWaiting },
  websocket_folded_events_total: { when: scenarios.keepsEventsWaiting },
  websocket_limit_hits_total: { when: scenarios.isOneTooMany, by: 1, labels: { limit: "max_connections" } },
  websocket_gaps_total: { when: scenarios.hasLostAll, by: 1 },
  websocket_recoveries_total: { when: scenarios.recovers, by: 1, labels: { outcome: "recovered" } },
  websocket_replayed_events_total: { when: scenarios.recovers, by: 1 },
  websocket_history_capped_events_total: { when: scenarios.fillsHistory, by: 2 },
  websocket_history_events: { when: scenarios.writesMuch, by: 10, to: 10 },
  websocket_history_bytes: { when: scenarios.writesMuch },
  websocket_history_limit_bytes: { when: scenarios.isSetOtherwise, by: "elsewhere", to: 1_000 },
  websocket_database_bytes: { when: scenarios.writesMuch },
  websocket_health: { when: scenarios.opens, by: 1, to: 1, labels: { name: "metered" } },
  websocket_status_info: { when: scenarios.opens, by: 1, to: 1, labels: { status: "healthy" } },
  websocket_latency_ms: { when: scenarios.delaysEvents, by: "elsewhere", to: 700 },
  websocket_broker_up: { when: scenarios.losesEvents, by: -1, to: 0 },
  websocket_event_loop_delay_seconds: { when: scenarios.passesTime, by: 2 },
  websocket_start_time_seconds: { when: scenarios.opens },
  websocket_build_info: { when: scenarios.opens, by: 0, to: 1 },
  mcp_sessions: { when: scenarios.hasAgents, by: 1, to: 1 },
  mcp_streams: { when: scenarios.hasAgents },
  process_resident_memory_bytes: { when: scenarios.usesTheMachine },
  process_heap_bytes: { when: scenarios.usesTheMachine },
  process_cpu_seconds_total: { when: scenarios.usesTheMachine },
};

describe("METRICS at /metrics", () => {
  test.each(Object.entries(ROWS))("%s moves when what it counts happens", async (name, row) => {
    const [before, after] = await row.when();
    const from = before.sum(name, row.labels) ?? 0;
    const to = after.sum(name, row.labels);
    expect(to, name).toBeDefined();
    if (row.by === "elsewhere") expect(to).not.toBe(from);
    else if (typeof row.by === "number") expect(to! - from).toBe(row.by);
    else expect(to).toBeGreaterThan(from);
    if (row.to !== undefined) expect(to).toBe(row.to);
  }, 120_000);

  test("has no row that nothing moves", () => {
    expect(Object.keys(ROWS).sort()).toEqual(Object.keys(METRICS).sort());
  });

  test("tells a channel that cannot be recovered by its own series", async () => {
    const [before, after] = await scenarios.hasLostAll();
    const lost = { outcome: "lost" };
    expect(after.sum("websocket_recoveries_total", lost)).toBe(1);
    expect(before.sum("websocket_recoveries_total", lost)).toBe(0);
  });

  test.each([
    ["origin", scenarios.comesFromElsewhere],
    ["auth_failed", scenarios.showsABadToken],
    ["slow_consumer", scenarios.readsTooSlowly],
    ["ping_timeout", scenarios.isDead],
  ])("counts the connection error %s once", async (error_type, when) => {
    const [before, after] = await when();
    for (const [type, by] of [[error_type, 1], ["max_connections", 0]] as const) {
      const labels = { error_type: type };
      const [from, to] = [before, after].map((looks) =>
        looks.sum("websocket_connection_errors_total", labels)
      );
      expect(to! - from!, type).toBe(by);
    }
  }, 120_000);

  test("calls a server degraded while its broker loses events", async () => {
    const [, after] = await scenarios.losesEvents();
    expect(after.sum("websocket_status_info", { status: "degraded" })).toBe(1);
    expect(after.sum("websocket_status_info", { status: "healthy" })).toBe(0);
    expect(after.sum("websocket_health")).toBe(1);
  });
});
