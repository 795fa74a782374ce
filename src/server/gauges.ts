/**
 * What a server measures of itself when its metrics are asked for, and how late its timers run in between.
 *
 * @module
 */
import type { ConnectionMetrics } from "../connection/metrics.ts";
import type { McpEndpoint } from "../mcp/transport.ts";
import { LABELS } from "../metrics/catalog.ts";
import { LoopDelay } from "../metrics/loop-delay.ts";
import type { Prometheus } from "../metrics/prometheus.ts";
import type { Counter, Meter } from "../ports/meter.ts";
import type { Runtime } from "../ports/runtime.ts";
import { VERSION } from "../protocol/version.ts";
import type { Settings } from "../settings/schema.ts";
import type { OpenService } from "./core.ts";
import type { StatusParts } from "./status.ts";

export interface GaugeParts {
  readonly prometheus: Pick<Prometheus, "meter" | "onScrape">;
  readonly settings: Settings;
  readonly metrics: Pick<ConnectionMetrics, "total">;
  /** Null where the server was given none. */
  readonly runtime: Pick<Runtime, "name" | "usage"> | null;
  /** Null until the service is up. */
  readonly open: () => Pick<OpenService, "canary" | "journal" | "databaseBytes"> | null;
  readonly mcp: () => Pick<McpEndpoint, "counts">;
  readonly status: () => StatusParts;
}

export class Gauges {
  readonly #parts: GaugeParts;
  readonly #meter: Meter;
  readonly #loop: LoopDelay;
  /** The start that was told last. */
  #startedAt: number | null = null;
  readonly #sent: (total: number) => void;
  readonly #received: (total: number) => void;
  readonly #cpuSeconds: (total: number) => void;

  constructor(parts: GaugeParts) {
    const { meter } = parts.prometheus;
    this.#parts = parts;
    this.#meter = meter;
    this.#loop = new LoopDelay(
      parts.status().clock,
      meter.histogram("websocket_event_loop_delay_seconds"),
    );
    this.#sent = upTo(meter.counter("websocket_messages_sent_total"));
    this.#received = upTo(meter.counter("websocket_messages_received_total"));
    this.#cpuSeconds = upTo(meter.counter("process_cpu_seconds_total"));
    parts.prometheus.onScrape(() => this.#measure());
  }

  /** Watch the event loop. */
  start(): void {
    this.#loop.start();
  }

  stop(): void {
    this.#loop.stop();
  }

  /** What needs time comes first, so that the rest is of one moment. */
  async #measure(): Promise<void> {
    const verdict = await this.#parts.open()?.canary.check();
    const open = this.#parts.open();
    const alive = open !== null && verdict?.alive === true;
    this.#tellState(alive, open?.canary.flightMs ?? null);
    this.#tellClients();
    this.#tellStores(open);
    this.#tellProcess();
  }

  #tellState(alive: boolean, flightMs: number | null): void {
    const { running, startedAt, clock } = this.#parts.status();
    this.#set("websocket_health", running ? 1 : 0);
    this.#set("websocket_broker_up", alive ? 1 : 0);
    const isOff = !this.#parts.settings.websocket.enabled;
    const status = isOff ? "off" : !running ? "unhealthy" : alive ? "healthy" : "degraded";
    for (const one of LABELS.status.values) {
      this.#meter.gauge("websocket_status_info", { status: one }).set(one === status ? 1 : 0);
    }
    if (flightMs !== null) this.#set("websocket_latency_ms", flightMs);
    if (startedAt === this.#startedAt) return;
    this.#startedAt = startedAt;
    const upMs = startedAt === null ? 0 : clock.monotonic() - startedAt;
    this.#set("websocket_start_time_seconds", (clock.now() - upMs) / 1_000);
  }

  #tellClients(): void {
    const { hub, connections } = this.#parts.status();
    const { total } = this.#parts.metrics;
    let [sum, highest] = [0, 0];
    for (const { outboundBytes } of connections.all.values()) {
      sum += outboundBytes;
      highest = Math.max(highest, outboundBytes);
    }
    this.#set("websocket_outbox_bytes", sum);
    this.#set("websocket_outbox_highest_bytes", highest);
    this.#set("websocket_rooms", hub.roomCount);
    this.#set("websocket_connections_limit", this.#parts.settings.websocket.max_connections);
    this.#sent(total.sent + hub.total.sent);
    this.#received(total.received);
    const { sessions, streams } = this.#parts.mcp().counts;
    this.#set("mcp_sessions", sessions);
    this.#set("mcp_streams", streams);
  }

  #tellStores(open: ReturnType<GaugeParts["open"]>): void {
    const { events, bytes } = open?.journal.size ?? { events: 0, bytes: 0 };
    this.#set("websocket_history_events", events);
    this.#set("websocket_history_bytes", bytes);
    this.#set("websocket_history_limit_bytes", this.#parts.settings.history.total_bytes);
    this.#set("websocket_database_bytes", open?.databaseBytes() ?? 0);
  }

  #tellProcess(): void {
    const { runtime } = this.#parts;
    if (!runtime) return;
    const { residentBytes, heapBytes, cpuSeconds } = runtime.usage();
    this.#set("process_resident_memory_bytes", residentBytes);
    this.#set("process_heap_bytes", heapBytes);
    this.#cpuSeconds(cpuSeconds);
    this.#meter.gauge("websocket_build_info", { version: VERSION, runtime: runtime.name }).set(1);
  }

  #set(name: string, value: number): void {
    this.#meter.gauge(name).set(value);
  }
}

/** Bring a counter to a total that is kept elsewhere. */
function upTo(counter: Counter): (total: number) => void {
  let counted = 0;
  return (total) => {
    counter.add(total - counted);
    counted = total;
  };
}
