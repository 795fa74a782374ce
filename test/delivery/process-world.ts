/**
 * A server in a process of its own, which is really killed.
 *
 * @module
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Runtime } from "../../src/ports/runtime.ts";
import { type Program, sendSignal, startProgram } from "../support/start-program.ts";
import { type Committed, readCommitted } from "./committed.ts";
import { roundTrip, untilSo } from "./real-time.ts";
import { SocketLines } from "./socket-line.ts";
import type { Line, LineOwner, World } from "./world.ts";

const PROGRAM = fileURLToPath(new URL("./serving-program.ts", import.meta.url));

/** Servers that run. None outlives this process. */
const running = new Set<number>();
process.on("exit", () => {
  for (const pid of running) sendSignal(pid, "SIGKILL");
});

export interface Ready {
  readonly port: number;
}

export class ProcessWorld implements World {
  readonly clock = null;
  readonly #runtime: Runtime;
  readonly #folder: string;
  readonly #lines = new SocketLines();
  #program: Program<Ready> | null = null;

  private constructor(runtime: Runtime, folder: string) {
    this.#runtime = runtime;
    this.#folder = folder;
  }

  static async open(runtime: Runtime): Promise<ProcessWorld> {
    const world = new ProcessWorld(runtime, await mkdtemp(join(tmpdir(), "delivery-")));
    await world.#start();
    return world;
  }

  connect(owner: LineOwner): Line {
    return this.#lines.connect(this.#url, owner);
  }

  async restart(): Promise<void> {
    const stopping = this.#program!.stop();
    this.#lines.flow();
    await stopping;
    this.#program = null;
    await this.#start();
  }

  async crash(told: () => void): Promise<void> {
    told();
    const program = this.#program!;
    this.#program = null;
    await program.stop("SIGKILL");
    await this.#start();
  }

  wait(ms: number): Promise<void> {
    return ms === 0 ? Promise.resolve() : roundTrip(this.#url);
  }

  settle(until: () => boolean): Promise<void> {
    return untilSo(until);
  }

  async finish(): Promise<Committed> {
    await this.#program!.stop("SIGKILL");
    const database = await this.#runtime.openDatabase(this.#path);
    const committed = readCommitted(database);
    database.close();
    return committed;
  }

  async close(): Promise<void> {
    await this.#program?.stop("SIGKILL");
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** While there is no server, port 0, where nobody can listen: the former one may be that of another test's by now. */
  get #url(): string {
    return `ws://127.0.0.1:${this.#program?.ready.port ?? 0}`;
  }

  get #path(): string {
    return join(this.#folder, "model.db");
  }

  async #start(): Promise<void> {
    const program = this.#program = await startProgram<Ready>(this.#runtime.name, PROGRAM, {
      args: [this.#path],
    });
    running.add(program.pid);
    void program.ended.then(() => running.delete(program.pid));
  }
}
