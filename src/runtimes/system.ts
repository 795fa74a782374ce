/**
 * What all three runtimes give in the same way, through the `node:` modules that each of them has.
 *
 * @module
 */
import { closeSync, openSync } from "node:fs";
import process from "node:process";
import { isatty } from "node:tty";
import type { Runtime } from "../ports/runtime.ts";
import { certificates } from "./certificates.ts";
import { openDatabase } from "./database.ts";
import { files } from "./files.ts";
import { releaseHangups } from "./held-hangups.ts";
import { processes } from "./processes.ts";

type System = Pick<
  Runtime,
  | "openDatabase"
  | "files"
  | "certificates"
  | "processes"
  | "usage"
  | "terminal"
  | "environment"
  | "onStopSignal"
  | "onHangup"
>;

const STOP_SIGNALS = ["SIGINT", "SIGTERM"] as const;

export const system: System = {
  openDatabase,
  files,
  certificates,
  processes,
  usage() {
    const { rss, heapUsed } = process.memoryUsage();
    const { user, system } = process.cpuUsage();
    return { residentBytes: rss, heapBytes: heapUsed, cpuSeconds: (user + system) / 1_000_000 };
  },
  terminal() {
    const isTerminal = process.stderr.isTTY === true;
    // Where it is none, the environment is not asked: Deno wants a permission for that.
    const { NO_COLOR = "", TERM } = isTerminal ? process.env : {};
    return { isTerminal, colors: isTerminal && NO_COLOR === "" && TERM !== "dumb" };
  },
  // Not a copy: Deno asks for permission by name, when a name is read.
  environment: process.env,
  onStopSignal(work) {
    const listener = (signal: string) => work(signal);
    for (const signal of STOP_SIGNALS) process.on(signal, listener);
    return () => {
      for (const signal of STOP_SIGNALS) process.off(signal, listener);
    };
  },
  onHangup(work) {
    const fromTerminal = isatty(0);
    const listener = () => work(fromTerminal && terminalIsGone() ? "gone" : "reload");
    process.on("SIGHUP", listener);
    if (releaseHangups()) listener();
    return () => void process.off("SIGHUP", listener);
  },
};

/** A process that has lost its terminal has none to open any more. */
function terminalIsGone(): boolean {
  try {
    closeSync(openSync("/dev/tty", "r"));
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "EACCES";
  }
}
