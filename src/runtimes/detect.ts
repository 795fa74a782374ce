/**
 * The runtime that this program runs on.
 *
 * @module
 */
import type { Log } from "../ports/log.ts";
import type { Runtime } from "../ports/runtime.ts";

/**
 * Load the runtime for this process, and only that one.
 *
 * @param options.log Where a reader's faults are reported. Default: lines on standard error.
 */
export async function detectRuntime(options: { readonly log?: Log } = {}): Promise<Runtime> {
  if ("Bun" in globalThis) return (await import("./bun.ts")).bunRuntime(options);
  if ("Deno" in globalThis) return (await import("./deno.ts")).denoRuntime(options);
  return (await import("./node.ts")).nodeRuntime(options);
}
