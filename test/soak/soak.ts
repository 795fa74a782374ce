/**
 * A soak: a server with all services, whose clients come and go for so long, holds afterwards what it held before.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { command } from "../support/start-program.ts";
import type { Tally } from "./clients.ts";
import { type Figures, figuresTable, growthFaults } from "./figures.ts";
import { makePlace } from "./place.ts";
import { type SoakedServer, startSoaked } from "./soaked-server.ts";

/** Longest time between two looks at what the server holds. */
const ROUND_SECONDS = 120;

/** What of the time is warm-up: code is compiled, caches and histories fill. */
const WARM_UP = 0.2;

/** How much longer than told the clients may take: visits under way are brought to an end. */
const CLIENTS_GRACE_MS = 90_000;

export interface SoakResult {
  readonly rows: readonly (readonly [when: string, figures: Figures])[];
  readonly counts: Readonly<Record<string, number>>;
  /** Empty where all is back where it was. */
  readonly faults: readonly string[];
}

export interface SoakOptions {
  /** How long clients are busy, warm-up included. */
  readonly seconds: number;
  /** Told as it goes. */
  readonly onProgress?: (line: string) => void;
}

/** Needs a build, and Linux for what the system tells of a process. */
export async function soak({ seconds, onProgress = () => {} }: SoakOptions): Promise<SoakResult> {
  const folder = await makePlace();
  let server: SoakedServer | undefined;
  try {
    server = await startSoaked(folder);
    const result = await rounds(server, seconds, onProgress);
    await server.stop();
    return result;
  } finally {
    server?.kill();
    await rm(folder, { recursive: true, force: true });
  }
}

async function rounds(
  server: SoakedServer,
  seconds: number,
  onProgress: (line: string) => void,
): Promise<SoakResult> {
  const rows: [string, Figures][] = [["start", await server.quiet()]];
  const counts: Record<string, number> = {};
  const faults: string[] = [];
  let turn = 0;
  async function round(when: string, length: number): Promise<Figures> {
    const tally = await clientsFor(server, length, turn);
    turn = tally.turn;
    for (const [what, count] of Object.entries(tally.counts)) counts[what] = (counts[what] ?? 0) + count;
    faults.push(...tally.faults);
    const figures = await server.quiet();
    rows.push([when, figures]);
    onProgress(`${when}: ${tally.counts.answers} answers, heap ${Math.round(figures.heapBytes / 1_024)} KiB`);
    return figures;
  }
  const warmUp = seconds * WARM_UP;
  const baseline = await round(`warm-up ${Math.round(warmUp)} s`, warmUp);
  const rest = seconds - warmUp;
  const times = Math.max(2, Math.ceil(rest / ROUND_SECONDS));
  let last = baseline;
  for (let n = 1; n <= times; n++) {
    last = await round(`${Math.round(warmUp + rest * n / times)} s`, rest / times);
  }
  faults.push(...growthFaults(baseline, last), ...server.complaints());
  return { rows, counts, faults };
}

/** Clients that are busy for so long, in a process that ends with them. */
async function clientsFor(server: SoakedServer, seconds: number, turn: number): Promise<Tally> {
  const { program, args } = command("node", fileURLToPath(new URL("./clients.ts", import.meta.url)));
  const addresses = JSON.stringify(Object.fromEntries(server.addresses));
  const milliseconds = Math.round(seconds * 1_000);
  const child = spawn(program, [...args, String(milliseconds), String(turn), addresses], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (part: string) => void (text += part));
  const timer = setTimeout(() => child.kill("SIGKILL"), milliseconds + CLIENTS_GRACE_MS);
  const [code, signal] = await once(child, "close") as [number | null, string | null];
  clearTimeout(timer);
  if (!server.isAlive()) throw new Error("Expected the server to outlive its clients, and it has ended");
  if (code !== 0) throw new Error(`Expected the clients to end with 0, got ${code ?? signal}`);
  return JSON.parse(text) as Tally;
}

/** The result for a person. */
export function soakReport({ rows, counts, faults }: SoakResult): string {
  const done = Object.entries(counts).map(([what, count]) => `${count} ${what}`).join(", ");
  const end = faults.length === 0
    ? "All is back where it was after the warm-up"
    : `Not back where it was after the warm-up:\n${faults.map((fault) => `  ${fault}`).join("\n")}`;
  return `${figuresTable(rows)}\n\nDone: ${done}\n\n${end}`;
}
