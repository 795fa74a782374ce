import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { RequestInput } from "../../../src/protocol/contract.ts";
import type { ExcalidrawContract } from "../../../services/excalidraw/contract.ts";
import { box, callOf, type Started, startManager } from "./started-manager.ts";

let started: Started;
const open = async (settings: Parameters<typeof startManager>[0] = {}) => {
  started = await startManager(settings);
  for (const diagram_id of ["plan", "other"]) started.manager.createDiagram({ diagram_id });
  for (const connection of ["c1", "c2", "c3"]) started.manager.onConnect(connection);
  started.told();
};
const openWith = async (settings: Parameters<typeof startManager>[0]) => {
  await started.stop();
  await open(settings);
};
beforeEach(() => open());
afterEach(() => started.stop());

const join = (connection: string | null, user_id: string | null, diagram_id = "plan", more = {}) =>
  started.manager.joinDiagram(
    { diagram_id, user_id, ...more } as RequestInput<ExcalidrawContract, "join_diagram">,
    callOf(connection),
  );
const leave = (connection: string | null, user_id: string | null, diagram_id = "plan") =>
  started.manager.leaveDiagram({ diagram_id, user_id }, callOf(connection));
const present = (diagram_id = "plan") =>
  started.manager.presence("presence", diagram_id)!.map(({ user_id, connections }) =>
    `${user_id} ${connections}`
  );

describe("join_diagram and leave_diagram", () => {
  test("tell the presence channel who has come, with name and colour, and who has left", () => {
    const info = { name: "Ada L.", color: "#123456" };
    const answer = join("c1", "ada", "plan", { user_info: info });
    expect(answer).toMatchObject({ status: "joined", user_id: "ada", user_info: info });
    expect(answer.users).toEqual([{ user_id: "ada", user_info: info, connections: 1 }]);
    expect(leave("c1", "ada")).toEqual({ status: "left", diagram_id: "plan", user_id: "ada" });
    const data = { diagram_id: "plan", user_id: "ada", user_info: info };
    expect(started.told()).toEqual([
      { event: "user.joined", channels: ["presence:plan"], data },
      { event: "user.left", channels: ["presence:plan"], data },
    ]);
    expect(present()).toEqual([]);
  });

  test("tell a user on several connections once, and to have left with the last one", () => {
    join("c1", "ada");
    join("c2", "ada");
    expect(join("c2", "ada").status).toBe("unchanged");
    expect(present()).toEqual(["ada 2"]);
    leave("c1", "ada");
    expect(started.cameAndLeft()).toEqual(["joined ada"]);
    leave("c2", "ada");
    expect(started.cameAndLeft()).toEqual(["left ada"]);
  });

  test("tell a user anew that is shown otherwise, and keep name and colour that are not given", () => {
    join("c1", "ada");
    const { user_info } = join("c2", "ada", "plan", { user_info: { name: "Ada" } });
    expect(user_info.name).toBe("Ada");
    expect(join("c1", "ada").user_info).toEqual(user_info);
    expect(started.told().map(({ event, data }) => `${event} ${data.user_info.name}`)).toEqual([
      "user.joined ada",
      "user.joined Ada",
    ]);
    expect(present()).toEqual(["ada 2"]);
  });

  test("say that nothing was to be left, and tell nothing", () => {
    join("c1", "ada");
    started.told();
    expect(leave("c2", "ada").status).toBe("not_joined");
    expect(leave("c1", "bob").status).toBe("not_joined");
    expect(started.told()).toEqual([]);
    expect(present()).toEqual(["ada 1"]);
  });

  test("give a guest to a connection that names nobody, the same one until it ends", () => {
    const { user_id } = join("c1", null);
    expect(user_id).toMatch(/^guest-[0-9A-Z]{26}$/);
    expect(join("c1", null, "other").user_id).toBe(user_id);
    expect(join("c2", null).user_id).not.toBe(user_id);
    expect(() => join(null, null)).toThrow("user_id");
    expect(() => join("gone", null)).toThrow("user_id");
    started.manager.onDisconnect("c1");
    started.manager.onConnect("c1");
    expect(join("c1", null).user_id).not.toBe(user_id);
  });

  test("act for whom the token names, and for nobody else", () => {
    const { user_id } = started.manager.joinDiagram({ diagram_id: "plan" }, callOf("c1", "ada"));
    expect(user_id).toBe("ada");
    const asBob = { diagram_id: "plan", user_id: "bob" };
    expect(() => started.manager.joinDiagram(asBob, callOf("c1", "ada"))).toThrow("another user");
    expect(() => started.manager.leaveDiagram(asBob, callOf("c1", "ada"))).toThrow("another user");
    expect(present()).toEqual(["ada 1"]);
  });
});

