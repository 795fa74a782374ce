/**
 * The service of the model-based test: one kind of channel for each promise of delivery, and a manager whose state is
 * the list of what happened in a document, so that a snapshot shows whatever is missing, twice or out of order.
 *
 * @module
 */
import * as v from "valibot";
import type { Call } from "../../src/ports/call.ts";
import type { Database } from "../../src/ports/database.ts";
import { defineContract } from "../../src/protocol/contract.ts";
import type { JsonObject } from "../../src/protocol/json.ts";
import { defineService, type Manager, type ManagerContext } from "../../src/service/define-service.ts";
import type { SettingsPart } from "../../src/settings/schema.ts";

/** `n` numbers what the test asks for, `part` the events of one such thing, `pad` makes some of them large. */
const said = { n: v.number(), part: v.optional(v.number(), 0), pad: v.optional(v.string()) };
const doc = { doc_id: v.string() };
const log = { log_id: v.string() };
const pulse = { pulse_id: v.string() };
const meter = { meter_id: v.string() };
const Done = v.object({ n: v.number() });

export const modelContract = defineContract({
  name: "model",
  ports: { http: 18_679, websocket: 18_689 },
  channels: {
    doc: {
      description: "Few events are kept, and there is a state",
      id: "doc_id",
      history: { events: 4 },
      snapshot: v.object({ doc_id: v.string(), happened: v.array(v.string()) }),
    },
    log: { description: "Few events are kept, and nothing else", id: "log_id", history: { events: 3 } },
    pulse: { description: "Nothing is kept", id: "pulse_id", ephemeral: true },
    meter: {
      description: "Only the newest of each key matters",
      id: "meter_id",
      history: { events: 3 },
      latestBy: ["key"],
    },
  },
  events: {
    "doc.edited": { description: "", channels: ["doc"], data: v.object({ ...doc, ...said }) },
    "doc.noted": { description: "", channels: ["doc"], data: v.object({ ...doc, ...said }) },
    "doc.sealed": { description: "", channels: ["doc"], data: v.object({ ...doc, ...said }) },
    "doc.posted": {
      description: "Goes to channels of two kinds",
      channels: ["doc", "log"],
      data: v.object({ ...doc, ...log, ...said }),
    },
    "doc.shared": {
      description: "Goes to two channels of one kind",
      channels: ({ doc_id, to }: { doc_id: string; to: string }) => [`doc:${doc_id}`, `doc:${to}`],
      data: v.object({ ...doc, to: v.string(), ...said }),
    },
    "log.written": {
      description: "",
      channels: ["log"],
      publishable: "write",
      data: v.object({ ...log, ...said }),
    },
    "log.sealed": {
      description: "",
      channels: ["log"],
      publishable: "write",
      data: v.object({ ...log, ...said }),
    },
    "pulse.beat": {
      description: "",
      channels: ["pulse"],
      publishable: "write",
      data: v.object({ ...pulse, ...said }),
    },
    "pulse.sealed": {
      description: "",
      channels: ["pulse"],
      publishable: "write",
      data: v.object({ ...pulse, ...said }),
    },
    "meter.moved": {
      description: "",
      channels: ["meter"],
      publishable: "write",
      data: v.object({ ...meter, key: v.string(), ...said }),
    },
    "meter.sealed": {
      description: "",
      channels: ["meter"],
      publishable: "write",
      data: v.object({ ...meter, key: v.string(), ...said }),
    },
  },
  requests: {
    edit: { description: "", access: "write", input: v.object({ ...doc, ...said }), output: Done },
    edit_slowly: {
      description: "Answers some time after the commit",
      access: "write",
      input: v.object({ ...doc, ...said }),
      output: Done,
    },
    note: { description: "", access: "write", input: v.object({ ...doc, ...said }), output: Done },
    seal: { description: "", access: "write", input: v.object({ ...doc, ...said }), output: Done },
    post: { description: "", access: "write", input: v.object({ ...doc, ...log, ...said }), output: Done },
    share: {
      description: "",
      access: "write",
      input: v.object({ ...doc, to: v.string(), ...said }),
      output: Done,
    },
    burst: {
      description: "Many events in one commit",
      access: "write",
      input: v.object({ ...doc, ...log, ...said, count: v.number() }),
      output: Done,
    },
  },
});

export type ModelContract = typeof modelContract;
type Context = ManagerContext<ModelContract>;
type Said = { n: number; part?: number | undefined; pad?: string | undefined };

/** How long `edit_slowly` takes to its answer, in milliseconds. */
const SLOW_MS = 20;

