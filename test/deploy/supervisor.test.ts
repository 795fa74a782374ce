/**
 * deploy/supervisor: a real supervisord that runs all six services with it.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SERVICES } from "../../src/cli/services.ts";
import { buildOnce } from "../support/build-once.ts";
import { FrameClient } from "../support/frame-client.ts";
import { get } from "../support/http-client.ts";
import { requireOrSkip } from "../support/require.ts";
import { executable, sendSignal } from "../support/start-program.ts";
import { freePorts } from "./serve-command.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const NAMES = Object.keys(SERVICES);
/** For six starts at a time on a busy machine. */
const PATIENCE_MS = 90_000;

/** Where pip has put it, or the path has it. */
const bin = [`${root}.venv/bin/`, ""].find((folder) =>
  (folder === "" || existsSync(`${folder}supervisord`)) &&
  spawnSync(`${folder}supervisord`, ["--version"]).status === 0
);
const isHere = requireOrSkip("supervisord", bin !== undefined, ".venv/bin/pip install supervisor");

let folder: string;
/** Where each service listens. */
const places = new Map<string, { http: string; websocket: string }>();
let supervisor: { readonly pid: number; readonly ended: Promise<number | string | null>; said(): string };

/** The shipped file, with the folders of this test in the places of the system's, and no user to become. */
async function programs(): Promise<string> {
  const shipped = await readFile(`${root}deploy/supervisor/mcp-realtime.conf`, "utf8");
  const parts: Record<string, string> = {
    "command=node ": `command=${executable("node")} `,
    "/opt/mcp-realtime/": root,
    "/etc/mcp-realtime/": join(folder, "etc/"),
    "/var/lib/mcp-realtime/": join(folder, "lib/"),
    "/var/log/mcp-realtime/": join(folder, "log/"),
    "user=mcp-realtime\n": "",
  };
  return Object.entries(parts).reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`Expected '${from}' in deploy/supervisor/mcp-realtime.conf`);
    return text.replaceAll(from, to);
  }, shipped);
}

async function configured(): Promise<string> {
  for (const name of ["etc", "log", ...NAMES.map((name) => `lib/${name}`)]) {
    await mkdir(join(folder, name), { recursive: true });
  }
  for (const name of NAMES) await copyFile(`${root}settings/${name}.yaml`, join(folder, `etc/${name}.yaml`));
  await writeFile(join(folder, "programs.conf"), await programs());
  const file = join(folder, "supervisord.conf");
  await writeFile(
    file,
    `[supervisord]
nodaemon=true
logfile=/dev/null
logfile_maxbytes=0
pidfile=${join(folder, "pid")}
childlogdir=${folder}
[unix_http_server]
file=${join(folder, "s")}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://${join(folder, "s")}
[include]
files=${join(folder, "programs.conf")}
`,
  );
  return file;
}

/** What supervisorctl says. */
function control(...words: string[]): string {
  const args = ["-c", join(folder, "supervisord.conf"), ...words];
  return spawnSync(`${bin}supervisorctl`, args, { encoding: "utf8" }).stdout.trim();
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const late = Date.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (Date.now() > late) {
      throw new Error(`Expected ${what}, got: ${control("status")} ${supervisor.said()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const isHealthy = (name: string) =>
  get(`${places.get(name)!.http}/health`).then(({ status, body }) => status === 200 && body.server === name)
    .catch(() => false);

const log = (name: string) => readFile(join(folder, `log/${name}`), "utf8");

describe.runIf(isHere)(
  "supervisord with deploy/supervisor/mcp-realtime.conf",
  { timeout: 2 * PATIENCE_MS },
  () => {
    beforeAll(async () => {
      await buildOnce();
      folder = await mkdtemp(join(tmpdir(), "realtime-sv-"));
      let environment = {};
      for (const name of NAMES) {
        const { environment: own, ...place } = await freePorts(name);
        places.set(name, place);
        environment = { ...environment, ...own };
      }
      const child = spawn(`${bin}supervisord`, ["-c", await configured()], {
        env: { ...process.env, NO_COLOR: "1", ...environment },
        stdio: ["ignore", "pipe", "pipe"],
      });
      let said = "";
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding("utf8").on("data", (text: string) => void (said += text));
      }
      supervisor = {
        pid: child.pid ?? 0,
        said: () => said,
        ended: new Promise((resolve) => child.on("close", (code, signal) => resolve(code ?? signal))),
      };
      for (const name of NAMES) await until(`${name} to be healthy`, () => isHealthy(name));
    }, 2 * PATIENCE_MS);
    afterAll(async () => {
      sendSignal(supervisor?.pid, "SIGTERM");
      await supervisor?.ended;
      await rm(folder, { recursive: true, force: true });
    }, PATIENCE_MS);

    it("runs all six, each with a log of its own", async () => {
      await until(
        "six that run",
        () => control("status").split("\n").filter((line) => / RUNNING /.test(line)).length === 6,
      );
      for (const name of NAMES) {
        expect(await log(`${name}.out.log`)).toContain(places.get(name)!.websocket);
        expect(await log(`${name}.log`)).toContain("WebSocket server started");
      }
    });

    it("starts one again that was killed", async () => {
      const name = "mcp-realtime:akosha";
      const pid = Number(control("pid", name));
      sendSignal(pid, "SIGKILL");
      await until("another process", () => ![0, pid].includes(Number(control("pid", name))));
      await until("akosha to be healthy", () => isHealthy("akosha"));
      expect(supervisor.said()).toMatch(/akosha \(terminated by SIGKILL; not expected\)/);
    });

    it("reads settings again, stops in order and starts again by the words of docs/deployment.md", async () => {
      const name = "mcp-realtime:session-buddy";
      control("signal", "HUP", name);
      await until(
        "a reload",
        async () => (await log("session-buddy.log")).includes("Settings were read again"),
      );
      const client = await FrameClient.open(places.get("session-buddy")!.websocket);
      expect(control("restart", name)).toMatch(/session-buddy: stopped\n.*session-buddy: started/);
      expect(await client.closed).toMatchObject({ code: 1001 });
      expect(supervisor.said()).toMatch(/stopped: session-buddy \(exit status 0\)/);
      await until("session-buddy to be healthy", () => isHealthy("session-buddy"));
    });

    it("stops all in order when it is stopped itself", async () => {
      sendSignal(supervisor.pid, "SIGTERM");
      expect(await supervisor.ended).toBe(0);
      for (const name of NAMES) {
        expect(supervisor.said()).toMatch(
          new RegExp(`stopped: ${name} \\(exit status 0\\)(?![^]*stopped: ${name})`),
        );
      }
    });
  },
);
