/**
 * Frames as a socket takes them.
 *
 * @module
 */
import { type Batch, Frame } from "../../src/ports/socket.ts";

export function batchOf(texts: readonly string[]): Batch {
  const [first, ...rest] = texts.map((text) => new Frame(text));
  if (!first) throw new Error("Expected at least one text");
  return rest.reduce((batch, frame) => batch.with(frame), first.alone);
}
