/**
 * TAP as it comes, handed to a sink. Points of subtests count; the point that closes a subtest does not.
 *
 * @module
 */
import { Parser, type Result } from "tap-parser";
import { LineCutter } from "./event-lines.ts";
import { boundedFailure, type TestSink } from "./test-sink.ts";

/** Blanks before a line, four a level. What it costs to read a line grows with its level. */
const MAX_INDENT = 256;

export class TapReader {
  readonly #sink: TestSink;
  readonly #parser = new Parser();
  readonly #cutter = new LineCutter((line) => this.#feed(line));
  readonly #maxBytes: number;
  #bytes = 0;
  #fault: string | null = null;

  /** @param maxBytes What more comes is not read, and is a fault. */
  constructor(sink: TestSink, maxBytes: number) {
    this.#sink = sink;
    this.#maxBytes = maxBytes;
    this.#listen(this.#parser);
    this.#parser.on("plan", (plan: { start: number; end: number }) => {
      // A plan at the head is a total.
      if (this.#parser.count === 0) sink.total(Math.max(0, plan.end - plan.start + 1));
    });
  }

  push(bytes: Uint8Array): void {
    this.#bytes += bytes.byteLength;
    if (this.#bytes > this.#maxBytes) {
      this.#fault ??= `Cannot read the TAP output: expected at most ${this.#maxBytes} bytes, got more`;
    }
    if (this.#fault === null) this.#cutter.push(bytes);
  }

  /** The end of the output. Returns what is wrong with the whole, or null. */
  finish(): string | null {
    this.#cutter.flush();
    if (this.#fault !== null) return this.#fault;
    try {
      this.#parser.end();
    } catch (error) {
      return unreadable(error);
    }
    const { results } = this.#parser;
    if (!results) return "Cannot read the TAP output: it has no end";
    if (results.bailout) return `The tests bailed out: ${String(results.bailout).slice(0, 500)}`;
    const { start, end } = results.plan;
    if (start === null || end === null) {
      if (results.plan.skipAll) return this.#done();
      return "Cannot trust the TAP output: expected a plan like 1..3, got none; was it cut short?";
    }
    const planned = Math.max(0, end - start + 1);
    if (this.#parser.count < planned) {
      return `Cannot trust the TAP output: expected ${planned} tests by its plan, got ${this.#parser.count}`;
    }
    return this.#done();
  }

  #done(): null {
    this.#sink.finished();
    return null;
  }

  #feed(line: string): void {
    if (this.#fault !== null) return;
    if (line.length > MAX_INDENT && line.search(/[^ \t]/) > MAX_INDENT) {
      this.#fault = "Cannot read the TAP output: it is nested too deep";
      return;
    }
    try {
      this.#parser.write(`${line}\n`);
    } catch (error) {
      this.#fault = unreadable(error);
    }
  }

  #listen(parser: Parser): void {
    parser.on("child", (child: Parser) => this.#listen(child));
    parser.on("assert", (result: Result) => {
      if (result.closingTestPoint) return;
      if (result.skip || result.todo) this.#sink.test("skipped");
      else if (result.ok) this.#sink.test("passed");
      else this.#sink.test("failed", failureOf(result));
    });
  }
}

function failureOf({ fullname, name, diag }: Result): ReturnType<typeof boundedFailure> {
  const facts: Record<string, unknown> = typeof diag === "object" && diag !== null ? diag : {};
  const at = facts.at as { file?: unknown } | string | null | undefined;
  return boundedFailure({
    name: fullname || name,
    file: facts.file ?? (typeof at === "string" ? at : at?.file) ?? facts.location,
    error: facts.message ?? facts.error,
    traceback: facts.stack ?? (diag ? JSON.stringify(diag, null, 2) : undefined),
  });
}

function unreadable(error: unknown): string {
  return `Cannot read the TAP output: ${
    error instanceof RangeError ? "it is nested too deep" : "it is no TAP"
  }`;
}

/** Whether output begins as TAP does. */
export function looksLikeTap(text: string): boolean {
  return text.split("\n", 5).some((line) => /^TAP version \d+\s*$/.test(line));
}
