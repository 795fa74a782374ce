/**
 * JUnit XML, as pytest, Deno, Maven and most others write it, handed to a sink.
 *
 * @module
 */
import type { XmlElement } from "@rgrove/parse-xml";
import { childrenNamed, elementsNamed, readXml, ReportError, textIn } from "./report-text.ts";
import { boundedFailure, type TestSink } from "./test-sink.ts";

/** @throws {ReportError} where it is no whole report; nothing was handed on then */
export function readJUnit(text: string, sink: TestSink): void {
  const what = "the JUnit report";
  const root = readXml(text, what);
  if (root.name !== "testsuites" && root.name !== "testsuite") {
    throw new ReportError(
      `Cannot read ${what}: expected testsuites or testsuite, got <${root.name.slice(0, 100)}>`,
    );
  }
  const cases = [...elementsNamed(root, "testcase")];
  sink.total(cases.length);
  for (const element of cases) readCase(element, sink);
  sink.finished();
}

function readCase(element: XmlElement, sink: TestSink): void {
  const [bad] = childrenNamed(element, "failure", "error");
  if (bad) {
    const { classname, name, file } = element.attributes;
    sink.test(
      bad.name === "error" ? "error" : "failed",
      boundedFailure({
        name: classname && name && !name.startsWith(classname) ? `${classname} > ${name}` : name ?? classname,
        file: file ?? classname,
        error: bad.attributes.message ?? bad.attributes.type,
        traceback: textIn(bad),
      }),
    );
  } else sink.test(childrenNamed(element, "skipped", "disabled").length > 0 ? "skipped" : "passed");
}
