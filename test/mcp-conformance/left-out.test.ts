import { describe, expect, it } from "vitest";
import { faultsOf } from "./left-out.ts";
import type { Finding } from "./scenarios.ts";

const passed: Finding = { passed: true, problems: [] };
const failed: Finding = { passed: false, problems: ["FAILURE ping: no answer"] };
const reason = "Wants what a server of ours does not have";

describe("faultsOf()", () => {
  it("finds none where every scenario has passed or is left out", () => {
    const findings = new Map([["ping", passed], ["tools-call-image", failed]]);
    expect(faultsOf(["ping", "tools-call-image"], findings, { "tools-call-image": reason })).toEqual([]);
  });

  it("finds a scenario that has not passed, with what the suite says of it", () => {
    expect(faultsOf(["ping"], new Map([["ping", failed]]), {})).toEqual(["ping: FAILURE ping: no answer"]);
  });

  it("finds a scenario that was not tried, left out or not", () => {
    expect(faultsOf(["ping", "tools-list"], new Map(), { "tools-list": reason })).toEqual([
      "ping: was not tried",
      "tools-list: was not tried",
    ]);
  });

  it("finds an entry whose scenario passes", () => {
    expect(faultsOf(["ping"], new Map([["ping", passed]]), { ping: reason })).toEqual([
      "ping: is left out, but passes",
    ]);
  });

  it("finds an entry whose scenario does not exist any more", () => {
    expect(faultsOf(["ping"], new Map([["ping", passed]]), { pong: reason })).toEqual([
      "pong: is left out, but there is no such scenario",
    ]);
  });
});
