import { expect, it } from "vitest";
import { LASTING_MS, Standing } from "../../../src/cli/reach/standing.ts";
import { FakeClock } from "../../support/fake-clock.ts";

function setUp() {
  const clock = new FakeClock();
  const told: string[] = [];
  const standing = new Standing({
    lost: () => void told.push("lost"),
    back: () => void told.push("back"),
    said: (sentence) => void told.push(sentence),
  }, clock);
  standing.opened();
  return { clock, standing, told: () => told.splice(0) };
}

it("Standing tells every loss and every return of a line that breaks", () => {
  const { standing, told } = setUp();
  for (let i = 0; i < 3; i++) {
    standing.lost(null);
    standing.opened();
  }
  expect(told()).toEqual(["lost", "back", "lost", "back", "lost", "back"]);
});

it("Standing tells once of a server that ends one connection after another, and when it keeps one", () => {
  const { clock, standing, told } = setUp();
  const full = new Error("full\u001b[2J");
  for (let i = 0; i < 5; i++) {
    standing.lost(full);
    standing.opened();
  }
  expect(told()).toEqual(["lost", "full\\u001b[2J", "back", "lost"]);
  clock.advance(LASTING_MS);
  expect(told()).toEqual(["back"]);
  standing.lost(full);
  expect(told()).toEqual(["lost", "full\\u001b[2J"]);
  standing.close();
  expect(clock.pending).toBe(0);
});

it("Standing tells what the client says besides, not twice in a row", () => {
  const { standing, told } = setUp();
  for (const sentence of ["a", "a", "b", "a"]) standing.said(sentence);
  expect(told()).toEqual(["a", "b", "a"]);
});
