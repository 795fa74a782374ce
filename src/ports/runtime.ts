/**
 * What the ground gives: serving, upgrading, databases, files, child processes, signals. One object per runtime
 * (Node, Deno, Bun) fills it, in `src/runtimes`; it is handed in and never looked up.
 *
 * @module
 */
import type { Context } from "hono";
import type { Certificates } from "./certificates.ts";
import type { Database } from "./database.ts";
import type { Files } from "./files.ts";
import type { Log } from "./log.ts";
import type { PortLimits } from "./port-limits.ts";
import type { Processes } from "./processes.ts";
import type { Accept } from "./socket.ts";

/** A Hono app, or anything that answers a request as one does. `env` is whatever the runtime hands along. */
export interface FetchApp {
  fetch(request: Request, env?: unknown): Response | Promise<Response>;
}

/** What makes a port speak TLS, in PEM: version 1.2 or later, and HTTP/1.1 only within it. */
export interface PortTls {
  /** With the intermediate certificates after it. */
  readonly cert: string;
  readonly key: string;
  /** Who must have issued a client's certificate. Absent: clients need none and are not asked for one. */
  readonly clientAuthorities?: string;
}

export interface ListenOptions {
  readonly app: FetchApp;
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Largest inbound message in bytes; a larger one ends its connection with 1009. @default 1_048_576 */
  readonly maxMessageBytes?: number;
  /** @default DEFAULT_PORT_LIMITS */
  readonly limits?: Partial<PortLimits>;
  /** Absent: the port is not encrypted. */
  readonly tls?: PortTls;
}

/** A port that is open. */
export interface Listener {
  readonly host: string;
  /** The real one, also where 0 was asked for. */
  readonly port: number;
  /**
   * Show another certificate to whoever connects from now on; whether clients need one stays. Absent: this runtime
   * cannot, and the port has to be opened anew.
   */
  renewTls?(tls: PortTls): void;
  /**
   * Stop accepting, let HTTP requests under way finish for at most `graceMs`, then cut what is left. WebSockets must
   * have been closed before. Resolves when the port is free.
   */
  close(graceMs: number): Promise<void>;
}

/** A port that cannot be opened. The message names host and port and says what to do. */
export class ListenError extends Error {
  override readonly name = "ListenError";
}

/** What the process uses. */
export interface ProcessUsage {
  /** Memory that the system has given it. */
  readonly residentBytes: number;
  /** JavaScript heap in use. */
  readonly heapBytes: number;
  /** Processor time since the process began, of all its threads. */
  readonly cpuSeconds: number;
}

export interface Runtime {
  readonly name: "node" | "deno" | "bun";
  readonly version: string;
  /** Open a port. Rejects with `ListenError`. */
  listen(options: ListenOptions): Promise<Listener>;
  /**
   * Answer an upgrade request with Hono's WebSocket helper for this runtime. Whatever `accept` or its reader throws,
   * now or later, is logged and never ends the process.
   */
  upgrade(context: Context, accept: Accept): Response | Promise<Response>;
  /** The address of the peer that sent this request, or null where the runtime does not tell. */
  remoteAddress(context: Context): string | null;
  /** Open a database file, or one in memory for `":memory:"`. Rejects with `DatabaseError`. */
  openDatabase(path: string): Promise<Database>;
  readonly files: Files;
  readonly certificates: Certificates;
  readonly processes: Processes;
  /** Measured at each call. */
  usage(): ProcessUsage;
  /** What standard error is, where logs go: `colors` is false where it is no terminal or the person wants none. */
  terminal(): { readonly isTerminal: boolean; readonly colors: boolean };
  /** Write the runtime's own log lines to this log from now on, instead of the one that the runtime was made with. */
  logTo(log: Log): void;
  /** The process's environment variables. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Call `work` on SIGINT and SIGTERM. Returns the way to stop listening. */
  onStopSignal(work: (signal: string) => void): () => void;
  /**
   * Call `work` on SIGHUP: with "reload", or with "gone" where it means that the terminal which the program was started
   * from is no more. It is called at once where one has come while the program started. Returns the way to stop
   * listening, after which SIGHUP ends the process again.
   */
  onHangup(work: (meaning: "reload" | "gone") => void): () => void;
}
