import { describe, expect, it } from "vitest";
import { readTraceparent, traceFields } from "../../src/protocol/traceparent.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";
const GIVEN = `00-${TRACE}-${SPAN}-01`;

describe("readTraceparent", () => {
  it("gives a valid one back as it came, sampled or not", () => {
    expect(readTraceparent(GIVEN)).toBe(GIVEN);
    expect(readTraceparent(`00-${TRACE}-${SPAN}-00`)).toBe(`00-${TRACE}-${SPAN}-00`);
  });

  it("takes what a later version appends, up to a bound", () => {
    const later = `01-${TRACE}-${SPAN}-01-${"x".repeat(200)}`;
    expect(readTraceparent(later)).toBe(later);
    expect(readTraceparent(`${later}x`)).toBeUndefined();
    expect(readTraceparent(`01-${TRACE}-${SPAN}-01`)).toBe(`01-${TRACE}-${SPAN}-01`);
  });

  it.each([
    ["nothing", undefined],
    ["null", null],
    ["a number", 5],
    ["a list", [GIVEN]],
    ["an empty text", ""],
    ["upper case", GIVEN.toUpperCase()],
    ["the version that is forbidden", `ff-${TRACE}-${SPAN}-01`],
    ["a trace id of zeros", `00-${"0".repeat(32)}-${SPAN}-01`],
    ["a span id of zeros", `00-${TRACE}-${"0".repeat(16)}-01`],
    ["more than version 00 has", `${GIVEN}-more`],
    ["a line break", `01-${TRACE}-${SPAN}-01-a\nb`],
    ["a line break at its end", `${GIVEN}\n`],
    ["spaces around it", ` ${GIVEN} `],
    ["two of them", `${GIVEN}, ${GIVEN}`],
  ])("passes over %s", (_, value) => {
    expect(readTraceparent(value)).toBeUndefined();
  });
});

it("traceFields names the trace and the caller's span, and nothing where there is no trace", () => {
  expect(traceFields(GIVEN)).toEqual({ trace_id: TRACE, span_id: SPAN });
  expect(traceFields(undefined)).toEqual({});
});
