/**
 * The Python server of `test/python/legacy_server.py` as a process.
 *
 * @module
 */
import { startPython } from "../support/python-program.ts";

export interface LegacyFacts {
  /** Default: any that is free. */
  readonly port?: number;
  readonly authRequired?: boolean;
  readonly tokens?: Readonly<Record<string, { user_id: string; permissions: readonly string[] }>>;
  /** Messages a second of one connection. Default: no limit. */
  readonly rate?: number;
}

export interface LegacyServer {
  readonly port: number;
  readonly url: string;
  /** What it has read, oldest first; `connection` counts from 1. */
  // deno-lint-ignore no-explicit-any
  frames(): { connection: number; frame: any }[];
  /** How many connections it has seen. */
  connections(): number;
  broadcast(room: string, event: string, data: object): void;
  /** `stop`: with 1001 to everybody. `die`: without a word. */
  end(how: "stop" | "die"): Promise<void>;
}

export async function startLegacyServer(facts: LegacyFacts): Promise<LegacyServer> {
  const python = startPython("legacy_server.py", [], facts);
  const listening = await python.line((line) => line.startsWith("listening "));
  const port = Number(listening.slice("listening ".length));
  return {
    port,
    url: `ws://127.0.0.1:${port}`,
    frames() {
      const rows = python.lines.map((line) => /^frame (\d+) (.*)$/.exec(line)).filter((row) => row !== null);
      return rows.map(([, connection, frame]) => ({
        connection: Number(connection),
        frame: JSON.parse(frame!),
      }));
    },
    connections: () => python.lines.filter((line) => line.startsWith("open ")).length,
    broadcast: (room, event, data) => python.write(`broadcast ${JSON.stringify({ room, event, data })}`),
    async end(how) {
      python.write(how);
      await python.ended;
      if (python.stderr()) throw new Error(`Expected the server to end in silence, got: ${python.stderr()}`);
    },
  };
}
