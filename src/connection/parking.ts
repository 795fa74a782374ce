/**
 * Frames that wait until their reader has caught up, the newest of each key only.
 *
 * @module
 */
import type { Frame } from "../ports/socket.ts";

export class Parking {
  /** In the order of the newest: a key that comes again goes to the end. */
  readonly #frames = new Map<string, Frame>();
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  get count(): number {
    return this.#frames.size;
  }

  /** @returns true where an older frame of the key has been given up for this one. */
  park(frame: Frame, key: string): boolean {
    const older = this.#frames.get(key);
    if (older) {
      this.#frames.delete(key);
      this.#bytes -= older.bytes;
    }
    this.#frames.set(key, frame);
    this.#bytes += frame.bytes;
    return older !== undefined;
  }

  /** Take frames out, oldest first, until they have so many bytes. */
  take(bytes = Infinity): Frame[] {
    const taken: Frame[] = [];
    let room = bytes;
    for (const [key, frame] of this.#frames) {
      if (room <= 0) break;
      this.#frames.delete(key);
      this.#bytes -= frame.bytes;
      room -= frame.bytes;
      taken.push(frame);
    }
    return taken;
  }
}
