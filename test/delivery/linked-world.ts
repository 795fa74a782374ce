/**
 * A real server, joined to its clients by sockets without a network, with a clock that stands still until it is moved,
 * and a database in memory that outlives the server.
 *
 * @module
 */
import type { CreateBroker } from "../../src/broker/broker.ts";
import { type Clock, turnOfProcess } from "../../src/ports/clock.ts";
import type { Database, Statement } from "../../src/ports/database.ts";
import type { Runtime } from "../../src/ports/runtime.ts";
import type { SocketReader } from "../../src/ports/socket.ts";
import { RealtimeServer } from "../../src/server/realtime-server.ts";
import { LinkedClient } from "../support/linked-socket.ts";
import { SteppedClock } from "../support/stepped-clock.ts";
import { type Committed, readCommitted } from "./committed.ts";
import { MODEL_SETTINGS, modelService } from "./model-service.ts";
import { silentLog } from "./silent-log.ts";
import type { Line, LineOwner, World } from "./world.ts";

/** Promises that wait for one another in a chain: longer ones than any here. */
const TURNS = 40;
const ROUNDS = 500;
const ROUND_MS = 10;

/** One process, so to speak: nothing that it still does after its end has an effect. */
interface Life {
  alive: boolean;
  readonly server: RealtimeServer<typeof modelService.contract>;
}

export interface LinkedOptions {
  /** Default: the server's own broker. It is given the clock that ends with the server. */
  readonly createBroker?: (clock: Clock) => CreateBroker;
}

export class LinkedWorld implements World {
  readonly clock = new SteppedClock();
  readonly #runtime: Runtime;
  readonly #database: Database;
  readonly #options: LinkedOptions;
  readonly #links = new Set<{ readonly client: LinkedClient; poll(): void }>();
  #life: Life | null = null;

  private constructor(runtime: Runtime, database: Database, options: LinkedOptions) {
    this.#runtime = runtime;
    this.#database = database;
    this.#options = options;
  }

  static async open(runtime: Runtime, options: LinkedOptions = {}): Promise<LinkedWorld> {
    const world = new LinkedWorld(runtime, await runtime.openDatabase(":memory:"), options);
    await world.#start();
    return world;
  }

  connect(owner: LineOwner): Line {
    const life = this.#life!;
    const client = new LinkedClient(this.clock, (socket) => whileAlive(life, life.server.onConnect(socket)));
    let read = 0;
    let over = false;
    const link = {
      client,
      poll: () => {
        for (; !over && read < client.frames.length; read++) owner.heard(client.frames[read]!);
        if (over || !client.over) return;
        over = true;
        this.#links.delete(link);
        const { code, reason } = client.close ?? { code: 1006, reason: "" };
        owner.ended(code, reason);
      },
    };
    this.#links.add(link);
    const leave = (code: number) => {
      over = true;
      this.#links.delete(link);
      client.hangUp(code);
      owner.ended(code, "");
    };
    return {
      send: (frame) => client.send(frame),
      cut: () => leave(1006),
      hangUp: () => leave(1000),
      stall: () => client.stall(),
      flow() {
        client.flow();
        // The end of the connection was behind all that.
        if (client.close) client.hangUp(client.close.code);
      },
    };
  }

  async restart(): Promise<void> {
    const { server } = this.#life!;
    let stopped = false;
    const stopping = server.stop().then(() => void (stopped = true));
    for (let round = 0; !stopped && round < 2_000; round++) {
      await this.#round(ROUND_MS);
      await turnOfProcess();
    }
    if (!stopped) throw new Error("Expected the server to stop, got none of it");
    await stopping;
    this.#life!.alive = false;
    await this.#start();
  }

  async crash(told: () => void): Promise<void> {
    told();
    this.#life!.alive = false;
    for (const { client } of this.#links) client.hangUp();
    this.#poll();
    await this.#start();
  }

  wait(ms: number): Promise<void> {
    return this.#round(ms);
  }

  async settle(until: () => boolean): Promise<void> {
    for (let round = 0; round < ROUNDS && !until(); round++) await this.#round(ROUND_MS);
  }

  finish(): Promise<Committed> {
    return Promise.resolve(readCommitted(this.#database));
  }

  close(): Promise<void> {
    this.#life!.alive = false;
    this.#database.close();
    return Promise.resolve();
  }

  async #start(): Promise<void> {
    const life: { alive: boolean; server?: Life["server"] } = { alive: true };
    const clock = clockOf(this.clock, life);
    const database = databaseOf(this.#database, life);
    life.server = new RealtimeServer(modelService, {
      runtime: { ...this.#runtime, openDatabase: () => Promise.resolve(database) },
      settings: MODEL_SETTINGS,
      clock,
      log: silentLog,
      ...(this.#options.createBroker ? { createBroker: this.#options.createBroker(clock) } : {}),
    });
    this.#life = life as Life;
    await life.server.open();
  }

  async #round(ms: number): Promise<void> {
    await this.#turn();
    if (ms > 0) {
      this.clock.advance(ms);
      await this.#turn();
    }
  }

  async #turn(): Promise<void> {
    for (let turn = 0; turn < TURNS; turn++) await Promise.resolve();
    this.clock.tick();
    this.#poll();
  }

  #poll(): void {
    for (const link of [...this.#links]) link.poll();
  }
}

interface Mortal {
  readonly alive: boolean;
}

function whileAlive(life: Mortal, reader: SocketReader): SocketReader {
  return {
    message: (data) => void (life.alive && reader.message(data)),
    alive: () => void (life.alive && reader.alive()),
    closed: (code, reason) => void (life.alive && reader.closed(code, reason)),
  };
}

function clockOf(clock: Clock, life: Mortal): Clock {
  const mortal = (work: () => void) => () => void (life.alive && work());
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    after: (ms, work) => clock.after(ms, mortal(work)),
    every: (ms, work) => clock.every(ms, mortal(work)),
    endOfTick: (work) => clock.endOfTick(mortal(work)),
  };
}

/** Stays open when the server closes it, and takes nothing more from a server that has been killed. */
function databaseOf(database: Database, life: Mortal): Database {
  const check = () => {
    if (!life.alive) throw new Error("The process has been killed");
  };
  return {
    exec(sql) {
      check();
      database.exec(sql);
    },
    prepare(sql) {
      const inner = database.prepare(sql);
      const statement: Statement = {
        run(...parameters) {
          check();
          return inner.run(...parameters);
        },
        get(...parameters) {
          check();
          return inner.get(...parameters);
        },
        all(...parameters) {
          check();
          return inner.all(...parameters);
        },
      };
      return statement;
    },
    close() {},
  };
}
