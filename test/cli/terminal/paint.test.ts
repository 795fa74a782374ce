/**
 * Colours, where they are wanted.
 */
import { expect, it } from "vitest";
import { paintFor, wantsColor } from "../../../src/cli/terminal/paint.ts";

it("wantsColor heeds NO_COLOR, then FORCE_COLOR, then whether there is a terminal that has colours", () => {
  const [terminal, pipe] = [{ isTTY: true }, {}];
  expect(wantsColor(terminal, {})).toBe(true);
  expect(wantsColor(pipe, {})).toBe(false);
  expect(wantsColor(terminal, { TERM: "dumb" })).toBe(false);
  expect(wantsColor(terminal, { NO_COLOR: "1", FORCE_COLOR: "1" })).toBe(false);
  // An empty variable counts as none.
  expect(wantsColor(terminal, { NO_COLOR: "" })).toBe(true);
  expect(wantsColor(pipe, { FORCE_COLOR: "1" })).toBe(true);
  expect(wantsColor(terminal, { FORCE_COLOR: "0" })).toBe(false);
});

it("paintFor leaves text as it is where no colours are wanted", () => {
  expect(paintFor({}, {})("red", "text")).toBe("text");
  expect(paintFor({ isTTY: true }, {})("red", "text")).toBe("\u001b[31mtext\u001b[39m");
});
