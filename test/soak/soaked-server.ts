/**
 * The server that is soaked: the built command line with all services, started as a person would, with `probe.mjs`.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Addresses, addressesIn } from "../binary/program.ts";
import { childProcesses } from "../support/child-processes.ts";
import { get } from "../support/http-client.ts";
import { executable } from "../support/start-program.ts";
import { type Figures, leastOf, type Probed } from "./figures.ts";

const main = fileURLToPath(new URL("../../dist/src/cli/main.js", import.meta.url));
const probe = new URL("./probe.mjs", import.meta.url).href;

const PATIENCE_MS = 60_000;
const LOOK_MS = 250;

/** Looks in a row that must show the same connections and no child before the server counts as quiet. */
const LOOKS = 8;

/** How much of its log is kept. */
const LOG_CHARACTERS = 100_000;

export interface SoakedServer {
  readonly addresses: ReadonlyMap<string, Addresses>;
  /** What it holds, when nothing comes and goes any more. Rejects where that does not happen within a minute. */
  quiet(): Promise<Figures>;
  /** Lines of level error in its log. */
  complaints(): string[];
  /** Whether it runs. */
  isAlive(): boolean;
  /** End it in order. Rejects where it does not end with 0. */
  stop(): Promise<void>;
  kill(): void;
}

export async function startSoaked(folder: string): Promise<SoakedServer> {
  const child = spawn(executable("node")!, ["--expose-gc", "--import", probe, main, "serve"], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let [stdout, stderr] = ["", ""];
  child.stdout!.setEncoding("utf8").on("data", (text: string) => void (stdout += text));
  child.stderr!.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(-LOG_CHARACTERS);
  });
  const ended = once(child, "exit") as Promise<[number | null, string | null]>;
  const isAlive = () => child.exitCode === null && child.signalCode === null;
  const kill = () => void child.kill("SIGKILL");
  process.once("exit", kill);
  await until("the server to serve", () => {
    if (!isAlive()) throw new Error(`Cannot start the server: ${stderr}`);
    return Promise.resolve(stdout.includes("Stop with Ctrl-C"));
  }).catch((error) => {
    kill();
    throw error;
  });
  const addresses = addressesIn(stdout);

  async function figures(): Promise<Figures> {
    const answer = once(child, "message", { signal: AbortSignal.timeout(PATIENCE_MS) });
    child.send("measure");
    const [probed] = await answer as [Probed];
    const statuses = await Promise.all(
      [...addresses.values()].map(async ({ http }) => (await get(`${http}/api/status`)).body),
    );
    const sum = (name: string) => statuses.reduce((total, status) => total + status[name], 0);
    return {
      ...probed,
      files: readdirSync(`/proc/${child.pid}/fd`).length,
      children: childProcesses(child.pid!).length,
      connections: sum("connections"),
      rooms: sum("rooms"),
    };
  }

  return {
    addresses,
    async quiet() {
      let looks: Figures[] = [];
      await until("the server to come to rest", async () => {
        const now = await figures();
        const isSame = looks.every((look) =>
          look.connections === now.connections && look.rooms === now.rooms
        );
        looks = isSame && now.children === 0 ? [...looks, now] : [];
        return looks.length >= LOOKS;
      });
      return leastOf(looks);
    },
    complaints: () => stderr.split("\n").filter((line) => / ERROR /.test(line)),
    isAlive,
    kill,
    async stop() {
      child.kill("SIGTERM");
      const timer = setTimeout(kill, PATIENCE_MS);
      const [code, signal] = await ended;
      clearTimeout(timer);
      process.off("exit", kill);
      if (code !== 0) {
        throw new Error(`Expected the server to end with 0, got ${code ?? signal}: ${stderr.slice(-2_000)}`);
      }
    },
  };
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const late = performance.now() + PATIENCE_MS;
  while (!await holds()) {
    if (performance.now() > late) {
      throw new Error(`Expected ${what} within ${PATIENCE_MS / 1_000} s, and it did not`);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
