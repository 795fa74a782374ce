import { afterEach, describe, expect, it } from "vitest";
import * as v from "valibot";
import { silentLog } from "../../src/ports/log.ts";
import { defineContract } from "../../src/protocol/contract.ts";
import { Refusal } from "../../src/protocol/errors.ts";
import { createToken } from "../../src/auth/token.ts";
import { systemClock } from "../../src/ports/clock.ts";
import { detectRuntime } from "../../src/runtimes/detect.ts";
import { RealtimeServer } from "../../src/server/realtime-server.ts";
import { defineService, type ManagerContext, type Relays } from "../../src/service/define-service.ts";
import type { SettingsPart } from "../../src/settings/schema.ts";
import { FrameClient } from "../support/frame-client.ts";

const SECRET = "a secret of these tests alone";
const places = v.object({ game_id: v.string(), place: v.number() });

const contract = defineContract({
  name: "game",
  ports: { http: 18_720, websocket: 18_730 },
  channels: {
    game: { description: "One game", id: "game_id" },
    chat: { description: "Talk in one game", id: "game_id", ephemeral: true },
  },
  events: {
    "piece.moved": {
      description: "A piece was moved",
      channels: ["game"],
      publishable: "write",
      published: v.object({ game_id: v.string(), by: v.pipe(v.number(), v.description("Steps")) }),
      data: places,
    },
    "word.said": {
      description: "Somebody said something",
      channels: ["chat"],
      publishable: "write",
      data: v.object({ game_id: v.string(), word: v.string() }),
    },
    "game.over": { description: "It is over", channels: ["game"], data: v.object({ game_id: v.string() }) },
  },
  requests: {},
});

type GameContract = typeof contract;

class Game {
  readonly #context: ManagerContext<GameContract>;
  place = 0;

  constructor(context: ManagerContext<GameContract>) {
    this.#context = context;
  }

  move: NonNullable<Relays<GameContract>["piece.moved"]> = ({ game_id, by }, call) => {
    if (by > 6) throw new Refusal("INVALID_DATA", "A die has six sides");
    return this.#context.commit((transaction) => {
      this.place += by;
      transaction.emit("piece.moved", { game_id, place: this.place });
      return { place: this.place };
    }, call);
  };

  refuseAnswers(): void {
    this.#context.database.exec(
      "CREATE TRIGGER refuse BEFORE INSERT ON answers BEGIN SELECT RAISE(ABORT, 'disk full'); END",
    );
  }

  presence(kind: string, id: string | null) {
    return kind === "game" && id === "g"
      ? [{ user_id: "ada", connections: 2 }, { user_id: "bob", connections: 1, user_info: { piece: "hat" } }]
      : null;
  }
}

function gameService(relays: (game: Game) => Relays<GameContract>) {
  return defineService({
    contract,
    createManager: (context) => new Game(context),
    createHandlers: () => ({}),
    createRelays: relays,
  });
}

let server: RealtimeServer<GameContract, Game> | undefined;
const clients: FrameClient[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.ws.terminate();
  await server?.stop();
  server = undefined;
});

async function makeServer(relays: Parameters<typeof gameService>[0], settings: SettingsPart = {}) {
  return server = new RealtimeServer(gameService(relays), {
    log: silentLog,
    runtime: await detectRuntime(),
    settings: {
      ...settings,
      storage: { path: ":memory:" },
      websocket: { port: 0 },
      http: { port: 0 },
      shutdown: { drain_ms: 100 },
    },
  });
}

async function connect(...channels: string[]): Promise<FrameClient> {
  const client = await FrameClient.open(`ws://127.0.0.1:${server!.port}`);
  clients.push(client);
  for (const channel of channels) await client.request("subscribe", { channel });
  return client;
}

async function publish(client: FrameClient, event: string, data: object) {
  const id = crypto.randomUUID();
  client.send({ type: "event", event, id, data });
  return await client.frame((frame) => frame.correlation_id === id);
}

