import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readCoverage } from "../../../../services/crackerjack/domain/coverage.ts";
import { ReportError } from "../../../../services/crackerjack/domain/report-text.ts";

const LCOV = `TN:
SF:src/a.js
FN:1,f
FNF:1
FNH:1
BRDA:1,0,0,1
BRDA:1,0,1,-
BRF:2
BRH:1
DA:1,1
DA:2,0
DA:3,5
LF:3
LH:2
end_of_record
SF:src/b.js
DA:1,1
LF:1
LH:1
end_of_record
`;

describe("readCoverage", () => {
  test("reads lcov", () => {
    expect(readCoverage(LCOV)).toEqual({
      line_coverage: 75,
      branch_coverage: 50,
      path_coverage: null,
      files: 2,
      format: "lcov",
    });
  });

  test("counts the lines of lcov where it has no sums", () => {
    expect(readCoverage("SF:a\nDA:1,1\nDA:2,0\nDA:3,0\nend_of_record\n")).toMatchObject({
      line_coverage: 33.33,
      branch_coverage: null,
      files: 1,
    });
  });

  test("lcov with the ends of lines of Windows is lcov", () => {
    expect(readCoverage(LCOV.replaceAll("\n", "\r\n"))).toEqual(readCoverage(LCOV));
  });

  test("reads lcov of any length as one, part by part", () => {
    const record = (n: number) =>
      `SF:src/${n}.js\n${"DA:1,1\n".repeat(1_000)}BRF:2\nBRH:1\nLF:4\nLH:${
        n % 2 === 0 ? 4 : 2
      }\nend_of_record\n`;
    const report = Array.from({ length: 600 }, (_, n) => record(n)).join("");
    expect(report.length).toBeGreaterThan(4_000_000);
    expect(readCoverage(report)).toMatchObject({ line_coverage: 75, branch_coverage: 50, files: 600 });
  });

  test("refuses a single record of lcov without end", () => {
    expect(() => readCoverage(`SF:a\n${"DA:1,1\n".repeat(800_000)}end_of_record\n`)).toThrow(
      "Cannot read the lcov report: expected records of at most 4194304 characters, got a longer one",
    );
  });

  test("reads Cobertura, counts before shares", () => {
    const report = `<?xml version="1.0" ?>
<!DOCTYPE coverage SYSTEM "http://cobertura.sourceforge.net/xml/coverage-04.dtd">
<coverage line-rate="0.1" branch-rate="0.2" lines-covered="7" lines-valid="8" branches-covered="1" branches-valid="4">
<packages><package><classes>
<class name="a" filename="a.py"/><class name="a.Inner" filename="a.py"/><class name="b" filename="b.py"/>
</classes></package></packages></coverage>`;
    expect(readCoverage(report)).toEqual({
      line_coverage: 87.5,
      branch_coverage: 25,
      path_coverage: null,
      files: 2,
      format: "cobertura",
    });
    expect(readCoverage(`<coverage line-rate="0.123456"/>`)).toMatchObject({
      line_coverage: 12.35,
      branch_coverage: null,
      files: 0,
    });
  });

  test("reads Istanbul's summary", () => {
    const part = (total: number, covered: number) => ({ total, covered, skipped: 0, pct: 1 });
    const report = {
      total: { lines: part(200, 199), statements: part(1, 1), functions: part(1, 1), branches: part(3, 2) },
      "/p/a.js": { lines: part(100, 100) },
      "/p/b.js": { lines: part(100, 99) },
    };
    expect(readCoverage(JSON.stringify(report))).toEqual({
      line_coverage: 99.5,
      branch_coverage: 66.67,
      path_coverage: null,
      files: 2,
      format: "istanbul",
    });
  });

  test.each([
    ["lcov", "SF:a\nLF:0\nLH:0\nend_of_record\n"],
    ["Cobertura", `<coverage line-rate="1" lines-covered="0" lines-valid="0"/>`],
    ["Istanbul", `{"total":{"lines":{"total":0,"covered":0,"pct":"Unknown"}}}`],
  ])("nothing to cover is no coverage, not all of it: %s", (_title, report) => {
    expect(readCoverage(report)).toMatchObject({ line_coverage: null, branch_coverage: null });
  });

  test.each([
    ["nothing", ""],
    ["blanks", " \n "],
    ["other words", "coverage: 100 %"],
    ["lcov without its end", LCOV.slice(0, -20)],
    ["lcov cut in a line", LCOV.slice(0, 60)],
    ["XML of another kind", "<testsuite/>"],
    ["XML cut short", `<coverage line-rate="1"`],
    ["Cobertura without a rate", "<coverage/>"],
    ["Cobertura with a rate that is no number", `<coverage line-rate="high"/>`],
    ["JSON cut short", `{"total":`],
    ["JSON of another kind", `{"total":{"lines":5}}`],
    ["Istanbul's with texts for numbers", `{"total":{"lines":{"total":"1","covered":"1"}}}`],
  ])("refuses %s with a sentence", (_title, report) => {
    expect(() => readCoverage(report)).toThrow(ReportError);
    expect(() => readCoverage(report)).toThrow(/^Cannot read the .*: expected /);
  });

  test.each([
    ["negative counts", "SF:a\nDA:1,-5\nDA:2,1\nLF:-2\nLH:-1\nend_of_record\n"],
    ["more hit than there is", "SF:a\nDA:1,1\nLF:1\nLH:50\nend_of_record\n"],
    ["numbers beyond all", `SF:a\nDA:1,${"9".repeat(400)}\nLF:${"9".repeat(400)}\nLH:1\nend_of_record\n`],
    ["words for numbers", "SF:a\nDA:x,y\nLF:a\nLH:b\nend_of_record\n"],
    ["too few fields", "SF:a\nDA:\nBRDA:1\nend_of_record\n"],
    ["unknown records", "SF:a\nXX:1\nend_of_record\nrubbish\nend_of_record\n"],
    ["Cobertura with a rate over 1", `<coverage line-rate="17"/>`],
    ["Cobertura with a negative rate", `<coverage line-rate="-1" branch-rate="1e999"/>`],
    ["Istanbul's with more covered than there is", `{"total":{"lines":{"total":1,"covered":5}}}`],
    ["Istanbul's with a negative total", `{"total":{"lines":{"total":-1,"covered":5}}}`],
    ["Istanbul's with a total beyond all", `{"total":{"lines":{"total":1e999,"covered":1e999}}}`],
  ])("%s are refused or give what a percentage can be", (_title, report) => {
    expectPlausible(report);
  });

  test("any lines of lcov in any order are refused or give what a percentage can be", () => {
    const value = fc.constantFrom(
      "",
      "1",
      "-1",
      "0",
      "1e9",
      "NaN",
      "1,1",
      "1,0,0,-",
      "1,2,3,4,5",
      ",,",
      "99".repeat(50),
    );
    const key = fc.constantFrom(
      "TN",
      "SF",
      "DA",
      "LF",
      "LH",
      "BRDA",
      "BRF",
      "BRH",
      "FN",
      "FNDA",
      "FNF",
      "VER",
      "??",
    );
    const line = fc.oneof(
      fc.tuple(key, value).map(([key, value]) => `${key}:${value}`),
      fc.constant("end_of_record"),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 20 }), (lines) => {
        expectPlausible(`SF:a\n${lines.join("\n")}\nend_of_record\n`);
      }),
      { numRuns: 500 },
    );
  });
});

function expectPlausible(report: string): void {
  let coverage;
  try {
    coverage = readCoverage(report);
  } catch (error) {
    expect(error).toBeInstanceOf(ReportError);
    return;
  }
  for (const share of [coverage.line_coverage, coverage.branch_coverage]) {
    if (share === null) continue;
    expect(share).toBeGreaterThanOrEqual(0);
    expect(share).toBeLessThanOrEqual(100);
  }
  expect(Number.isSafeInteger(coverage.files) && coverage.files >= 0).toBe(true);
}
