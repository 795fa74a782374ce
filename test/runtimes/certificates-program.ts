/**
 * A program for `certificates.test.ts`: asks the runtime that it runs on for certificates, as its argument says, and
 * prints what came of it as one line of JSON.
 *
 * @module
 */
import type { CertificateFiles, DevelopmentOptions } from "../../src/ports/certificates.ts";
import { detectRuntime } from "../../src/runtimes/detect.ts";

type Call = { read: CertificateFiles } | { authorities: string } | { development: DevelopmentOptions };

const { certificates } = await detectRuntime();

async function outcome(call: Call): Promise<unknown> {
  try {
    if ("read" in call) return await certificates.read(call.read);
    if ("authorities" in call) return await certificates.readAuthorities(call.authorities);
    return await certificates.forDevelopment(call.development);
  } catch (error) {
    return { name: (error as Error).name, message: (error as Error).message };
  }
}

const outcomes: unknown[] = [];
for (const call of JSON.parse(process.argv[2] ?? "[]") as Call[]) outcomes.push(await outcome(call));
console.log(JSON.stringify(outcomes));
