/**
 * What a reader has not taken of all that was written to its socket, and how much of it speaks against the reader.
 *
 * @module
 */
import type { Socket } from "../ports/socket.ts";

/**
 * Why bytes that wait are no sign of slow reading. `replay`: it waits for the reader by itself. `fold`: more of its kind
 * is parked as soon as the reader is behind. Null: they are one.
 */
export type Pardon = "replay" | "fold" | null;

export class Leftover {
  readonly #socket: Socket;
  /** All that was ever written, in bytes. */
  #written = 0;
  /** Stretches of what was written that are pardoned, until the reader has taken them. */
  #stretches: { from: number; to: number; readonly pardon: Pardon }[] = [];
  /** Bytes that waited when last measured, without replays. */
  behind = 0;
  /** Those of them that are not pardoned. */
  owed = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  wrote(bytes: number, pardon: Pardon): void {
    const from = this.#written;
    this.#written += bytes;
    if (pardon === null) return;
    const last = this.#stretches.at(-1);
    if (last?.to === from && last.pardon === pardon) last.to = this.#written;
    else this.#stretches.push({ from, to: this.#written, pardon });
  }

  measure(): void {
    const buffered = this.#socket.buffered();
    this.behind = buffered;
    this.owed = buffered;
    if (this.#stretches.length === 0) return;
    const taken = this.#written - buffered;
    this.#stretches = this.#stretches.filter(({ to }) => to > taken);
    for (const { from, to, pardon } of this.#stretches) {
      const bytes = to - Math.max(from, taken);
      this.owed -= bytes;
      if (pardon === "replay") this.behind -= bytes;
    }
  }
}