describe("a token's user of any kind", () => {
  const as = (userId: string) =>
    started.request("join_diagram", { diagram_id: "plan" }, { userId, permissions: [], authenticated: true });

  test.each([
    ["x".repeat(128), "x".repeat(128)],
    ["x".repeat(255), "x".repeat(128)],
    [`${"x".repeat(127)}😀`, "x".repeat(127)],
    ["ad\0a", "ad\ufffda"],
    ["ad\ud800a", "ad\ufffda"],
  ])("%j joins, with as much of it for a name as there is room for", async (userId, name) => {
    expect(await as(userId)).toMatchObject({ status: "joined", user_info: { name } });
    expect((await started.request("get_diagram_status", { diagram_id: "plan" })).diagram!.users).toHaveLength(
      1,
    );
  });

  test("is refused with a sentence where it is longer than a user may be", async () => {
    await expect(as("x".repeat(256))).rejects.toMatchObject({ code: "FORBIDDEN" });
  });

  test("that is empty is nobody, and is asked who it is", async () => {
    await expect(as("")).rejects.toMatchObject({ code: "INVALID_DATA" });
  });
});

describe("a token without a user, with authentication required", () => {
  const token = (...permissions: string[]) => ({ userId: null, permissions, authenticated: true });
  beforeEach(async () => {
    await started.stop();
    started = await startManager({}, { authRequired: true });
    started.manager.createDiagram({ diagram_id: "plan" });
    started.told();
  });

  test.each(
    [
      ["join_diagram", {}],
      ["leave_diagram", {}],
      ["move_cursor", { position: { x: 1, y: 1 } }],
      ["update_diagram", { elements: [box("one")] }],
      ["import_diagram", { document: { type: "excalidraw", elements: [] }, merge: true }],
    ] as const,
  )("%s as somebody is FORBIDDEN, but to admins", async (name, more) => {
    const data = { diagram_id: "plan", user_id: "ada", ...more };
    for (const permission of ["excalidraw:write", "write"]) {
      await expect(started.request(name, data, token(permission))).rejects.toMatchObject({
        code: "FORBIDDEN",
        message: expect.stringContaining("the token names none"),
      });
    }
    expect(started.told()).toEqual([]);
    await started.request(name, data, token("excalidraw:admin"));
  });
});

describe("the end of a connection", () => {
  test("leaves every diagram that was joined on it", () => {
    join("c1", "ada");
    join("c1", "bob");
    join("c1", "ada", "other");
    join("c2", "ada");
    started.told();
    started.manager.onDisconnect("c1");
    const told = started.told().map(({ event, data }) => `${event} ${data.user_id} ${data.diagram_id}`);
    expect(told).toEqual(["user.left bob plan", "user.left ada other"]);
    expect(present()).toEqual(["ada 1"]);
  });

  test("is made up for where the database refused it then", () => {
    join("c1", "ada");
    started.told();
    started.database.exec(
      "CREATE TRIGGER refuse BEFORE DELETE ON joins BEGIN SELECT RAISE(ABORT, 'disk full'); END",
    );
    expect(() => started.manager.onDisconnect("c1")).toThrow("disk full");
    started.clock.advance(300_000);
    expect(present()).toEqual(["ada 1"]);
    expect(started.log.some((line) => line.includes("could not be told to have left"))).toBe(true);
    started.database.exec("DROP TRIGGER refuse");
    started.clock.advance(10_000);
    expect(started.cameAndLeft()).toEqual(["left ada"]);
    expect(present()).toEqual([]);
  });

  test("that was missed does not leave a ghost: who joins on a connection that is not up has a lease", () => {
    started.manager.onDisconnect("c1");
    join("c1", "ada");
    started.clock.advance(50_000);
    expect(present()).toEqual(["ada 1"]);
    started.clock.advance(20_000);
    expect(present()).toEqual([]);
  });

  test("as long as it is up, nobody has to do anything", () => {
    join("c1", "ada");
    started.clock.advance(10 * 3_600_000);
    expect(present()).toEqual(["ada 1"]);
  });
});

