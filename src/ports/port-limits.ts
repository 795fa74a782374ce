/**
 * What a port grants to those who connect to it, before the app hears of them. Not every runtime can hold every limit:
 * see `docs/limits.md`.
 *
 * @module
 */

/** Limits that a port holds by itself, by the names of their settings. */
export type PortLimit = "head_seconds" | "request_seconds" | "header_bytes" | "message_bytes" | "fragments";

/** Who is taken in, and keeps count of them. There may be very many: no function is made for each. */
export interface Admission {
  /** False cuts the connection. */
  enter(address: string | null): boolean;
  /** A connection that was taken in has ended: the address is the one it came with. */
  leave(address: string | null): void;
}

export interface PortLimits {
  /** Fragments of one message; one more ends its connection with 1008. 0: no limit. Not on Bun. */
  readonly fragments: number;
  /** Largest head of a request in bytes; a larger one is answered with 431. On Bun 16,384. */
  readonly headerBytes: number;
  /** Time for a request's head. 0: no limit. On Bun 12 seconds. */
  readonly headSeconds: number;
  /** Time for a request's head and body. 0: no limit. On Bun at most 255, the making of the answer included. */
  readonly requestSeconds: number;
  /** How long a connection stays open for a next request. 0: no limit. On Bun at most 255. */
  readonly idleSeconds: number;
  /** Asked for each TCP connection. Absent: all are taken in, as on Bun. */
  readonly admission?: Admission;
  /** A limit was reached, and a connection ends for it. */
  readonly reached?: (limit: PortLimit) => void;
}

export const DEFAULT_PORT_LIMITS: PortLimits = {
  fragments: 1_024,
  headerBytes: 16_384,
  headSeconds: 10,
  requestSeconds: 300,
  idleSeconds: 75,
};
