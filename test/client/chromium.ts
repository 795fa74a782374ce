/**
 * Chromium without a window, as a process of its own.
 *
 * @module
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { requireOrSkip } from "../support/require.ts";

const found: { path?: string } = {};

/** The browser that `CHROMIUM` names, else the first one on the path; undefined where there is none. */
function chromiumPath(): string | undefined {
  if (!("path" in found)) {
    const candidates = [process.env.CHROMIUM, "chromium", "chromium-browser", "google-chrome"];
    found.path = candidates.find((name) => name && spawnSync(name, ["--version"]).status === 0);
  }
  return found.path;
}

/**
 * Whether this machine has a browser. A missing one is said aloud on standard error.
 *
 * @throws {Error} where it is missing and `REQUIRE_ALL=1`.
 */
export function hasChromium(): boolean {
  const hint = "run apt-get install chromium, or name one in CHROMIUM";
  return requireOrSkip("Chromium", chromiumPath() !== undefined, hint);
}

export interface Browser {
  /** What it has written to standard error so far. */
  stderr(): string;
  /** End it and everything that it has started. */
  stop(): Promise<void>;
}

/**
 * Open a page. The browser reaches nothing but 127.0.0.1, and the addresses of `names`.
 *
 * @param names Addresses by the names that the browser is to find them under. @default none
 */
export function openPage(url: string, names: Readonly<Record<string, string>> = {}): Browser {
  const path = chromiumPath();
  if (path === undefined) throw new Error(`Cannot open ${url}: there is no browser here`);
  const found = Object.entries(names).map(([name, address]) =>
    `MAP ${name} ${address}, EXCLUDE ${address}, `
  );
  const folder = mkdtempSync(join(tmpdir(), "realtime-chromium-"));
  const child = spawn(path, [
    "--headless=new",
    // A sandbox cannot be made by root, nor in most containers.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    `--host-resolver-rules=${found.join("")}MAP * ~NOTFOUND, EXCLUDE 127.0.0.1`,
    `--user-data-dir=${folder}`,
    url,
    // A group of its own, as it is many processes.
  ], { stdio: ["ignore", "ignore", "pipe"], detached: true });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => void (stderr += text));
  const kill = () => {
    try {
      process.kill(-child.pid!, "SIGKILL");
    } catch {
      // Gone already, which is what was wanted.
    }
  };
  process.once("exit", kill);
  const ended = new Promise((resolve) => child.once("close", resolve));
  return {
    stderr: () => stderr,
    async stop() {
      kill();
      await ended;
      process.off("exit", kill);
      rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}
