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

export interface StartOptions {
  readonly folder?: string;
  /** Variables added to the process's own; null takes one away. */
  readonly environment?: Readonly<Record<string, string | null>>;
  /** What `announce` gave for this child. */
  readonly announced?: ProcessMark;
  /** Hears what the child writes, in order per stream, as it comes. A child that writes faster than this returns waits. */
  readonly onOutput: (stream: "stdout" | "stderr", bytes: Uint8Array) => void;
}

/** How a child ended. */
export interface ChildEnd {
  /** Null when a signal ended it. */
  readonly code: number | null;
  /** Like `SIGKILL`; null when it exited by itself. */
  readonly signal: string | null;
}

/** Tells a process apart from a later one that was given the same number. Can be stored. */
export interface ProcessMark {
  readonly pid: number;
  /** When it was started, in a form that only the operating system's own answer matches. */
  readonly startedAt: string;
}

export interface Child {
  readonly mark: ProcessMark;
  /** Resolves when the child is gone and its output was heard. Never rejects. */
  readonly ended: Promise<ChildEnd>;
  /**
   * End the child and all that it has started: SIGTERM now, SIGKILL to whatever is left after `graceMs` (default 2_000).
   * Resolves when none of them is left.
   */
  stop(graceMs?: number): Promise<ChildEnd>;
}

export interface Processes {
  /** Run to the end. Rejects only when the program cannot be started at all. */
  run(program: string, args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /**
   * A mark for a child that is about to be started. Stored before, it leads `reap` to the child also where this process
   * is killed before `start` has given the child's own mark. Of use where the system tells processes' environments.
   */
  announce(): ProcessMark;
  /**
   * Start a child that lives on. It leads a group of its own, and the group is killed when this process exits. Rejects
   * with a sentence when the program cannot be started.
   */
  start(program: string, args: readonly string[], options: StartOptions): Promise<Child>;
  /**
   * Kill what is left of children that an earlier process of ours has started and left behind, by their marks.
   *
   * @returns how many groups were still there.
   */
  reap(marks: readonly ProcessMark[]): Promise<number>;
}