describe("an event with a relay", () => {
  it("does what the service makes of it: others are told that, its sender is answered with the result", async () => {
    await (await makeServer((game) => ({ "piece.moved": game.move }))).start();
    const [sender, other] = [await connect("game:g"), await connect("game:g")];
    for (const [by, place] of [[4, 4], [3, 7]]) {
      expect((await publish(sender, "piece.moved", { game_id: "g", by })).data).toEqual({
        status: "published",
        event: "piece.moved",
        channels: ["game:g"],
        result: { place },
      });
    }
    await other.frame(({ data }) => data.place === 7);
    expect(other.events("game:g").map(({ data }) => data.place)).toEqual([4, 7]);
    expect(sender.events("game:g")).toEqual([]);
    const request = { event: "piece.moved", data: { game_id: "g", by: 1 } };
    expect((await sender.request("publish", request)).data.result).toEqual({ place: 8 });
    await sender.frame(({ type, data }) => type === "event" && data.place === 8);
  });

  it("is checked by what clients publish, not by what is told", async () => {
    await (await makeServer((game) => ({ "piece.moved": game.move }))).start();
    const client = await connect("game:g");
    for (
      const data of [{ game_id: "g", place: 5 }, { game_id: "g", by: "far" }, { by: 1 }, {
        game_id: "",
        by: 1,
      }]
    ) {
      expect((await publish(client, "piece.moved", data)).error_code).toBe("INVALID_DATA");
    }
    const tooFar = await publish(client, "piece.moved", { game_id: "g", by: 7 });
    expect(tooFar.error_message).toBe("A die has six sides");
    expect((await publish(client, "game.over", { game_id: "g" })).error_code).toBe("FORBIDDEN");
    expect((await client.request("get_history", { channel: "game:g" })).data.events).toEqual([]);
  });

  it("with a key is done once, and answered the same again", async () => {
    await (await makeServer((game) => ({ "piece.moved": game.move }))).start();
    const [client, other] = [await connect(), await connect("game:g")];
    const data = { game_id: "g", by: 2, idempotency_key: crypto.randomUUID() };
    const answers = [
      await publish(client, "piece.moved", data),
      await publish(await connect(), "piece.moved", data),
    ];
    expect(answers[0]!.data.result).toEqual({ place: 2 });
    expect(answers[1]!.data).toEqual(answers[0]!.data);
    await publish(client, "piece.moved", { game_id: "g", by: 1 });
    await other.frame(({ data }) => data.place === 3);
    expect(other.events("game:g")).toHaveLength(2);
  });

  it("with a key is not done where its answer cannot be remembered", async () => {
    let game: Game | undefined;
    await (await makeServer((made) => ({ "piece.moved": (game = made).move }))).start();
    const client = await connect("game:g");
    game!.refuseAnswers();
    const data = { game_id: "g", by: 2, idempotency_key: "once" };
    expect((await publish(client, "piece.moved", data)).error_code).toBe("SERVER_ERROR");
    expect((await client.request("get_history", { channel: "game:g" })).data.events).toEqual([]);
    expect((await publish(client, "piece.moved", { game_id: "g", by: 2 })).type).toBe("ack");
  });

  it("leaves the events without one as they are", async () => {
    await (await makeServer((game) => ({ "piece.moved": game.move }))).start();
    const [sender, other] = [await connect("chat:g"), await connect("chat:g")];
    expect((await publish(sender, "word.said", { game_id: "g", word: "hi" })).data).not.toHaveProperty(
      "result",
    );
    expect((await other.event("word.said", "chat:g")).data.word).toBe("hi");
  });

  it("needs what the contract says, and nothing beside it", async () => {
    const auth = { required: true, secret: SECRET };
    await (await makeServer((game) => ({ "piece.moved": game.move }), { auth })).start();
    const ask = async (...permissions: string[]) => {
      const token = await createToken({ secret: SECRET, userId: "ada", permissions, clock: systemClock });
      const headers = { authorization: `Bearer ${token}` };
      const client = await FrameClient.open(`ws://127.0.0.1:${server!.port}`, { headers });
      clients.push(client);
      return (await publish(client, "piece.moved", { game_id: "g", by: 1 })).error_message;
    };
    expect(await ask("game:write")).toBe(null);
    expect(await ask("game:admin")).toBe(null);
    expect(await ask("game:read")).toBe("Not authorized to publish piece.moved: needs game:write");
    expect(await ask("chess:write")).toBe("Not authorized to publish: needs a permission of game");
    expect(await ask()).toBe("Not authorized to publish: needs a permission of game");
  });
});

describe("relays that do not fit the contract", () => {
  const opened = async (relays: Parameters<typeof gameService>[0]) =>
    await (await makeServer(relays)).open().then(() => "opened", (error) => String(error.message));

  it("are not opened, and say which", async () => {
    expect(await opened(() => ({}))).toBe(
      "Relays of game: expected one for 'piece.moved', which has 'published', got none",
    );
    expect(await opened((game) => ({ "piece.moved": game.move, "game.over": () => ({}) }))).toBe(
      "Relays of game: expected those of events that clients may publish, got 'game.over'",
    );
  });
});

describe("get_presence", () => {
  it("answers whom the manager knows of, and else who listens", async () => {
    await (await makeServer((game) => ({ "piece.moved": game.move }))).start();
    const client = await connect("game:g", "game:h");
    const presence = async (channel: string) => (await client.request("get_presence", { channel })).data;
    expect(await presence("game:g")).toEqual({
      channel: "game:g",
      count: 3,
      users: [{ user_id: "ada", connections: 2 }, {
        user_id: "bob",
        connections: 1,
        user_info: { piece: "hat" },
      }],
    });
    expect(await presence("game:h")).toEqual({ channel: "game:h", count: 1, users: [] });
    expect(await presence("game:*")).toMatchObject({ count: 0 });
    expect(await presence("global")).toMatchObject({ count: 0 });
  });
});
