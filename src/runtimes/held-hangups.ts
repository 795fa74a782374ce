/**
 * SIGHUP while a program starts: without a listener it would end the process, as for one that is told to read its
 * settings again before it could listen.
 *
 * @module
 */
import process from "node:process";

let hasCome = false;
let listener: (() => void) | null = null;

/** Keep a SIGHUP that comes from now on for the first who listens. */
export function holdHangups(): void {
  if (listener) return;
  listener = () => void (hasCome = true);
  process.on("SIGHUP", listener);
}

/** Hold none any more. Whoever calls it listens already. @returns whether one has come. */
export function releaseHangups(): boolean {
  if (listener) process.off("SIGHUP", listener);
  const was = hasCome;
  [listener, hasCome] = [null, false];
  return was;
}
