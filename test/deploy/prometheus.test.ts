/**
 * The files of deploy/prometheus, by what a running server gives and by Prometheus itself.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { SERVICE_PORTS } from "../../src/protocol/service-ports.ts";
import { get } from "../support/http-client.ts";
import type { Parsed } from "../support/prometheus-text.ts";
import { faultsOf, resultLabels } from "../support/promql.ts";
import { isThere, prometheus, PROMETHEUS_HINT, promtool, runPromtool } from "../support/promtool.ts";
import { requireOrSkip } from "../support/require.ts";
import { startPrometheus } from "./prometheus-server.ts";
import { type RunningServices, startServices } from "./running-services.ts";

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}

const pathOf = (name: string) => fileURLToPath(new URL(`../../deploy/${name}`, import.meta.url));
const read = (path: string) => readFileSync(path, "utf8");
const alerts = pathOf("prometheus/alerts.yml");
const config = pathOf("prometheus/prometheus.yml");
const ruleTests = fileURLToPath(new URL("prometheus-alerts.yml", import.meta.url));
const groups: { readonly rules: readonly Rule[] }[] = parse(read(alerts)).groups;
const rules = groups.flatMap(({ rules }) => rules);

let services: RunningServices;
let metrics: Parsed;
beforeAll(async () => {
  services = await startServices();
  metrics = await services.metrics();
}, 120_000);
afterAll(() => services?.stop());

describe("alerts.yml", () => {
  test.each(rules)("$alert asks for what a running server gives", ({ expr }) => {
    expect(faultsOf(expr.trim(), metrics)).toEqual([]);
  });

  test.each(rules)("$alert says what is wrong and what to do, of labels that it has", (rule) => {
    const { alert, expr, labels, annotations } = rule;
    expect(alert).toMatch(/^Realtime[A-Z]\w+$/);
    expect(["critical", "warning", "info"]).toContain(labels.severity);
    expect(annotations.summary.length).toBeGreaterThan(10);
    expect(annotations.description).toMatch(/\.$/);
    const used = [...annotations.summary.matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label!);
    expect(used.length).toBeGreaterThan(0);
    expect(resultLabels(expr.trim(), metrics)).toEqual(expect.arrayContaining(used));
  });

  test("has a test of its own for every alert", () => {
    const tested = new Set([...read(ruleTests).matchAll(/alertname="(\w+)"/g)].map(([, name]) => name));
    expect([...tested].sort()).toEqual(rules.map(({ alert }) => alert).sort());
  });
});

describe("prometheus.yml", () => {
  test("scrapes all six services where they serve HTTP", async () => {
    const { scrape_configs: [job], rule_files: files } = parse(read(config));
    expect(job.static_configs[0].targets).toEqual(
      Object.values(SERVICE_PORTS).map(({ http }) => `127.0.0.1:${http}`),
    );
    expect(files).toEqual(["alerts.yml"]);
    // The job that an alert asks for.
    expect(read(alerts)).toContain(`job="${job.job_name}"`);
    for (const target of services.targets) {
      const answer = await get(`http://${target}${job.metrics_path}`);
      expect(answer.headers["content-type"]).toContain("text/plain; version=0.0.4");
    }
  });
});

describe.runIf(requireOrSkip("promtool", isThere(promtool), PROMETHEUS_HINT))("promtool", () => {
  test("takes the configuration, with the rules that it names", () => {
    expect(runPromtool(["check", "config", config])).toMatchObject({ code: 0 });
    expect(runPromtool(["check", "rules", alerts]).said).toContain(`${rules.length} rules found`);
  });

  test("sees each alert fire when it is to, and none when nothing is wrong", () => {
    const { code, said } = runPromtool(["test", "rules", ruleTests]);
    expect(code, said).toBe(0);
    expect(said).toContain("SUCCESS");
  });

  test("takes what /metrics says", async () => {
    for (const target of services.targets) {
      const { body } = await get(`http://${target}/metrics`);
      const { code, said } = runPromtool(["check", "metrics"], body);
      // 3: taken, with advice on names, which are those that dashboards know.
      expect([0, 3], said).toContain(code);
      const advice = said.split("\n").filter((line) =>
        line !== "" && !ADVICE.some((known) => known.test(line))
      );
      expect(advice).toEqual([]);
    }
  });
});

/** Names that are as they are because somebody asks for them. */
const ADVICE = [
  /^websocket_latency_ms .*(base unit|abbreviated)/,
];

describe.runIf(requireOrSkip("Prometheus", isThere(prometheus), PROMETHEUS_HINT))("Prometheus", () => {
  test("answers every query of the dashboard and every alert from what it has scraped", async () => {
    const { panels } = JSON.parse(read(pathOf("grafana/mcp-realtime.json")));
    const queries: string[] = panels.flatMap(({ targets = [] }: { targets?: { expr: string }[] }) =>
      targets.map(({ expr }) => expr.replaceAll("$__rate_interval", "1m").replaceAll("$server", ".+"))
    );
    const server = await startPrometheus(services.targets, alerts);
    try {
      const silent = new Set(queries);
      await expect.poll(async () => {
        await services.stir();
        for (const query of silent) if ((await server.query(query)).length > 0) silent.delete(query);
        return [...silent];
      }, { timeout: 90_000, interval: 500 }).toEqual([]);
      const [sample] = await server.query("count(count by (server) (websocket_health == 1))");
      expect(sample?.value).toBe(Object.keys(SERVICE_PORTS).length);
      expect(await server.failingRules()).toEqual([]);
    } finally {
      await server.stop();
    }
  }, 120_000);
});
