import { describe, expect, test } from "vitest";
import { readJUnit } from "../../../../services/crackerjack/domain/junit.ts";
import { ReportError } from "../../../../services/crackerjack/domain/report-text.ts";
import { ToldSink } from "../told-sink.ts";

function read(text: string): ToldSink {
  const sink = new ToldSink();
  readJUnit(text, sink);
  return sink;
}

describe("readJUnit", () => {
  test("tells every case, however the suites are nested, in the order of the document", () => {
    const sink = read(`<?xml version="1.0"?>
<testsuites tests="99" failures="99">
  <testsuite name="one">
    <testcase classname="a.b" name="passes" time="0.1"/>
    <testsuite name="inner"><testcase name="fails" file="x.js"><failure message="no" type="E">the
trace</failure></testcase></testsuite>
    <testcase name="skipped"><skipped message="why"/></testcase>
  </testsuite>
  <testcase name="broken" classname="a.b"><error type="Timeout"/></testcase>
  <testcase name="prints"><system-out>failure</system-out></testcase>
</testsuites>`);
    expect(sink.totals).toEqual([5]);
    expect(sink.states).toEqual(["passed", "failed", "skipped", "error", "passed"]);
    expect(sink.failures).toEqual([
      { test_name: "fails", file: "x.js", error: "no", traceback: "the\ntrace" },
      { test_name: "a.b > broken", file: "a.b", error: "Timeout", traceback: null },
    ]);
    expect(sink.ends).toBe(1);
  });

  test("a report without cases is one without tests", () => {
    expect(read("<testsuites/>")).toMatchObject({ totals: [0], states: [], ends: 1 });
    expect(read("\uFEFF<testsuite/>")).toMatchObject({ totals: [0] });
  });

  test("keeps names and messages within bounds, as text that can be sent", () => {
    const [failure] = read(
      `<testsuite><testcase name="${"n".repeat(5_000)}" file="${"f".repeat(5_000)}">` +
        `<failure message="&#x1F4A5;&lt;b&gt;${"m".repeat(50_000)}">${
          "t".repeat(50_000)
        }</failure></testcase></testsuite>`,
    ).failures;
    expect(failure!.test_name).toHaveLength(500);
    expect(failure!.file).toHaveLength(1_000);
    expect(failure!.error).toHaveLength(2_000);
    expect(failure!.error).toMatch(/^💥<b>m+…$/u);
    expect(failure!.traceback).toHaveLength(8_000);
  });

  test("a failure without any words has some", () => {
    expect(read("<testsuite><testcase><failure/></testcase></testsuite>").failures).toEqual([
      { test_name: "(unnamed)", file: null, error: "Failed without a message", traceback: null },
    ]);
  });

  test("text in CDATA and in elements is text", () => {
    const [failure] = read(
      `<testsuite><testcase name="a"><failure><![CDATA[<one>]]> <b>two</b> &amp; three</failure></testcase></testsuite>`,
    ).failures;
    expect(failure!.traceback).toBe("<one> two & three");
  });

  test.each([
    ["nothing", ""],
    ["no XML", "all fine"],
    ["another document", "<html/>"],
    ["a report that is cut short", `<testsuite><testcase name="a"/><testcase`],
    ["two documents", "<testsuite/><testsuite/>"],
    ["an unknown entity", "<testsuite>&who;</testsuite>"],
    ["an attribute that comes twice", `<testsuite name="a" name="b"/>`],
    ["a character that XML has not", "<testsuite>\u0000</testsuite>"],
  ])("refuses %s and tells nothing", (_title, text) => {
    const sink = new ToldSink();
    expect(() => readJUnit(text, sink)).toThrow(ReportError);
    expect(sink).toMatchObject({ totals: [], states: [], ends: 0 });
  });

  test("reads the ends of lines of Windows as others, however many", () => {
    const [failure] = read(
      `<testsuite>\r\n<testcase name="a">\r<failure>one\r\ntwo\rthree${
        "\r\n".repeat(2_000_000)
      }</failure></testcase></testsuite>`,
    ).failures;
    expect(failure!.traceback).toBe("one\ntwo\nthree");
  });

  test("refuses a report of more tags than it can hold", () => {
    expect(() => read(`<testsuite>${"<a/>".repeat(1_000_000)}</testsuite>`)).toThrow(
      "Cannot read the JUnit report: expected at most 1000000 tags, got more",
    );
  });

  test("any cut of a report is refused", () => {
    const whole = `<testsuite><testcase name="a"><failure message="m">t</failure></testcase></testsuite>`;
    for (let length = 0; length < whole.length; length++) {
      expect(() => read(whole.slice(0, length))).toThrow(/^Cannot read the JUnit report: /);
    }
  });
});
