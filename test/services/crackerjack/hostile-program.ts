/** Reads reports that mean harm and prints, for each, the error or what was read. */
import { readCoverage } from "../../../services/crackerjack/domain/coverage.ts";
import { readJUnit } from "../../../services/crackerjack/domain/junit.ts";
import { numberAt } from "../../../services/crackerjack/domain/report-number.ts";
import { ReportError } from "../../../services/crackerjack/domain/report-text.ts";
import { TapReader } from "../../../services/crackerjack/domain/tap.ts";
import { ToldSink } from "./told-sink.ts";

/** Where the stack ends differs between the runtimes, and within one run: everything on the way is tried. */
const DEPTHS = [100, 500, 1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 8_000, 10_000, 20_000, 50_000, 100_000];

const nested = (depth: number, open: string, close: string, inner = "") =>
  open.repeat(depth) + inner + close.repeat(depth);

const LAUGHS = `<!DOCTYPE x [<!ENTITY a "ha">${
  Array.from({ length: 20 }, (_, n) => `<!ENTITY a${n} "${`&a${n - 1 < 0 ? "" : n - 1};`.repeat(10)}">`).join(
    "",
  )
}]>`;

/** "read", the message of a `ReportError`, or what must not come. */
function outcome(work: () => unknown): string {
  try {
    work();
    return "read";
  } catch (error) {
    return error instanceof ReportError ? error.message : `UNEXPECTED ${error}`;
  }
}

const junit = (text: string) => outcome(() => readJUnit(text, new ToldSink()));
const coverage = (text: string) => outcome(() => readCoverage(text));
const number = (text: string, pointer: string) => outcome(() => numberAt(text, pointer));

function tap(text: string): string {
  const reader = new TapReader(new ToldSink(), 1e9);
  reader.push(new TextEncoder().encode(text));
  return reader.finish() ?? "read";
}

const results = {
  laughs: junit(`${LAUGHS}<testsuite name="&a19;"/>`),
  external: junit(`<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><testsuite name="&a;"/>`),
  junitDepths: DEPTHS.map((depth) => junit(nested(depth, "<testsuite>", "</testsuite>"))),
  textDepths: DEPTHS.map((depth) =>
    junit(
      `<testsuite><testcase name="a"><failure>${
        nested(depth, "<b>", "</b>", "x")
      }</failure></testcase></testsuite>`,
    )
  ),
  coberturaDepths: DEPTHS.map((depth) =>
    coverage(`<coverage line-rate="1">${nested(depth, "<class>", "</class>")}</coverage>`)
  ),
  numberDepths: DEPTHS.map((depth) => number(`<a>${nested(depth, "<b>", "</b>", "7")}</a>`, "/a")),
  istanbulDepths: DEPTHS.map((depth) =>
    coverage(`{"total":{"lines":{"total":1,"covered":1,"x":${nested(depth * 10, "[", "]")}}}}`)
  ),
  jsonDepths: DEPTHS.map((depth) => number(`{"a":${nested(depth * 10, '{"a":', "}", "7")}}`, "/a")),
  tapDepths: DEPTHS.map((depth) =>
    tap(`TAP version 14\n1..1\nnot ok\n  ---\n  a: ${"[".repeat(depth)}\n  ...\n`)
  ),
};

console.log(JSON.stringify(results));
