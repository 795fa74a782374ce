/**
 * A server with its load generator: subscribers and publishers stand ready.
 *
 * @module
 */
import type { Deliveries } from "./load/crowd.ts";
import type { Program } from "./program.ts";
import { measureProcessor } from "./processor-time.ts";
import { startLoad, Subject, type SubjectName } from "./subjects.ts";

export interface Field {
  readonly channel?: string;
  readonly subscribers: number;
  readonly publishers: number;
  readonly eventBytes?: number;
}

/** Any figures, and the processor time of the server that they took. */
export type Measured<Figures> = Figures & { readonly cpuMs: number };

export class Fielded {
  readonly subject: Subject;
  readonly #load: Program;

  private constructor(subject: Subject, load: Program) {
    this.subject = subject;
    this.#load = load;
  }

  static async start(name: SubjectName, field: Field, extra: readonly string[] = []): Promise<Fielded> {
    const subject = await Subject.start(name, extra);
    const fielded = new Fielded(subject, startLoad());
    await fielded.order("open", { channel: "feed", ...field });
    return fielded;
  }

  /** Let the load generator do something, and tell what the server needed for it. */
  async order<Figures = Deliveries>(order: string, options: object): Promise<Measured<Figures>> {
    const { dialect, ports, pid } = this.subject;
    const words = { order, port: ports.websocket, dialect, ...options };
    const spentMs = measureProcessor(pid);
    const figures = await this.#load.ask<Figures>(JSON.stringify(words));
    return { ...figures, cpuMs: spentMs() };
  }

  async stop(): Promise<void> {
    await this.#load.stop();
    await this.subject.stop();
  }
}
