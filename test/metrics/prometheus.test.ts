import { prometheusContentType, register } from "prom-client";
import { describe, expect, test } from "vitest";
import { type MetricRow, METRICS } from "../../src/metrics/catalog.ts";
import { createPrometheus } from "../../src/metrics/prometheus.ts";
import { parsePrometheus as parse } from "../support/prometheus-text.ts";

describe("createPrometheus", () => {
  test("text names every metric of the catalog with its type, and nothing else", async () => {
    const { types, values } = parse(await createPrometheus("akosha").text());
    expect(Object.fromEntries(types)).toEqual(
      Object.fromEntries(Object.entries(METRICS).map(([name, row]) => [name, row.type])),
    );
    expect(values.size).toBe(0);
  });

  test("text has the counts of every handle, from the moment it was taken", async () => {
    const { meter, text } = createPrometheus("akosha");
    const sent = meter.counter("websocket_messages_total", { message_type: "event", direction: "sent" });
    const active = meter.gauge("websocket_connections_active");
    const key = 'websocket_messages_total{server="akosha",message_type="event",direction="sent"}';
    expect(parse(await text()).values.get(key)).toBe(0);
    sent.add();
    sent.add(41);
    active.set(7);
    active.set(3);
    const { values } = parse(await text());
    expect(values.get(key)).toBe(42);
    expect(values.get('websocket_connections_active{server="akosha"}')).toBe(3);
  });

  test("text has a histogram's buckets, each with all below it", async () => {
    const { meter, text } = createPrometheus("akosha");
    const latency = meter.histogram("websocket_latency_seconds", { message_type: "request" });
    for (const seconds of [0.0005, 0.001, 0.0011, 0.3, 10, 11]) latency.observe(seconds);
    const { values } = parse(await text());
    const bucket = (le: string) =>
      values.get(`websocket_latency_seconds_bucket{server="akosha",message_type="request",le="${le}"}`);
    expect([bucket("0.001"), bucket("0.005"), bucket("0.25"), bucket("0.5"), bucket("10"), bucket("+Inf")])
      .toEqual([2, 3, 3, 4, 5, 6]);
    const rest = '{server="akosha",message_type="request"}';
    expect(values.get(`websocket_latency_seconds_count${rest}`)).toBe(6);
    expect(values.get(`websocket_latency_seconds_sum${rest}`)).toBeCloseTo(21.3026);
  });

  test("text stays readable with every metric in use", async () => {
    const { meter, text } = createPrometheus("session-buddy");
    const examples: Record<string, string[]> = {
      tls_mode: ["ws", "wss"],
      message_type: ["ping", "other"],
      direction: ["sent", "received"],
      channel: ["global", "session"],
      error_type: ["rate_limit", "decode_error"],
      limit: ["fragments", "http_rate"],
      status: ["healthy", "degraded"],
      outcome: ["recovered", "lost"],
      version: ["0.1.0", "1.2.3-rc.4"],
      runtime: ["node", "bun"],
    };
    for (const [name, row] of Object.entries<MetricRow>(METRICS)) {
      if (row.sameAs !== undefined) continue;
      for (const choice of [0, 1]) {
        const labels = Object.fromEntries(
          row.labels.filter((label) => label in examples).map((label) => [label, examples[label]![choice]!]),
        );
        if (row.type === "counter") meter.counter(name, labels).add(1.5);
        else if (row.type === "gauge") meter.gauge(name, labels).set(-2e22);
        else meter.histogram(name, labels).observe(0.2);
      }
    }
    const { types, values } = parse(await text());
    expect(types.size).toBe(Object.keys(METRICS).length);
    expect(values.get('websocket_health{server="session-buddy",name="session-buddy"}')).toBe(-2e22);
    expect(values.size).toBeGreaterThan(40);
  });

  test("meter gives the same handle for the same labels in any order", () => {
    const { meter } = createPrometheus("akosha");
    const one = meter.counter("websocket_messages_total", { message_type: "ping", direction: "received" });
    expect(meter.counter("websocket_messages_total", { direction: "received", message_type: "ping" })).toBe(
      one,
    );
    expect(
      meter.counter("websocket_messages_total", {
        direction: "received",
        message_type: "ping",
        server: "akosha",
      }),
    ).toBe(one);
    expect(meter.counter("websocket_messages_total", { direction: "sent", message_type: "ping" })).not.toBe(
      one,
    );
  });

  test("meter counts a frame of an unknown type as other, so that clients make no series", async () => {
    const { meter, text } = createPrometheus("akosha");
    for (let type = 0; type < 100; type++) {
      meter.counter("websocket_messages_total", { message_type: `x"}\n${type}`, direction: "received" })
        .add();
    }
    const { values } = parse(await text());
    expect([...values]).toEqual([
      ['websocket_messages_total{server="akosha",message_type="other",direction="received"}', 100],
    ]);
  });

  test("meter counts an error's code in lower case", async () => {
    const { meter, text } = createPrometheus("akosha");
    const one = meter.counter("websocket_errors_total", { error_type: "NOT_FOUND" });
    one.add();
    expect(meter.counter("websocket_errors_total", { error_type: "not_found" })).toBe(one);
    expect([...parse(await text()).values]).toEqual([
      ['websocket_errors_total{server="akosha",error_type="not_found"}', 1],
    ]);
  });

  test("meter refuses unknown metrics, other types and wrong labels", () => {
    const { meter } = createPrometheus("akosha");
    const faults: [() => unknown, string][] = [
      [() => meter.counter("nothing"), "no such metric"],
      [() => meter.counter("toString"), "no such metric"],
      [() => meter.gauge("websocket_gaps_total"), "as a gauge: it is a counter"],
      [() => meter.counter("websocket_broadcast_total"), "label 'channel' is missing"],
      [() => meter.gauge("websocket_rooms", { channel: "global" }), "unexpected label 'channel'"],
      [() => meter.counter("websocket_broadcast_total", { channel: "session:1" }), "cannot be 'session:1'"],
      [() => meter.counter("websocket_errors_total", { error_type: "Rate limit" }), "cannot be 'Rate limit'"],
      [() => meter.counter("websocket_connections_total", { tls_mode: "tls" }), "cannot be 'tls'"],
      [() => meter.gauge("websocket_rooms", { server: "dhruva" }), "this meter counts for 'akosha'"],
    ];
    for (const [make, message] of faults) {
      expect(make).toThrow(TypeError);
      expect(make).toThrow(message);
    }
  });

  test("handles leave out what is no number, and counters what would lower them", async () => {
    const { meter, text } = createPrometheus("akosha");
    const gaps = meter.counter("websocket_gaps_total");
    const rooms = meter.gauge("websocket_rooms");
    const latency = meter.histogram("websocket_latency_seconds", { message_type: "ping" });
    rooms.set(4);
    for (const value of [NaN, Infinity, -Infinity, -1]) {
      gaps.add(value);
      if (value !== -1) rooms.set(value);
      if (value !== -1) latency.observe(value);
    }
    const { values } = parse(await text());
    expect(values.get('websocket_gaps_total{server="akosha"}')).toBe(0);
    expect(values.get('websocket_rooms{server="akosha"}')).toBe(4);
    expect(values.get('websocket_latency_seconds_count{server="akosha",message_type="ping"}')).toBe(0);
  });

  test("onScrape runs before each text, until it is taken back", async () => {
    const { meter, text, onScrape } = createPrometheus("akosha");
    const rooms = meter.gauge("websocket_rooms");
    let count = 0;
    const stop = onScrape(() => rooms.set(++count));
    const key = 'websocket_rooms{server="akosha"}';
    expect(parse(await text()).values.get(key)).toBe(1);
    expect(parse(await text()).values.get(key)).toBe(2);
    stop();
    stop();
    expect(parse(await text()).values.get(key)).toBe(2);
  });

  test("text shows one moment, even where counting goes on while it is made", async () => {
    const { meter, text } = createPrometheus("akosha");
    await text();
    const latency = meter.histogram("websocket_latency_seconds", { message_type: "ping" });
    const gaps = meter.counter("websocket_gaps_total");
    const count = () => {
      latency.observe(1);
      gaps.add();
    };
    count();
    const making = text();
    for (let turn = 0; turn < 50; turn++) {
      await Promise.resolve();
      count();
    }
    const { values } = parse(await making);
    const seen = values.get('websocket_latency_seconds_count{server="akosha",message_type="ping"}');
    expect(values.get('websocket_gaps_total{server="akosha"}')).toBe(seen);
    expect(values.get('websocket_latency_seconds_bucket{server="akosha",message_type="ping",le="+Inf"}'))
      .toBe(seen);
  });

  test("text rejects with what onScrape threw", async () => {
    const { text, onScrape } = createPrometheus("akosha");
    onScrape(() => {
      throw new Error("No rooms today");
    });
    await expect(text()).rejects.toThrow("No rooms today");
  });

  test("servers do not mix, and the global registry stays empty", async () => {
    const one = createPrometheus("akosha");
    const other = createPrometheus("dhruva");
    one.meter.counter("websocket_gaps_total").add();
    other.meter.counter("websocket_gaps_total").add(2);
    expect([...parse(await one.text()).values.keys()]).toEqual(['websocket_gaps_total{server="akosha"}']);
    expect([...parse(await other.text()).values.keys()]).toEqual(['websocket_gaps_total{server="dhruva"}']);
    expect(register.getMetricsAsArray()).toEqual([]);
  });

  test("contentType is that of the classic text format", () => {
    expect(createPrometheus("akosha").contentType).toBe(prometheusContentType);
    expect(prometheusContentType).toContain("version=0.0.4");
  });

  test("text shows the series of a row under the name of another one that is the same", async () => {
    const { meter, text } = createPrometheus("akosha");
    meter.gauge("websocket_connections_active").set(3);
    meter.histogram("websocket_latency_seconds", { message_type: "request" }).observe(0.2);
    const { types, values } = parse(await text());
    expect(types.get("websocket_connections_current")).toBe("gauge");
    expect(values.get('websocket_connections_current{server="akosha"}')).toBe(3);
    const labels = '{server="akosha",message_type="request"}';
    expect(values.get(`websocket_message_duration_seconds_count${labels}`)).toBe(1);
    expect(() => meter.gauge("websocket_connections_current")).toThrow(
      "Cannot count 'websocket_connections_current': it shows what is counted as 'websocket_connections_active'",
    );
  });

  test("text waits for what onScrape measures", async () => {
    const { meter, text, onScrape } = createPrometheus("akosha");
    onScrape(async () => {
      await Promise.resolve();
      meter.gauge("websocket_rooms").set(5);
    });
    expect(parse(await text()).values.get('websocket_rooms{server="akosha"}')).toBe(5);
  });
});