/** What a document's state says of an event. */
export function labelOf({ n, part = 0 }: { readonly n?: unknown; readonly part?: unknown }): string {
  return `${n}.${part}`;
}

/**
 * What was really committed, by the database's own word: a trigger copies each event, so it is written in the same
 * transaction, and nothing trims it.
 */
const TABLES = `
  CREATE TABLE IF NOT EXISTS happened (doc_id TEXT NOT NULL, label TEXT NOT NULL);
  CREATE INDEX IF NOT EXISTS happened_by_doc ON happened (doc_id);
  CREATE TABLE IF NOT EXISTS committed AS
    SELECT seq, prev, channel, id, event, timestamp, data FROM events WHERE 0;
  CREATE TRIGGER IF NOT EXISTS commit_seen AFTER INSERT ON events BEGIN
    INSERT INTO committed VALUES
      (NEW.seq, NEW.prev, NEW.channel, NEW.id, NEW.event, NEW.timestamp, NEW.data);
  END;
`;

export class ModelManager implements Manager {
  readonly #context: Context;
  readonly #add: ReturnType<Database["prepare"]>;
  readonly #all: ReturnType<Database["prepare"]>;

  constructor(context: Context) {
    this.#context = context;
    const { database } = context;
    database.exec(TABLES);
    this.#add = database.prepare("INSERT INTO happened (doc_id, label) VALUES (?, ?)");
    this.#all = database.prepare("SELECT label FROM happened WHERE doc_id = ? ORDER BY rowid");
  }

  snapshot(kind: string, id: string | null): JsonObject | null {
    if (kind !== "doc" || id === null) return null;
    return { doc_id: id, happened: this.#all.all<{ label: string }>(id).map(({ label }) => label) };
  }

  say(
    event: "doc.edited" | "doc.noted" | "doc.sealed",
    data: { doc_id: string } & Said,
    call: Call,
  ): { n: number } {
    return this.#context.commit((transaction) => {
      this.#happen(data.doc_id, data);
      transaction.emit(event, data);
      return { n: data.n };
    }, call);
  }

  async saySlowly(data: { doc_id: string } & Said, call: Call): Promise<{ n: number }> {
    const answer = this.say("doc.edited", data, call);
    await new Promise<void>((resolve) => this.#context.clock.after(SLOW_MS, resolve));
    return answer;
  }

  post(data: { doc_id: string; log_id: string } & Said, call: Call): { n: number } {
    return this.#context.commit((transaction) => {
      this.#happen(data.doc_id, data);
      transaction.emit("doc.posted", data);
      return { n: data.n };
    }, call);
  }

  share(data: { doc_id: string; to: string } & Said, call: Call): { n: number } {
    return this.#context.commit((transaction) => {
      for (const id of new Set([data.doc_id, data.to])) this.#happen(id, data);
      transaction.emit("doc.shared", data);
      return { n: data.n };
    }, call);
  }

  burst(
    { doc_id, log_id, n, count, pad }: { doc_id: string; log_id: string; count: number } & Said,
    call: Call,
  ): { n: number } {
    return this.#context.commit((transaction) => {
      for (let part = 0; part < count; part++) {
        const more = { n, part, ...(pad === undefined ? {} : { pad }) };
        if (part % 3 === 2) transaction.emit("log.written", { log_id, ...more });
        else {
          this.#happen(doc_id, more);
          transaction.emit(part % 3 === 0 ? "doc.edited" : "doc.noted", { doc_id, ...more });
        }
      }
      return { n };
    }, call);
  }

  #happen(docId: string, said: Said): void {
    this.#add.run(docId, labelOf(said));
  }
}

export const modelService = defineService({
  contract: modelContract,
  createManager: (context) => new ModelManager(context),
  createHandlers: (manager) => ({
    edit: (data, call) => manager.say("doc.edited", data, call),
    edit_slowly: (data, call) => manager.saySlowly(data, call),
    note: (data, call) => manager.say("doc.noted", data, call),
    seal: (data, call) => manager.say("doc.sealed", data, call),
    post: (data, call) => manager.post(data, call),
    share: (data, call) => manager.share(data, call),
    burst: (data, call) => manager.burst(data, call),
  }),
});

/** Nothing slows a reader but itself, and a slow one is found out soon. */
export const MODEL_SETTINGS: SettingsPart = {
  websocket: { port: 0, message_rate_limit: 0 },
  http: { port: 0 },
  limits: { outbound_queue_bytes: 65_536 },
  history: { age_seconds: 86_400 },
  shutdown: { drain_ms: 200 },
};
