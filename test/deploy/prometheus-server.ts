/**
 * A real Prometheus with a folder and a port of its own, which scrapes four times a second.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { get } from "../support/http-client.ts";
import { prometheus } from "../support/promtool.ts";
import { freePort } from "../support/serve-process.ts";

export interface PrometheusServer {
  /** The samples that a query gives now; those that are no number left out. */
  query(expression: string): Promise<{ labels: Record<string, string>; value: number }[]>;
  /** Rules that could not be evaluated, with why. */
  failingRules(): Promise<string[]>;
  stop(): Promise<void>;
}

const PATIENCE_MS = 60_000;

export async function startPrometheus(targets: readonly string[], rules: string): Promise<PrometheusServer> {
  const folder = await mkdtemp(join(tmpdir(), "realtime-prometheus-"));
  const config = join(folder, "prometheus.yml");
  await writeFile(
    config,
    stringify({
      global: { scrape_interval: "250ms", scrape_timeout: "250ms", evaluation_interval: "250ms" },
      rule_files: [rules],
      scrape_configs: [{ job_name: "mcp-realtime", static_configs: [{ targets }] }],
    }),
  );
  const port = await freePort();
  const child = spawn(prometheus, [
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(folder, "data")}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ], { stdio: ["ignore", "ignore", "pipe"], timeout: 180_000, killSignal: "SIGKILL" });
  let said = "";
  let over = false;
  child.stderr.setEncoding("utf8").on("data", (text: string) => void (said += text));
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve(void (over = true))));
  const base = `http://127.0.0.1:${port}`;
  const stop = async () => {
    child.kill("SIGKILL");
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  const late = Date.now() + PATIENCE_MS;
  while ((await get(`${base}/-/ready`).catch(() => null))?.status !== 200) {
    if (over || Date.now() > late) {
      await stop();
      throw new Error(`Expected Prometheus to be ready, got: ${said}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    async query(expression) {
      const { status, body } = await get(`${base}/api/v1/query?query=${encodeURIComponent(expression)}`);
      if (status !== 200) throw new Error(`Expected an answer to ${expression}, got ${body.error}`);
      return body.data.result
        .map(({ metric, value }: { metric: Record<string, string>; value: [number, string] }) => ({
          labels: metric,
          value: Number(value[1]),
        }))
        .filter(({ value }: { value: number }) => !Number.isNaN(value));
    },
    async failingRules() {
      const { body } = await get(`${base}/api/v1/rules`);
      return body.data.groups.flatMap(({ rules }: { rules: { name: string; lastError?: string }[] }) =>
        rules.filter(({ lastError }) => lastError).map(({ name, lastError }) => `${name}: ${lastError}`)
      );
    },
    stop,
  };
}