describe("a lease without a connection", () => {
  test("ends by the monotonic clock, and is renewed by joining, drawing and moving the cursor", () => {
    join(null, "ada");
    join(null, "bob");
    const renewals = [
      () => void join(null, "ada"),
      () =>
        void started.manager.updateDiagram(
          { diagram_id: "plan", elements: [], user_id: "ada" },
          callOf(null),
        ),
      () =>
        void started.manager.moveCursor(
          { diagram_id: "plan", user_id: "ada", position: { x: 1, y: 1 } },
          callOf(null),
        ),
    ];
    for (const renew of renewals) {
      started.clock.advance(50_000);
      renew();
    }
    expect(present()).toEqual(["ada 1"]);
    started.clock.advance(50_000);
    expect(present()).toEqual(["ada 1"]);
    started.clock.advance(20_000);
    expect(started.cameAndLeft()).toEqual(["joined ada", "joined bob", "left bob", "left ada"]);
    expect(present()).toEqual([]);
  });

  test("of somebody who has left and come again counts from then", () => {
    join(null, "ada");
    started.clock.advance(40_000);
    leave(null, "ada");
    join(null, "ada");
    started.clock.advance(40_000);
    expect(present()).toEqual(["ada 1"]);
  });
});

describe("a crash", () => {
  test("leaves no ghost: who was there is told to have left when the service starts again", async () => {
    join("c1", "ada");
    join("c2", "ada");
    join(null, "bob", "other");
    started.told();
    await started.restart();
    const told = started.told().map(({ event, data }) => `${event} ${data.user_id} ${data.diagram_id}`);
    expect(told).toEqual(["user.left ada plan", "user.left bob other"]);
    expect([present(), present("other")]).toEqual([[], []]);
    await started.restart();
    expect(started.told()).toEqual([]);
  });

  test("is not needed: whoever is there when the service stops is told to have left then", async () => {
    join("c1", "ada");
    started.told();
    await started.restart("orderly");
    expect(started.cameAndLeft()).toEqual(["left ada"]);
  });

  test("of more users than one commit ends leaves none of them", async () => {
    await openWith({ joins: 2_000, joins_per_connection: 2_000, users_per_diagram: 300 });
    for (let n = 0; n < 600; n++) join("c1", `user ${n}`, n % 2 ? "plan" : "other");
    started.told();
    await started.restart();
    expect(started.cameAndLeft()).toHaveLength(600);
    expect([present(), present("other")]).toEqual([[], []]);
  });
});

describe("bounds", () => {
  test("a diagram takes so many users, however often each has joined", async () => {
    await openWith({ users_per_diagram: 2 });
    for (const user of ["ada", "bob"]) join("c1", user);
    join("c2", "ada");
    expect(() => join("c2", "eve")).toThrow("setting users_per_diagram");
    expect(started.cameAndLeft()).toEqual(["joined ada", "joined bob"]);
    leave("c1", "bob");
    join("c2", "eve");
    expect(present()).toEqual(["ada 2", "eve 1"]);
  });

  test("a connection joins so often, and all together so often", async () => {
    await openWith({ joins_per_connection: 2, joins: 3 });
    join("c1", "ada");
    join("c1", "ada", "other");
    expect(() => join("c1", "bob")).toThrow("setting joins_per_connection");
    expect(join("c1", "ada").status).toBe("unchanged");
    join(null, "bob");
    expect(() => join("c2", "eve")).toThrow("setting joins)");
  });

  test("the snapshot of a full presence channel and its diagram's answers fit into a frame", async () => {
    await openWith({ users_per_diagram: 300, joins_per_connection: 300 });
    const wide = "\u0001".repeat(227);
    for (let n = 0; n < 300; n++) {
      const user_info = { name: "\u0001".repeat(128), color: "\u0001".repeat(64) };
      join("c1", `${wide}${String(n).padStart(28)}`, "plan", { user_info });
    }
    const text = JSON.stringify(started.manager.snapshot("presence", "plan"));
    expect(text.length).toBeGreaterThan(500_000);
    expect(text.length).toBeLessThan(1_000_000);
  });
});

test("snapshot and presence answer for what there is only", () => {
  join("c1", "ada");
  expect(started.manager.snapshot("presence", "plan")).toMatchObject({ users: [{ user_id: "ada" }] });
  expect(started.manager.snapshot("presence", "nowhere")).toBe(null);
  expect(started.manager.snapshot("cursor", "plan")).toBe(null);
  expect(started.manager.snapshot("global", null)).toBe(null);
  expect(started.manager.presence("diagram", "plan")).toBe(null);
  expect(started.manager.presence("presence", null)).toBe(null);
});
