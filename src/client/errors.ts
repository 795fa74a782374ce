/**
 * What goes wrong with a request or a subscription: refused by the server (`RequestError`), or not answered at all
 * (`ClientError`).
 *
 * @module
 */
import type { InboundFrame } from "./frames.ts";

/** The server has answered with an error. `code` is one of the server's, such as `FORBIDDEN`. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** What an error frame says. */
export function errorOf({ error_code, error_message }: InboundFrame): RequestError {
  const code = error_code ?? "ERROR";
  return new RequestError(code, error_message ?? code);
}

/**
 * Why there is no answer.
 *
 * - `closed`: the client was closed, or the server has ended the connection for good.
 * - `lost`: the connection was lost while a request was under way that must not be repeated. Whether it was done is not
 *   known.
 * - `timeout`: no answer in time. Whether it was done is not known.
 * - `full`: too much waits to be sent.
 * - `too_large`: the request is larger than servers take.
 * - `malformed`: the server has sent what is no frame, or a larger one than may be. Never why a request has no answer:
 *   `onError` is told.
 * - `unreachable`: a connection could not be made; another try follows. Never why a request has no answer either.
 */
export type ClientErrorReason =
  | "closed"
  | "lost"
  | "timeout"
  | "full"
  | "too_large"
  | "malformed"
  | "unreachable";

export class ClientError extends Error {
  override readonly name = "ClientError";
  readonly reason: ClientErrorReason;

  constructor(reason: ClientErrorReason, message: string) {
    super(message);
    this.reason = reason;
  }
}
