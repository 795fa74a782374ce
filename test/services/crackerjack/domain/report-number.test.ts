import { describe, expect, test } from "vitest";
import { numberAt } from "../../../../services/crackerjack/domain/report-number.ts";
import { ReportError } from "../../../../services/crackerjack/domain/report-text.ts";

const JSON_REPORT = JSON.stringify({
  summary: { errors: 3, "a/b": { "c~d": 4 }, text: " 5.5 ", empty: "", yes: true, none: null, big: 1e308 },
  list: [10, [20]],
  "": 6,
});
const XML_REPORT = `<?xml version="1.0"?>
<testsuites failures="2" name="x"><testsuite errors="1"/><testsuite errors="4"><time> 1.5 </time></testsuite></testsuites>`;

describe("numberAt", () => {
  test.each([
    ["/summary/errors", 3],
    ["/summary/a~1b/c~0d", 4],
    ["/summary/text", 5.5],
    ["/list/0", 10],
    ["/list/1/0", 20],
    ["/list/length", 2],
    ["/", 6],
    ["/summary/big", 1e308],
  ])("finds %s in JSON", (pointer, number) => {
    expect(numberAt(JSON_REPORT, pointer)).toBe(number);
  });

  test.each([
    ["/testsuites/@failures", 2],
    ["/testsuites/testsuite/@errors", 1],
    ["/testsuites/testsuite[2]/@errors", 4],
    ["/testsuites/testsuite[2]/time", 1.5],
  ])("finds %s in XML", (pointer, number) => {
    expect(numberAt(XML_REPORT, pointer)).toBe(number);
  });

  test("a number alone is a report", () => {
    expect(numberAt("7", "")).toBe(7);
  });

  test.each([
    "/summary/missing",
    "/summary/empty",
    "/summary/yes",
    "/summary/none",
    "/summary",
    "/list/2",
    "/summary/errors/deeper",
    "/__proto__",
    "/constructor/length",
    "/toString",
    "",
  ])("finds no number at %j in JSON, and says so", (pointer) => {
    expect(() => numberAt(JSON_REPORT, pointer)).toThrow(
      new ReportError(`Cannot find a number at "${pointer}" of the report`),
    );
  });

  test.each([
    "/testsuites/@missing",
    "/testsuites/@name",
    "/testsuites/testsuite[3]/@errors",
    "/testsuites/testsuite[0]/@errors",
    "/other/@failures",
    "/testsuites/testsuite",
    "/testsuites/@constructor",
    "/testsuites/@__proto__",
    "",
  ])("finds no number at %j in XML, and says so", (pointer) => {
    expect(() => numberAt(XML_REPORT, pointer)).toThrow(
      new ReportError(`Cannot find a number at "${pointer}" of the report`),
    );
  });

  test.each([
    ["JSON that is cut short", `{"a": 1`, /^Cannot read the report: expected JSON/],
    ["XML that is cut short", `<a b="1"`, /^Cannot read the report: expected well-formed XML/],
    ["nothing", "", /^Cannot read the report: expected JSON/],
  ])("refuses %s", (_title, text, message) => {
    expect(() => numberAt(text, "/a")).toThrow(message);
  });
});
