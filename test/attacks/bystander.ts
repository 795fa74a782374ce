/**
 * The one who is not to notice that anybody attacks.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { startProgram } from "../support/start-program.ts";
import type { Service } from "./target.ts";

/** How its answers came, in milliseconds. */
export interface Report {
  readonly count: number;
  readonly faults: readonly string[];
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface Bystander {
  /** The session that it works in. */
  readonly session: string;
  /** Let it end, and hear how it went. */
  stop(): Promise<Report>;
}

export async function startBystander({ http, websocket }: Service, token: string): Promise<Bystander> {
  const path = fileURLToPath(new URL("./bystander-program.ts", import.meta.url));
  const program = await startProgram<{ session_id: string }>("node", path, {
    args: [http, websocket, token],
  });
  return {
    session: program.ready.session_id,
    async stop() {
      const reported = program.line((line) => line.includes('"report"'));
      const [, line] = await Promise.all([program.stop(), reported]);
      return JSON.parse(line) as Report;
    },
  };
}
