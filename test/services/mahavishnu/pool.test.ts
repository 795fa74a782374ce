import { beforeEach, describe, expect, test } from "vitest";
import { Pool, type Task, type Worker, type WorkerChange } from "../../../services/mahavishnu/domain/pool.ts";
import type { PoolBounds } from "../../../services/mahavishnu/domain/pool-records.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const IDLE_MS = 1_000;

/** Work that ends when a test says so. */
interface Work {
  readonly name: string;
  readonly worker: Worker;
  end(): Promise<void>;
}

let clock: FakeClock;
let changes: WorkerChange[];
let working: Work[];
/** What follows from work, when its worker is free. */
let follow: (name: string) => void;
beforeEach(() => {
  clock = new FakeClock();
  changes = [];
  working = [];
  follow = () => {};
});

function makePool(bounds: PoolBounds): Pool {
  const pool = new Pool({
    id: "p",
    bounds,
    idleMs: IDLE_MS,
    clock,
    onWorker: (change) => changes.push(change),
    onChange: () => {},
  });
  pool.fill();
  return pool;
}

/** Let promise callbacks run. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

async function add(pool: Pool, ...names: string[]): Promise<void> {
  addNow(pool, ...names);
  await settle();
}

function addNow(pool: Pool, ...names: string[]): void {
  for (const name of names) {
    const task: Task = { workflow_id: name[0]!, stage_name: name, attempt: 1 };
    pool.add({
      owner: name[0]!,
      task: () => task,
      work: (worker) =>
        new Promise((resolve) => {
          const end = () => {
            working.splice(working.findIndex((other) => other.name === name), 1);
            worker.become("completed");
            resolve(() => follow(name));
            return settle();
          };
          working.push({ name, worker, end });
        }),
    });
  }
}

const underWay = () => working.map(({ name, worker }) => `${name} at ${worker.id}`);
const told = () =>
  changes.splice(0).map(({ worker_id, previous, status }) => `${worker_id} ${previous} ${status}`);
const end = (name: string) => working.find((work) => work.name === name)!.end();

describe("a pool", () => {
  test("has its minimum of workers from the start", () => {
    const pool = makePool({ min: 2, max: 4 });
    expect(told()).toEqual(["p-1 null pending", "p-1 pending idle", "p-2 null pending", "p-2 pending idle"]);
    expect(pool.figures()).toEqual({
      state: "running",
      active_workers: 0,
      idle_workers: 2,
      worker_count: 2,
      queue_size: 0,
      min_workers: 2,
      max_workers: 4,
    });
  });

  test("grows in a burst to its maximum and no further, and shrinks in idleness to its minimum, told step by step", async () => {
    const pool = makePool({ min: 1, max: 3 });
    told();
    await add(pool, "a1", "a2", "a3", "a4", "a5");
    expect(told()).toEqual([
      "p-1 idle starting",
      "p-2 null pending",
      "p-2 pending starting",
      "p-3 null pending",
      "p-3 pending starting",
    ]);
    expect(pool.figures()).toMatchObject({ active_workers: 3, worker_count: 3, queue_size: 2 });

    await end("a1");
    await end("a2");
    expect(underWay()).toEqual(["a3 at p-3", "a4 at p-1", "a5 at p-2"]);
    expect(pool.figures()).toMatchObject({ active_workers: 3, worker_count: 3, queue_size: 0 });
    for (const name of ["a3", "a4", "a5"]) await end(name);
    told();
    expect(pool.figures()).toMatchObject({ active_workers: 0, idle_workers: 3 });

    clock.advance(IDLE_MS - 1);
    expect(pool.figures().worker_count).toBe(3);
    clock.advance(1);
    expect(told()).toEqual(["p-3 idle completed", "p-1 idle completed"]);
    expect(pool.workers.map(({ id }) => id)).toEqual(["p-2"]);
    clock.advance(100 * IDLE_MS);
    expect(pool.figures()).toMatchObject({ idle_workers: 1, worker_count: 1 });
    expect(told()).toEqual([]);
  });

  test("with a minimum of 0 has no worker while there is nothing to do", async () => {
    const pool = makePool({ min: 0, max: 1 });
    expect(pool.workers).toEqual([]);
    await add(pool, "a1");
    await end("a1");
    clock.advance(IDLE_MS);
    expect(pool.workers).toEqual([]);
    expect(clock.pending).toBe(0);
    await add(pool, "a2");
    expect(underWay()).toEqual(["a2 at p-1"]);
  });

  test("serves owners in turns", async () => {
    const pool = makePool({ min: 1, max: 1 });
    await add(pool, "a1", "a2", "a3", "b1", "c1");
    const order = [];
    while (working.length > 0) {
      order.push(working[0]!.name);
      await working[0]!.end();
    }
    expect(order).toEqual(["a1", "a2", "b1", "c1", "a3"]);
  });

  test("tells a worker's task from its start to its end, and none when it is idle", async () => {
    const pool = makePool({ min: 1, max: 1 });
    changes.splice(0);
    await add(pool, "a1");
    await end("a1");
    const task = { workflow_id: "a", stage_name: "a1", attempt: 1 };
    expect(changes).toEqual([
      { worker_id: "p-1", pool_id: "p", status: "starting", previous: "idle", task },
      { worker_id: "p-1", pool_id: "p", status: "completed", previous: "starting", task },
      { worker_id: "p-1", pool_id: "p", status: "idle", previous: "completed" },
    ]);
  });

  test("gives what follows from work to the worker that has done it", async () => {
    const pool = makePool({ min: 1, max: 4 });
    await add(pool, "a1");
    told();
    follow = (name) => {
      if (name === "a1") addNow(pool, "a2");
    };
    await end("a1");
    expect(underWay()).toEqual(["a2 at p-1"]);
    expect(told()).toEqual(["p-1 starting completed", "p-1 completed starting"]);
  });

  test("drops what an owner has in line, and keeps what others have", async () => {
    const pool = makePool({ min: 1, max: 1 });
    await add(pool, "a1", "b1", "b2", "c1");
    pool.drop("b");
    expect(pool.queued).toBe(1);
    await end("a1");
    expect(underWay()).toEqual(["c1 at p-1"]);
  });

  test("that was stopped starts nothing more and has no worker that does something", async () => {
    const pool = makePool({ min: 2, max: 2 });
    await add(pool, "a1", "a2", "a3");
    pool.stop();
    expect(pool.figures()).toMatchObject({ state: "stopped", queue_size: 0, active_workers: 2 });
    await end("a1");
    await end("a2");
    await add(pool, "a4");
    expect(underWay()).toEqual([]);
    expect(pool.figures()).toMatchObject({ state: "stopped", queue_size: 0, active_workers: 0 });
    expect(clock.pending).toBe(0);
  });
});

describe("scale", () => {
  test("brings new workers at once where the minimum has grown", () => {
    const pool = makePool({ min: 1, max: 4 });
    pool.scale({ min: 3, max: 4 });
    expect(pool.workers.map(({ id }) => id)).toEqual(["p-1", "p-2", "p-3"]);
  });

  test("takes up what waits where the maximum has grown", async () => {
    const pool = makePool({ min: 1, max: 1 });
    await add(pool, "a1", "a2");
    pool.scale({ min: 1, max: 2 });
    await settle();
    expect(underWay()).toEqual(["a1 at p-1", "a2 at p-2"]);
  });

  test("below the workers that are busy lets them finish, takes nothing new meanwhile, and says so", async () => {
    const pool = makePool({ min: 1, max: 3 });
    await add(pool, "a1", "a2", "a3", "a4");
    pool.scale({ min: 1, max: 1 });
    expect(pool.figures()).toMatchObject({
      state: "scaling",
      worker_count: 3,
      queue_size: 1,
      max_workers: 1,
    });
    expect(pool.free).toBe(0);
    await end("a2");
    await end("a3");
    expect(pool.figures()).toMatchObject({ state: "running", worker_count: 1, queue_size: 1 });
    expect(underWay()).toEqual(["a1 at p-1"]);
    await end("a1");
    expect(underWay()).toEqual(["a4 at p-1"]);
  });

  test("lets idle workers above the maximum go at once, the highest first", () => {
    const pool = makePool({ min: 4, max: 4 });
    told();
    pool.scale({ min: 0, max: 2 });
    expect(told()).toEqual(["p-4 idle completed", "p-3 idle completed"]);
    clock.advance(IDLE_MS);
    expect(pool.workers).toEqual([]);
  });

  test("leaves nothing waiting where all workers are idle", async () => {
    const pool = makePool({ min: 0, max: 1 });
    pool.scale({ min: 0, max: 5 });
    await add(pool, "a1", "a2", "a3", "a4", "a5");
    expect(working).toHaveLength(5);
    expect(pool.queued).toBe(0);
  });
});
