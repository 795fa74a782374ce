/**
 * Child processes, as far as services need them. A command is a program and its arguments, never a shell string.
 *
 * @module
 */

export interface RunOptions {
  readonly folder?: string;
  /** Milliseconds until the child is killed. @default 10_000 */
  readonly timeoutMs?: number;
  /** Bytes of output kept per stream; a child that writes more is killed. @default 1_048_576 */
  readonly maxOutputBytes?: number;
  /** Variables added to the process's own. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface RunResult {
  /** Exit code; null when the child was ended by a signal, by the timeout or by the output bound. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Processes {
  /** Run to the end. Rejects only when the program cannot be started at all. */
  run(program: string, args: readonly string[], options?: RunOptions): Promise<RunResult>;
}
