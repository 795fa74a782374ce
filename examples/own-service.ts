// A service of your own in one file: a work queue for agents. Somebody adds tasks, workers take them and hand in their
// results, everybody watches. A worker that dies holds nothing up: its task is free again when its time is over.
//
// In a project of your own the two imports below are from "mcp-realtime" and "mcp-realtime/runtimes/detect".
import process from "node:process";
import * as v from "valibot";
import type { Call, Manager, ManagerContext, SqlValue } from "../mod.ts";
import { defineContract, defineService, migrate, Refusal, runService } from "../mod.ts";
import { detectRuntime } from "../src/runtimes/detect.ts";

const text = v.pipe(v.string(), v.minLength(1), v.maxLength(10_000));
const task = v.object({
  task_id: v.pipe(v.number(), v.integer()),
  title: text,
  state: v.picklist(["open", "taken", "done"]),
  worker: v.nullable(v.string()),
  result: v.nullable(v.string()),
});
const channels = ["task", "queue"] as const;

const contract = defineContract({
  name: "work-queue",
  ports: { http: 8720, websocket: 8730 },
  channels: {
    task: { description: "One task, from open to done", id: "task_id" },
    queue: { description: "Every task" },
  },
  events: {
    "task.added": { description: "A task waits for a worker", channels, data: task },
    "task.taken": { description: "A worker has begun", channels, data: task },
    "task.done": { description: "A worker has handed in a result", channels, data: task },
  },
  requests: {
    add_task: { description: "Add a task", access: "write", input: v.object({ title: text }), output: task },
    take_task: {
      description: "Take the oldest task that is open, or whose worker is overdue; null where there is none",
      access: "write",
      input: v.object({ worker: text, seconds: v.optional(v.pipe(v.number(), v.minValue(0)), 600) }),
      output: v.object({ task: v.nullable(task) }),
    },
    finish_task: {
      description: "Hand in a result. CONFLICT where the task is not this worker's (any more)",
      access: "write",
      input: v.object({ task_id: task.entries.task_id, worker: text, result: text }),
      output: task,
    },
    list_tasks: {
      description: "The newest 100 tasks",
      access: "read",
      input: v.object({}),
      output: v.object({ tasks: v.array(task) }),
    },
  },
});

type WorkQueue = typeof contract;
type Task = v.InferOutput<typeof task>;

const TABLE = `CREATE TABLE tasks (
  task_id INTEGER PRIMARY KEY, title TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'open',
  worker TEXT, result TEXT, overdue_at INTEGER NOT NULL DEFAULT 0)`;
const FIELDS = Object.keys(task.entries).join(", ");
const TAKE = `UPDATE tasks SET state = 'taken', worker = ?, overdue_at = ? WHERE task_id =
  (SELECT min(task_id) FROM tasks WHERE state = 'open' OR (state = 'taken' AND overdue_at <= ?)) RETURNING ${FIELDS}`;
const FINISH = `UPDATE tasks SET state = 'done', result = ?
  WHERE task_id = ? AND worker = ? AND state = 'taken' RETURNING ${FIELDS}`;

class TaskQueue implements Manager {
  readonly #context: ManagerContext<WorkQueue>;

  constructor(context: ManagerContext<WorkQueue>) {
    this.#context = context;
    migrate(context.database, context.contract.name, [TABLE]);
  }

  /** What a client that subscribes is told first: the task, or the queue as it stands. */
  snapshot(kind: string, id: string | null) {
    if (kind === "queue") return { tasks: this.list() };
    return this.#rows(`SELECT ${FIELDS} FROM tasks WHERE task_id = ?`, id)[0] ?? null;
  }

  list(): Task[] {
    return this.#rows(`SELECT ${FIELDS} FROM tasks ORDER BY task_id DESC LIMIT 100`);
  }

  // State, event and the answer that a repeated request gets again are one transaction: `work` returns the answer.
  add(title: string, call: Call): Task {
    return this.#context.commit(({ emit }) => {
      const [task] = this.#rows(`INSERT INTO tasks (title) VALUES (?) RETURNING ${FIELDS}`, title);
      emit("task.added", task!);
      return task!;
    }, call);
  }

  take(worker: string, seconds: number, call: Call): { task: Task | null } {
    const now = this.#context.clock.now();
    return this.#context.commit(({ emit }) => {
      const [task = null] = this.#rows(TAKE, worker, now + seconds * 1_000, now);
      if (task) emit("task.taken", task);
      return { task };
    }, call);
  }

  finish(id: number, worker: string, result: string, call: Call): Task {
    return this.#context.commit(({ emit }) => {
      const [task] = this.#rows(FINISH, result, id, worker);
      if (!task) throw new Refusal("CONFLICT", `Task ${id} is not with '${worker}': take one first`);
      emit("task.done", task);
      return task;
    }, call);
  }

  #rows(sql: string, ...values: SqlValue[]): Task[] {
    return this.#context.database.prepare(sql).all<Task>(...values);
  }
}

const workQueue = defineService({
  contract,
  createManager: (context) => new TaskQueue(context),
  createHandlers: (tasks) => ({
    add_task: ({ title }, call) => tasks.add(title, call),
    take_task: ({ worker, seconds }, call) => tasks.take(worker, seconds, call),
    finish_task: ({ task_id, worker, result }, call) => tasks.finish(task_id, worker, result, call),
    list_tasks: () => ({ tasks: tasks.list() }),
  }),
});

process.exit(await runService(workQueue, { runtime: await detectRuntime(), args: process.argv.slice(2) }));
