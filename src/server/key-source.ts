/**
 * Where the keys of an issuer are read: an address or a file.
 *
 * @module
 */
import { BodyCutShort, readUpTo } from "../limits/read-up-to.ts";
import type { Clock } from "../ports/clock.ts";
import type { Files } from "../ports/files.ts";

/** Largest key set that is taken, in bytes. */
const MAX_BYTES = 262_144;
/** How long the whole answer may take, in milliseconds. */
const TIMEOUT_MS = 5_000;

/**
 * Read a key set from its address. Where the address points elsewhere, it is not followed: keys come from nowhere but
 * the address that the operator has named.
 *
 * @throws {Error} as `KeySetOptions.read` does.
 */
export async function fetchKeySet(url: string, clock: Clock): Promise<string> {
  const stop = new AbortController();
  const timer = clock.after(TIMEOUT_MS, () => stop.abort());
  try {
    const headers = { Accept: "application/jwk-set+json, application/json" };
    const response = await fetch(url, { headers, redirect: "manual", signal: stop.signal });
    if (!response.ok) throw new Error(`an answer with status 200, got ${response.status || "a redirect"}`);
    const bytes = await readUpTo(response.body, MAX_BYTES);
    if (bytes === null) throw new Error(`at most ${MAX_BYTES} bytes, got more`);
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    if (stop.signal.aborted) throw new Error(`an answer within ${TIMEOUT_MS / 1_000} seconds, got none`);
    if (error instanceof BodyCutShort) throw new Error("a whole answer, got a part of one", { cause: error });
    if (error instanceof TypeError) throw new Error(`an answer, got none: ${said(error)}`, { cause: error });
    throw error;
  } finally {
    timer();
    // An answer that was not read to its end would be held open.
    stop.abort();
  }
}

/** Of a fetch that failed, the cause says why. */
function said(error: Error): string {
  return error.cause instanceof Error && error.cause.message !== "" ? error.cause.message : error.message;
}

/**
 * Read a key set from a file.
 *
 * @throws {Error} as `KeySetOptions.read` does.
 */
export async function readKeyFile(path: string, files: Files): Promise<string> {
  const text = await files.readText(files.resolve(path)).catch((error: Error) => {
    throw new Error(`a file that can be read, got: ${error.message}`, { cause: error });
  });
  if (text === undefined) throw new Error(`a file, got "${path}", which does not exist`);
  if (text.length > MAX_BYTES) throw new Error(`a file of at most ${MAX_BYTES} bytes, got a larger one`);
  return text;
}
