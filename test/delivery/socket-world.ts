/**
 * A real server in this process, on a real port, with a real database file. Its crash is a stop: a process cannot kill
 * itself and go on.
 *
 * @module
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Runtime } from "../../src/ports/runtime.ts";
import { RealtimeServer } from "../../src/server/realtime-server.ts";
import { type Committed, readCommitted } from "./committed.ts";
import { MODEL_SETTINGS, modelService } from "./model-service.ts";
import { roundTrip, untilSo } from "./real-time.ts";
import { silentLog } from "./silent-log.ts";
import { SocketLines } from "./socket-line.ts";
import type { Line, LineOwner, World } from "./world.ts";

export class SocketWorld implements World {
  readonly clock = null;
  readonly #runtime: Runtime;
  readonly #folder: string;
  readonly #lines = new SocketLines();
  #server: RealtimeServer<typeof modelService.contract> | null = null;

  private constructor(runtime: Runtime, folder: string) {
    this.#runtime = runtime;
    this.#folder = folder;
  }

  static async open(runtime: Runtime): Promise<SocketWorld> {
    const world = new SocketWorld(runtime, await mkdtemp(join(tmpdir(), "delivery-")));
    await world.#start();
    return world;
  }

  connect(owner: LineOwner): Line {
    return this.#lines.connect(this.#url, owner);
  }

  async restart(): Promise<void> {
    const stopping = this.#server!.stop();
    this.#lines.flow();
    await stopping;
    await this.#start();
  }

  crash(): Promise<void> {
    return this.restart();
  }

  wait(ms: number): Promise<void> {
    return ms === 0 ? Promise.resolve() : roundTrip(this.#url);
  }

  settle(until: () => boolean): Promise<void> {
    return untilSo(until);
  }

  async finish(): Promise<Committed> {
    await this.#server!.stop();
    const database = await this.#runtime.openDatabase(this.#path);
    const committed = readCommitted(database);
    database.close();
    return committed;
  }

  async close(): Promise<void> {
    await this.#server?.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  get #url(): string {
    return `ws://127.0.0.1:${this.#server!.port}`;
  }

  get #path(): string {
    return join(this.#folder, "model.db");
  }

  async #start(): Promise<void> {
    this.#server = new RealtimeServer(modelService, {
      runtime: this.#runtime,
      settings: { ...MODEL_SETTINGS, storage: { path: this.#path } },
      log: silentLog,
    });
    await this.#server.start();
  }
}
