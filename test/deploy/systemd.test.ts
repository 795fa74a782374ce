/**
 * The systemd units: read by systemd's own checker, and their commands run as systemd would.
 */
import { spawnSync } from "node:child_process";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { SERVICES } from "../../src/cli/services.ts";
import { useBuiltScratch } from "../support/built-scratch.ts";
import { requireOrSkip } from "../support/require.ts";
import { serveCommand } from "./serve-command.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = `${root}deploy/systemd`;
const NAMES = Object.keys(SERVICES);
const TIMEOUT_MS = 120_000;

const has = (program: string) => spawnSync(program, ["--version"]).status === 0;
const hasAnalyze = requireOrSkip("systemd-analyze", has("systemd-analyze"), "apt-get install systemd");

const scratch = useBuiltScratch();

/** Where the checker finds the units and one instance of each service. */
async function installed(): Promise<{ path: string; units: string[] }> {
  const path = join(scratch.folder, "units");
  await mkdir(path, { recursive: true });
  for (const unit of ["mcp-realtime@.service", "mcp-realtime.target"]) {
    await copyFile(`${folder}/${unit}`, join(path, unit));
  }
  await mkdir(join(path, "mcp-realtime@crackerjack.service.d"), { recursive: true });
  await copyFile(`${folder}/projects.conf`, join(path, "mcp-realtime@crackerjack.service.d/projects.conf"));
  return { path, units: [...NAMES.map((name) => `mcp-realtime@${name}.service`), "mcp-realtime.target"] };
}

function analyze(path: string, args: readonly string[]): { status: number | null; said: string } {
  const environment = { ...process.env, SYSTEMD_UNIT_PATH: `${path}:`, SYSTEMD_COLORS: "0" };
  const { status, stdout, stderr } = spawnSync("systemd-analyze", args, {
    encoding: "utf8",
    env: environment,
  });
  return { status, said: `${stdout}${stderr}` };
}

describe.runIf(hasAnalyze)("systemd-analyze", { timeout: TIMEOUT_MS }, () => {
  let path: string;
  let units: string[];
  beforeAll(async () => ({ path, units } = await installed()));

  it("finds nothing wrong with any unit", () => {
    const { status, said } = analyze(path, ["verify", "--man=no", ...units]);
    expect(said.split("\n").filter((line) => line.includes("mcp-realtime"))).toEqual([]);
    expect(status).toBe(0);
  });

  it("sysusers.conf makes the user that the units run as", async () => {
    const place = join(scratch.folder, "users");
    await mkdir(join(place, "etc"), { recursive: true });
    const { status, stderr } = spawnSync("systemd-sysusers", [`--root=${place}`, `${folder}/sysusers.conf`], {
      encoding: "utf8",
    });
    expect([status, stderr]).toEqual([0, expect.any(String)]);
    const [, user = ""] = /^User=(\S+)$/m.exec(await readFile(`${folder}/mcp-realtime@.service`, "utf8")) ??
      [];
    const users = (await readFile(join(place, "etc/passwd"), "utf8")).split("\n").map((line) =>
      line.split(":")
    );
    expect(users.find(([name]) => name === user)?.slice(5)).toEqual([
      "/var/lib/mcp-realtime",
      expect.stringMatching(/nologin$/),
    ]);
  });

  it("would find a key that there is not", async () => {
    const broken = join(path, "mcp-realtime@broken.service");
    const text = await readFile(`${folder}/mcp-realtime@.service`, "utf8");
    await writeFile(broken, text.replace("Restart=on-failure", "Restart=on-trouble"));
    expect(analyze(path, ["verify", "--man=no", broken]).said).toContain("on-trouble");
  });

  it("judges the exposure of a service to be small", () => {
    const unit = join(path, "mcp-realtime@akosha.service");
    const { status, said } = analyze(path, [
      "security",
      "--offline=true",
      "--threshold=25",
      "--no-pager",
      unit,
    ]);
    expect(said).toMatch(/Overall exposure level/);
    expect(status, said).toBe(0);
  });
});

/** A section's keys, of which some come more than once. */
async function keysOf(unit: string): Promise<[string, string][]> {
  const lines = (await readFile(`${folder}/${unit}`, "utf8")).split("\n");
  return lines.filter((line) => /^\w+=/.test(line)).map((line) => {
    const at = line.indexOf("=");
    return [line.slice(0, at), line.slice(at + 1)];
  });
}

describe("mcp-realtime.target", () => {
  it("wants every service", async () => {
    const wanted = (await keysOf("mcp-realtime.target")).filter(([key]) => key === "Wants").map(([, value]) =>
      value
    );
    expect(wanted).toEqual(NAMES.map((name) => `mcp-realtime@${name}.service`));
  });
});

describe("mcp-realtime@.service", { timeout: TIMEOUT_MS }, () => {
  it.each(NAMES)("starts, reloads and stops %s by its commands", async (name) => {
    const keys = new Map(await keysOf("mcp-realtime@.service"));
    await copyFile(`${root}settings/${name}.yaml`, join(scratch.folder, `${name}.yaml`));
    const started = keys.get("ExecStart")!
      .replaceAll("%i", name)
      .replaceAll("/opt/mcp-realtime/", root)
      .replaceAll("/etc/mcp-realtime/", `${scratch.folder}/`)
      .split(" ");
    const state = join(scratch.folder, `state-${name}`);
    await mkdir(state);
    const program = await serveCommand(started, { folder: state, service: name });
    const reload = keys.get("ExecReload")!.replace("$MAINPID", `${program.pid}`);
    expect(spawnSync(reload, { shell: true }).status).toBe(0);
    await program.logged("Settings were read again: nothing has changed");
    expect(keys.get("KillSignal")).toBe("SIGTERM");
    program.kill("SIGTERM");
    expect(await program.ended).toBe(0);
    const seconds = Number(keys.get("TimeoutStopSec"));
    // Twice the drain, and 5 seconds.
    expect(seconds).toBeGreaterThan(2 * 5 + 5);
  });
});
