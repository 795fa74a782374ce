/**
 * What a request was refused with.
 *
 * @module
 */
import { Refusal } from "../../../src/protocol/errors.ts";

/** Code and message. Anything but a refusal is thrown on. */
export async function refusal(work: Promise<unknown>): Promise<string> {
  const error = await work.then(() => "was not refused", (error) => error);
  if (!(error instanceof Refusal)) throw error;
  return `${error.code} ${error.message}`;
}
