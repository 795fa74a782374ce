/**
 * The service that is measured: events that clients publish and nobody keeps, a request that changes state and tells of
 * it, and one that is answered with what it holds.
 *
 * @module
 */
import * as v from "valibot";
import type { Call } from "../../src/ports/call.ts";
import type { Statement } from "../../src/ports/database.ts";
import { defineContract } from "../../src/protocol/contract.ts";
import { defineService, type Manager, type ManagerContext } from "../../src/service/define-service.ts";
import { migrate } from "../../src/storage/migrations.ts";

const Sent = v.object({ at: v.number(), pad: v.string() });

const contract = defineContract({
  name: "bench",
  ports: { http: 18_680, websocket: 18_690 },
  channels: {
    feed: { description: "What clients publish", ephemeral: true },
    room: { description: "The same, in one of many channels", id: "room_id", ephemeral: true },
    news: { description: "What is kept", history: { events: 4_096 } },
  },
  events: {
    "feed.sent": { description: "Published", channels: ["feed"], data: Sent, publishable: "write" },
    "room.sent": {
      description: "Published to one channel",
      channels: ["room"],
      data: v.object({ room_id: v.string(), ...Sent.entries }),
      publishable: "write",
    },
    "news.saved": { description: "State has changed", channels: ["news"], data: Sent },
  },
  requests: {
    save: {
      description: "Change state and tell of it",
      access: "write",
      input: v.object({ item: v.number(), ...Sent.entries }),
      output: v.object({ item: v.number() }),
    },
    echo: {
      description: "Answer with what was asked",
      access: "write",
      input: v.object({ text: v.string() }),
      output: v.object({ text: v.string() }),
    },
  },
});

type Bench = typeof contract;

class Items implements Manager {
  readonly #context: ManagerContext<Bench>;
  #insert: Statement | null = null;

  constructor(context: ManagerContext<Bench>) {
    this.#context = context;
  }

  getStatus() {
    return {};
  }

  save(item: number, at: number, pad: string, call: Call): { item: number } {
    const insert = this.#statement();
    return this.#context.commit(({ emit }) => {
      insert.run(item, pad);
      emit("news.saved", { at, pad });
      return { item };
    }, call);
  }

  /** Made when first needed: most of what is measured has no database. */
  #statement(): Statement {
    if (this.#insert) return this.#insert;
    const { database } = this.#context;
    migrate(database, contract.name, ["CREATE TABLE items (item INTEGER PRIMARY KEY, text TEXT NOT NULL)"]);
    return this.#insert = database.prepare(
      "INSERT INTO items (item, text) VALUES (?, ?) ON CONFLICT (item) DO UPDATE SET text = excluded.text",
    );
  }
}

export const benchService = defineService({
  contract,
  createManager: (context) => new Items(context),
  createHandlers: (items: Items) => ({
    save: ({ item, at, pad }, call) => items.save(item, at, pad, call),
    echo: ({ text }) => ({ text }),
  }),
});
