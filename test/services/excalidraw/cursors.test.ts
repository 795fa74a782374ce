import { afterEach, describe, expect, test } from "vitest";
import { callOf, type Started, startManager } from "./started-manager.ts";

let started: Started;
afterEach(() => started.stop());

const open = async (settings: Parameters<typeof startManager>[0] = {}) => {
  started = await startManager(settings);
  started.manager.createDiagram({ diagram_id: "plan" });
  started.told();
};
const move = (user_id: string, x: number) =>
  started.manager.moveCursor({ diagram_id: "plan", user_id, position: { x, y: 0 } }, callOf(null)).status;
const told = () => started.told().map(({ event, data }) => `${event} ${data.user_id} ${data.position.x}`);

describe("move_cursor", () => {
  test("tells the cursor channel where the cursor is", async () => {
    await open();
    await started.request("move_cursor", { diagram_id: "plan", user_id: "ada", position: { x: 1.5, y: -2 } });
    expect(started.told()).toEqual([{
      event: "cursor.moved",
      channels: ["cursor:plan"],
      data: { diagram_id: "plan", user_id: "ada", position: { x: 1.5, y: -2 } },
    }]);
  });

  test("tells the first move at once and then the latest one in each interval", async () => {
    await open({ cursor_interval_ms: 50 });
    expect([move("ada", 1), move("ada", 2), move("ada", 3)]).toEqual(["moved", "held", "held"]);
    expect(told()).toEqual(["cursor.moved ada 1"]);
    started.clock.advance(49);
    expect(told()).toEqual([]);
    started.clock.advance(1);
    expect(told()).toEqual(["cursor.moved ada 3"]);
    expect(move("ada", 4)).toBe("held");
    started.clock.advance(50);
    expect(told()).toEqual(["cursor.moved ada 4"]);
  });

  test("remembers nothing of a cursor that rests", async () => {
    await open();
    const timers = started.clock.pending;
    move("ada", 1);
    move("ada", 2);
    started.clock.advance(100);
    expect(told()).toHaveLength(2);
    expect(started.clock.pending).toBe(timers);
    expect(started.manager.getStatus({})).toMatchObject({ cursors: 0 });
    expect(move("ada", 3)).toBe("moved");
  });

  test("holds one user's cursor and nobody else's, on whatever connection it moves", async () => {
    await open();
    started.manager.onConnect("c1");
    move("ada", 1);
    expect(move("bob", 2)).toBe("moved");
    const position = { x: 3, y: 0 };
    expect(started.manager.moveCursor({ diagram_id: "plan", user_id: "ada", position }, callOf("c1")).status)
      .toBe("held");
  });

  test("tells every move where the interval is 0", async () => {
    await open({ cursor_interval_ms: 0, cursors: 1 });
    for (let x = 0; x < 5; x++) expect(move(`user ${x % 2}`, x)).toBe("moved");
    expect(told()).toHaveLength(5);
  });

  test("tells no move of somebody who has left meanwhile", async () => {
    await open();
    started.manager.onConnect("c1");
    const ada = { diagram_id: "plan", user_id: "ada" };
    started.manager.joinDiagram(ada, callOf("c1"));
    move("ada", 1);
    move("ada", 2);
    started.manager.onDisconnect("c1");
    started.clock.advance(1_000);
    expect(started.told().map(({ event }) => event)).toEqual(["user.joined", "cursor.moved", "user.left"]);
  });

  test("refuses a cursor more than may move at a time, until one rests", async () => {
    await open({ cursors: 2 });
    for (const user of ["ada", "bob"]) move(user, 1);
    expect(() => move("eve", 1)).toThrow("setting cursors");
    expect(move("ada", 2)).toBe("held");
    started.clock.advance(200);
    expect(move("eve", 1)).toBe("moved");
  });

  test("refuses places that are none, and movers whom nobody knows", async () => {
    await open();
    for (
      const position of [null, {}, { x: NaN, y: 0 }, { x: Infinity, y: 0 }, { x: "1", y: 0 }, {
        x: 2e9,
        y: 0,
      }]
    ) {
      await expect(started.request("move_cursor", { diagram_id: "plan", user_id: "ada", position })).rejects
        .toMatchObject({ code: "INVALID_DATA" });
    }
    await expect(started.request("move_cursor", { diagram_id: "plan", position: { x: 1, y: 1 } })).rejects
      .toMatchObject({ code: "INVALID_DATA" });
    expect(started.told()).toEqual([]);
  });

  test("is kept nowhere", async () => {
    await open();
    move("ada", 1);
    started.manager.updateDiagram({ diagram_id: "plan", elements: [{ id: "a", type: "text" }] });
    const kept = started.database.prepare("SELECT DISTINCT event FROM events").all<{ event: string }>();
    expect(kept.map(({ event }) => event)).toEqual(["diagram.created", "diagram.updated"]);
  });
});
