/**
 * The load generator, a process of its own. Every line on standard input is an order in JSON, every line on standard
 * output what came of it; it ends when its standard input does.
 *
 * @module
 */
import process from "node:process";
import { createInterface } from "node:readline";
import { Crowd, type CrowdOptions } from "./crowd.ts";
import { callAll } from "./http.ts";
import { connectAll, crowdIn, fill, recoverAll } from "./newcomers.ts";

let crowd: Crowd | null = null;

const ORDERS = {
  async open(options: CrowdOptions) {
    crowd = await Crowd.open(options);
    return {};
  },
  pace: ({ bursts, burst, everyMs }: { bursts: number; burst: number; everyMs: number }) =>
    crowd!.pace(bursts, burst, everyMs),
  publish: ({ window, ms }: { window: number; ms: number }) => crowd!.publishAll(window, ms),
  echo: ({ window, ms }: { window: number; ms: number }) => crowd!.echoAll(window, ms),
  connect: connectAll,
  crowd: crowdIn,
  fill,
  recover: recoverAll,
  call: callAll,
};

for await (const line of createInterface({ input: process.stdin })) {
  const { order, ...rest } = JSON.parse(line) as { order: keyof typeof ORDERS };
  const result = await (ORDERS[order] as (options: unknown) => Promise<unknown>)(rest);
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
process.exit(0);
