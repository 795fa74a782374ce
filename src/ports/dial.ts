/**
 * WebSockets from the other side: connections that we open to others.
 *
 * @module
 */

/** Largest message that is taken; a larger one ends its connection. */
export const MAX_DIALED_MESSAGE_BYTES = 1_048_576;

export interface DialOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** The connection is open. At most once. */
  readonly onOpen: () => void;
  /** A text message, whole. Binary ones are left out. */
  readonly onText: (text: string) => void;
  /** It is over, or could not be opened. Once, and last. `reason` is for the log. */
  readonly onClose: (code: number, reason: string) => void;
}

export interface DialedSocket {
  /** Send a text message; nothing where the connection is not open. */
  send(text: string): void;
  /** End the connection. Nothing is heard of it any more but `onClose`. */
  close(): void;
}

export interface Dial {
  /**
   * Open a connection. Returns at once and never throws: what goes wrong is told by `onClose`, which is never called
   * before this returns.
   */
  connect(url: string, options: DialOptions): DialedSocket;
}
