import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { Screen } from "../../../src/cli/terminal/screen.ts";
import { ERASE } from "../../support/terminal-command.ts";

/** A terminal of 20 columns that breaks when it is told to. */
function makeScreen() {
  const failures: Error[] = [];
  let drawn = "";
  let failure: Error | null = null;
  const stream = new Writable({
    decodeStrings: false,
    autoDestroy: false,
    write(text: string, _, done) {
      if (failure === null) drawn += text;
      done(failure);
    },
  });
  const screen = new Screen(Object.assign(stream, { columns: 20, isTTY: true }), {
    hasStatus: true,
    gone: (error) => failures.push(error),
  });
  return { screen, failures, drawn: () => drawn, break: (error: Error) => void (failure = error) };
}

describe("Screen", () => {
  it("cuts the bottom line where the terminal ends, so that it can be erased as a whole", async () => {
    const { screen, drawn } = makeScreen();
    screen.status("a line that is wider than that");
    await screen.line("an event, which may be as wide as it is");
    expect(drawn()).toBe(
      `a line that is wid…${ERASE}an event, which may be as wide as it is\na line that is wid…`,
    );
  });

  it("says whether a line is out, and once that nothing can be written", async () => {
    const { screen, failures, ...terminal } = makeScreen();
    expect(await screen.line("one")).toBe(true);
    const failure = new Error("why");
    terminal.break(failure);
    expect(await Promise.all([screen.line("two"), screen.line("three")])).toEqual([false, false]);
    expect(await screen.line("four")).toBe(false);
    await screen.flushed();
    expect(failures).toEqual([failure]);
  });
});
