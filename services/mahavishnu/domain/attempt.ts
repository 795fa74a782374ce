/**
 * One attempt at a stage: a child process, its output, its time.
 *
 * @module
 */
import type { Cancel, Clock } from "../../../src/ports/clock.ts";
import type { Child, ChildEnd, Processes, ProcessMark } from "../../../src/ports/processes.ts";
import type { StageSpec } from "./definition.ts";
import { Output } from "./output.ts";
import type { AttemptEnd } from "./workflow-state.ts";

export interface AttemptOptions {
  readonly spec: StageSpec;
  readonly environment: Readonly<Record<string, string | null>>;
  readonly folder: string;
  readonly processes: Processes;
  readonly clock: Clock;
  readonly outputBytes: number;
  readonly graceMs: number;
  /** What `processes.announce` gave, when it was stored. */
  readonly announced: ProcessMark;
  /** The child runs; before anything else happens to it. */
  readonly onStarted: (mark: ProcessMark) => void;
}

export class Attempt {
  readonly output: Output;
  readonly #options: AttemptOptions;
  #child: Child | null = null;
  #stoppedFor: "cancelled" | "timeout" | null = null;
  #stopped: Promise<unknown> | null = null;
  #isOver = false;

  constructor(options: AttemptOptions) {
    this.#options = options;
    this.output = new Output(options.outputBytes);
  }

  /**
   * Start the child and wait for its end, and for that of all that it has started. Rejects with what `onStarted` has
   * thrown, when the child is gone, and with nothing else.
   */
  async run(): Promise<AttemptEnd> {
    const { spec, environment, folder, processes, announced, clock } = this.#options;
    const startedAt = clock.monotonic();
    const took = () => Math.round(clock.monotonic() - startedAt);
    const [program = "", ...args] = spec.command;
    try {
      this.#child = await processes.start(program, args, {
        folder,
        environment,
        announced,
        onOutput: (_, bytes) => this.output.add(bytes),
      });
    } catch (error) {
      this.output.note(error instanceof Error ? error.message : String(error));
      return { status: this.#stoppedFor ?? "failed", exitCode: null, signal: null, durationMs: took() };
    }
    return { ...await this.#follow(this.#child), durationMs: took() };
  }

  async #follow(child: Child): Promise<Omit<AttemptEnd, "durationMs">> {
    const { spec, clock, onStarted } = this.#options;
    let timer: Cancel = () => {};
    try {
      onStarted(child.mark);
      if (this.#stoppedFor) this.#end(child);
      else if (spec.timeoutMs !== null) timer = clock.after(spec.timeoutMs, () => this.stop("timeout"));
      return this.#judge(await child.ended);
    } finally {
      timer();
      // What a stage has started ends with it.
      await (this.#stopped ?? child.stop(0));
    }
  }

  /** End the child and all that it has started. What it was stopped for first counts; nothing where it has ended. */
  stop(reason: "cancelled" | "timeout"): void {
    if (this.#stoppedFor || this.#isOver) return;
    this.#stoppedFor = reason;
    if (this.#child) this.#end(this.#child);
  }

  #end(child: Child): void {
    this.#stopped = child.stop(this.#options.graceMs);
  }

  #judge({ code, signal }: ChildEnd): Omit<AttemptEnd, "durationMs"> {
    this.#isOver = true;
    const status = this.#stoppedFor ?? (code === 0 ? "completed" : "failed");
    return { status, exitCode: code, signal };
  }
}
