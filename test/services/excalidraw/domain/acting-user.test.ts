import { expect, test } from "vitest";
import { ActingUsers } from "../../../../services/excalidraw/domain/acting-user.ts";
import { type Call, localCall } from "../../../../src/ports/call.ts";

let ids = 0;
/** Those with a token may not say who they are, unless it is an admin's. */
const users = () =>
  new ActingUsers(
    () => String(++ids),
    (connection) => connection !== "gone",
    ({ identity }) => !identity.authenticated || identity.permissions.includes("admin"),
  );
const on = (connectionId: string | null): Call => ({ ...localCall(), connectionId });

test("whoever has named himself on a connection keeps that name there, and is forgotten with it", () => {
  const acting = users();
  expect(acting.find("ann", on("one"))).toBe("ann");
  expect(acting.find(null, on("one"))).toBe("ann");
  expect(acting.find(undefined, on("two"))).toMatch(/^guest-/);
  expect(acting.find(undefined, on("two"))).toBe(acting.require(null, on("two")));
  acting.forget("one");
  expect(acting.find(null, on("one"))).toMatch(/^guest-/);
});

test("without a connection nobody is known who says nothing", () => {
  const acting = users();
  expect(acting.find(null, on(null))).toBeNull();
  expect(acting.find("ann", on(null))).toBe("ann");
  expect(acting.find(null, on("gone"))).toBeNull();
  expect(() => acting.require(null, on("gone"))).toThrow("neither a token nor a connection says who it is");
});

test("a token's name is the only one", () => {
  const acting = users();
  const call = { ...on("one"), identity: { userId: "ada", permissions: [], authenticated: true } };
  expect(acting.find(null, call)).toBe("ada");
  expect(() => acting.find("bob", call)).toThrow("Not authorized to act as another user");
});

const bearing = (connectionId: string | null, userId: string | null, ...permissions: string[]): Call => {
  return { ...on(connectionId), identity: { userId, permissions, authenticated: true } };
};

test("a token that names nobody claims nobody's name, and is a guest on a connection", () => {
  const acting = users();
  for (const userId of [null, ""]) {
    for (const connection of ["one", null]) {
      const call = bearing(connection, userId, "write");
      expect(() => acting.find("ada", call)).toThrow("the token names none");
      expect(() => acting.require("ada", call)).toThrow("the token names none");
    }
    expect(acting.find(null, bearing(null, userId, "write"))).toBeNull();
    expect(() => acting.require(null, bearing(null, userId, "write"))).toThrow("the token names no user");
  }
  const guest = acting.require(null, bearing("one", null, "write"));
  expect(guest).toMatch(/^guest-/);
  expect(acting.find(guest, bearing("one", null, "write"))).toBe(guest);
  expect(() => acting.find(guest, bearing("two", null, "write"))).toThrow("the token names none");
});

test("an admin whose token names nobody may, until another token takes its place", () => {
  const acting = users();
  expect(acting.find("ada", bearing("one", null, "admin"))).toBe("ada");
  expect(acting.find(null, bearing("one", null, "admin"))).toBe("ada");
  expect(acting.find(null, bearing("one", null, "write"))).toMatch(/^guest-/);
});

test("a token's name is the one that every database gives back, and has a bound", () => {
  const acting = users();
  expect(acting.find(null, bearing("one", "a\0d\ud800a"))).toBe("a\ufffdd\ufffda");
  expect(acting.find("a\ufffd", bearing("one", "a\0"))).toBe("a\ufffd");
  const longest = "x".repeat(255);
  expect(acting.find(longest, bearing("one", longest))).toBe(longest);
  expect(() => acting.find(null, bearing("one", `${longest}x`))).toThrow(
    "256 characters, expected at most 255",
  );
});
