/**
 * TAP as it comes, handed to a sink. Points of subtests count; the point that closes a subtest does not.
 *
 * @module
 */
import { type FinalPlan, type FinalResults, Parser, type Result } from "tap-parser";
import { LineCutter } from "./event-lines.ts";
import { boundedFailure, type TestSink } from "./test-sink.ts";

/** Blanks before a line, four a level. What it costs to read a line grows with its level. */
const MAX_INDENT = 256;

/** Diagnostics are YAML, of which reading costs the square of its length. What is longer is cut, then left out. */
const MAX_DIAGNOSTIC = 16_384;
const MAX_DIAGNOSTICS = 1_048_576;

/** The block of YAML behind a test point. */
interface Diagnostic {
  readonly indent: string;
  readonly isRead: boolean;
  room: number;
}

export class TapReader {
  readonly #sink: TestSink;
  readonly #parser = new Parser();
  readonly #cutter = new LineCutter((line) => this.#feed(line));
  readonly #maxBytes: number;
  #bytes = 0;
  #fault: string | null = null;
  /** What is wrong with a part of it, said when all was read. */
  #doubt: string | null = null;
  #hasPlan = false;
  #isOver = false;
  #failed = 0;
  #isBehind: "passed" | "failed" | null = null;
  #diagnostic: Diagnostic | null = null;
  #diagnosticRoom = MAX_DIAGNOSTICS;

  /** @param maxBytes What more comes is not read, and is a fault. */
  constructor(sink: TestSink, maxBytes: number) {
    this.#sink = sink;
    this.#maxBytes = maxBytes;
    this.#listen(this.#parser);
    this.#parser.on("plan", ({ start, end }: { start: number; end: number }) => {
      // At its end the parser makes up a plan where there are no tests.
      if (this.#isOver) return;
      this.#hasPlan = true;
      const planned = Math.max(0, end - start + 1);
      // A plan at the head is a total.
      if (this.#parser.count === 0 && Number.isSafeInteger(planned)) sink.total(planned);
    });
  }

  push(bytes: Uint8Array): void {
    if (this.#fault !== null) return;
    const room = this.#maxBytes - this.#bytes;
    this.#bytes += bytes.byteLength;
    this.#cutter.push(bytes.subarray(0, room));
    if (bytes.byteLength > room) {
      this.#fault ??= `Cannot read the TAP output: expected at most ${this.#maxBytes} bytes, got more`;
    }
  }

  /** The end of the output. Returns what is wrong with the whole, or null. */
  finish(): string | null {
    this.#cutter.flush();
    if (this.#fault !== null) return this.#fault;
    this.#isOver = true;
    try {
      this.#parser.end();
    } catch (error) {
      return unreadable(error);
    }
    const { results } = this.#parser;
    if (!results) return "Cannot read the TAP output: it has no end";
    if (results.bailout) return `The tests bailed out: ${String(results.bailout).slice(0, 500)}`;
    if (!this.#hasPlan) {
      return "Cannot trust the TAP output: expected a plan like 1..3, got none; was it cut short?";
    }
    const doubt = this.#doubt ?? disagreement(results.plan, results.count);
    if (doubt !== null) return doubt;
    if (!results.ok && this.#failed === 0) return "Cannot trust the TAP output: it contradicts itself";
    this.#sink.finished();
    return null;
  }

  #feed(line: string): void {
    if (this.#fault !== null) return;
    if (line.length > MAX_INDENT && line.search(/[^ \t]/) > MAX_INDENT) {
      this.#fault = "Cannot read the TAP output: it is nested too deep";
      return;
    }
    if (this.#isLeftOut(line)) return;
    try {
      this.#parser.write(`${line}\n`);
    } catch (error) {
      this.#fault = unreadable(error);
    }
  }

  /** Only diagnostics of failures are read, and not without end. */
  #isLeftOut(line: string): boolean {
    const block = this.#diagnostic;
    if (block && line.trimEnd() === `${block.indent}...`) {
      this.#diagnostic = null;
      return !block.isRead;
    }
    if (block && line.startsWith(block.indent)) {
      block.room -= line.length + 1;
      this.#diagnosticRoom -= block.isRead ? line.length + 1 : 0;
      return !block.isRead || block.room < 0;
    }
    const indent = this.#isBehind && /^( +)---\s*$/.exec(line)?.[1];
    if (indent) {
      const isRead = this.#isBehind === "failed" && this.#diagnosticRoom > 0;
      this.#diagnostic = { indent, isRead, room: MAX_DIAGNOSTIC };
      this.#isBehind = null;
      return !isRead;
    }
    this.#diagnostic = null;
    this.#isBehind = /^\s*not ok\b/.test(line) ? "failed" : /^\s*ok\b/.test(line) ? "passed" : null;
    return false;
  }

  #listen(parser: Parser): void {
    let failedBefore = this.#failed;
    parser.on("child", (child: Parser) => {
      failedBefore = this.#failed;
      this.#listen(child);
      child.on("complete", ({ plan, count }: FinalResults) => this.#doubt ??= disagreement(plan, count));
    });
    parser.on("assert", (result: Result) => {
      const isLeftOut = result.skip || result.todo;
      if (result.closingTestPoint) {
        // What fails by itself, not by its subtests, is told.
        if (!result.ok && !isLeftOut && this.#failed === failedBefore) this.#fail(result, "fault");
      } else if (isLeftOut) this.#sink.test("skipped");
      else if (result.ok) this.#sink.test("passed");
      else this.#fail(result, "test");
    });
  }

  #fail(result: Result, as: "test" | "fault"): void {
    this.#failed++;
    if (as === "test") this.#sink.test("failed", failureOf(result));
    else this.#sink.fault(failureOf(result));
  }
}

/** What is wrong with a number of tests, by their plan. */
function disagreement({ start, end }: FinalPlan, count: number): string | null {
  if (start === null || end === null) return null;
  const planned = Math.max(0, end - start + 1);
  return count === planned
    ? null
    : `Cannot trust the TAP output: expected ${planned} tests by its plan, got ${count}`;
}

function failureOf({ fullname, name, diag }: Result): ReturnType<typeof boundedFailure> {
  const facts: Record<string, unknown> = typeof diag === "object" && diag !== null ? diag : {};
  const at = facts.at as { file?: unknown } | string | null | undefined;
  return boundedFailure({
    name: fullname || name,
    file: facts.file ?? (typeof at === "string" ? at : at?.file) ?? facts.location,
    error: facts.message ?? facts.error,
    traceback: facts.stack ?? asText(diag),
  });
}

/** YAML may hold what JSON has no words for, such as itself. */
function asText(diag: unknown): string | undefined {
  try {
    return diag ? JSON.stringify(diag, null, 2) : undefined;
  } catch {
    return undefined;
  }
}

function unreadable(error: unknown): string {
  return `Cannot read the TAP output: ${
    error instanceof RangeError ? "it is nested too deep" : "it is no TAP"
  }`;
}

/** Whether output begins as TAP does. */
export function looksLikeTap(text: string): boolean {
  const lines = text.split("\n").map((line) => line.trimEnd()).filter((line) => line !== "");
  if (lines.slice(0, 5).some((line) => /^TAP version \d+$/.test(line))) return true;
  // The version may be left out. Numbers tell a plan and a test point from what else begins with "ok".
  const first = lines.find((line) => !line.startsWith("#")) ?? "";
  return /^(1\.\.\d+|(not )?ok \d+)( |$)/.test(first);
}
