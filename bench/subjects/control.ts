/**
 * How a server under test is spoken to: its first line on standard output says where it listens, every line that it is
 * sent is a question, and it ends when its standard input does.
 *
 * @module
 */
import process from "node:process";
import { createInterface } from "node:readline";
import type { Share } from "./profile.ts";

export interface Ports {
  readonly websocket: number;
  /** Where the subject has one of its own. */
  readonly http?: number;
}

/** Bytes that are in use after everything that is not has been collected. */
export interface Memory {
  readonly heap: number;
  readonly external: number;
  /** Of the whole process, as the operating system counts it. */
  readonly resident: number;
}

/** Further questions than `memory` and `profile`, by their first word. The rest of the line is theirs. */
export type Questions = Readonly<Record<string, (rest: string) => unknown>>;

/** Say where the server listens and answer questions, one line of JSON each, for as long as somebody asks. */
export function control(ports: Ports, questions: Questions = {}): void {
  const answer = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`);
  const lines = createInterface({ input: process.stdin });
  lines.on("line", async (line) => {
    const [word = "", ...rest] = line.split(" ");
    const ask = questions[word] ?? COMMON[word];
    answer(ask ? await ask(rest.join(" ")) ?? {} : { error: `Unknown question: ${word}` });
  });
  lines.on("close", () => process.exit(0));
  answer(ports);
}

const COMMON: Questions = { memory, profile };

let endProfile: (() => Promise<Share[]>) | null = null;

/** Asked once it begins, asked again it ends and tells what it has seen. On Node only. */
async function profile(): Promise<Share[] | undefined> {
  if (endProfile) {
    const shares = await endProfile();
    endProfile = null;
    return shares;
  }
  // Loaded when needed: the other runtimes have no such thing.
  endProfile = await (await import("./profile.ts")).beginProfile();
  return undefined;
}

async function memory(): Promise<Memory> {
  for (let turn = 0; turn < 5; turn++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { heapUsed: heap, external, rss: resident } = process.memoryUsage();
  return { heap, external, resident };
}

function collect(): void {
  const scope = globalThis as { gc?: () => void; Bun?: { gc(force: boolean): void } };
  if (scope.Bun) scope.Bun.gc(true);
  else scope.gc?.();
}
