/**
 * Servers and the load generator as child processes, each on a processor of its own where the system lets us.
 *
 * @module
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import process from "node:process";
import { createInterface } from "node:readline";

const canPin = availableParallelism() > 1 && spawnSync("taskset", ["-c", "0", "true"]).status === 0;

/** Where a program runs: what is measured has a processor for itself. */
export type Processor = "server" | "load";

export class Program {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #name: string;
  readonly #ended: Promise<void>;

  constructor(name: string, command: readonly string[], processor: Processor) {
    const pinned = canPin ? ["taskset", "-c", processor === "server" ? "0" : "1", ...command] : command;
    this.#name = name;
    this.#child = spawn(pinned[0]!, pinned.slice(1), { stdio: ["pipe", "pipe", "inherit"] });
    this.#child.stdin!.on("error", () => {});
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
    const kill = () => void this.#child.kill("SIGKILL");
    process.once("exit", kill);
    this.#ended = new Promise((resolve) =>
      this.#child.once("close", () => {
        process.off("exit", kill);
        resolve();
      })
    );
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Its next line, which is JSON. */
  async answer<Answer>(): Promise<Answer> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`${this.#name} has ended before it should`);
    return JSON.parse(value) as Answer;
  }

  ask<Answer>(line: string): Promise<Answer> {
    this.#child.stdin!.write(`${line}\n`);
    return this.answer();
  }

  async stop(): Promise<void> {
    this.#child.stdin!.end();
    await this.#ended;
  }
}
