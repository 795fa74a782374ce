/**
 * The lines that our reporters write, one JSON object each, handed to a sink.
 *
 * `{"t":"total","n":3}`, `{"t":"test","s":"passed"}`, `{"t":"test","s":"failed","n":name,"f":file,"e":error,"b":traceback}`,
 * `{"t":"fault","n":…,"f":…,"e":…,"b":…}`, `{"t":"end"}`. Whatever else comes is passed over: the file belongs to the
 * tests that are run, which may write anything.
 *
 * @module
 */
import { boundedFailure, type TestSink, type TestState } from "./test-sink.ts";

/** A longer line is passed over, so that a writer cannot fill our memory. */
const MAX_LINE_BYTES = 1_048_576;
const NEWLINE = 10;
const STATES: readonly string[] = ["passed", "failed", "skipped", "error"] satisfies TestState[];

/** Cuts bytes into lines. A line over `MAX_LINE_BYTES` is left out. */
export class LineCutter {
  readonly #line: (text: string) => void;
  readonly #decoder = new TextDecoder();
  #parts: Uint8Array[] = [];
  #size = 0;

  constructor(line: (text: string) => void) {
    this.#line = line;
  }

  push(bytes: Uint8Array): void {
    let from = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, from)) {
      this.#keep(bytes.subarray(from, end));
      this.flush();
      from = end + 1;
    }
    this.#keep(bytes.subarray(from));
  }

  /** Hand on what has come of a line without its end. */
  flush(): void {
    const isWhole = this.#size <= MAX_LINE_BYTES;
    const parts = this.#parts;
    const size = this.#size;
    this.#parts = [];
    this.#size = 0;
    if (isWhole) this.#line(this.#decoder.decode(joined(parts, size)));
  }

  #keep(part: Uint8Array): void {
    this.#size += part.byteLength;
    if (this.#size > MAX_LINE_BYTES) this.#parts = [];
    // A copy: the bytes belong to whoever gave them.
    else if (part.byteLength > 0) this.#parts.push(part.slice());
  }
}

function joined(parts: readonly Uint8Array[], size: number): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

export function readEventLine(line: string, sink: TestSink): void {
  let event: Record<string, unknown>;
  try {
    event = JSON.parse(line);
  } catch {
    return;
  }
  if (typeof event !== "object" || event === null) return;
  const failure = () => boundedFailure({ name: event.n, file: event.f, error: event.e, traceback: event.b });
  if (event.t === "total" && Number.isSafeInteger(event.n) && Number(event.n) >= 0) {
    sink.total(Number(event.n));
  } else if (event.t === "test" && typeof event.s === "string" && STATES.includes(event.s)) {
    const state = event.s as TestState;
    sink.test(state, state === "failed" || state === "error" ? failure() : undefined);
  } else if (event.t === "fault") sink.fault(failure());
  else if (event.t === "end") sink.finished();
}
