import { expect, test } from "vitest";
import { ActingUsers } from "../../../../services/excalidraw/domain/acting-user.ts";
import { type Call, localCall } from "../../../../src/ports/call.ts";

let ids = 0;
const users = () => new ActingUsers(() => String(++ids), (connection) => connection !== "gone");
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
