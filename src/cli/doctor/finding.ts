/**
 * What `doctor` finds: each a sentence about one thing that may go wrong, and where it does, what to do.
 *
 * @module
 */

/** `warn`: it works, and may not do what is wanted. `fail`: it does not work. */
export type Status = "ok" | "warn" | "fail";

export interface Finding {
  readonly status: Status;
  /** What was looked at, for programs: like `ports.websocket`. */
  readonly check: string;
  /** One sentence, without a secret. */
  readonly message: string;
  /** What to do; null where all is well. */
  readonly advice: string | null;
}

/** A check looks and changes nothing. It tells what it finds as it goes, and never throws for what it looks at. */
export type Findings = AsyncGenerator<Finding, void, undefined>;

export function ok(check: string, message: string): Finding {
  return { status: "ok", check, message, advice: null };
}

export function warn(check: string, message: string, advice: string): Finding {
  return { status: "warn", check, message, advice };
}

export function fail(check: string, message: string, advice: string): Finding {
  return { status: "fail", check, message, advice };
}

/** The sentence of an error of ours: what is wrong, and after its semicolon what to do. */
export function failWith(check: string, error: unknown, advice: string): Finding {
  const text = error instanceof Error ? error.message : String(error);
  const at = text.lastIndexOf("; ");
  if (at < 0) return fail(check, text, advice);
  return fail(check, text.slice(0, at), text.slice(at + 2));
}
