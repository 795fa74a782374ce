/**
 * Whose name something is done in: whom the token names, else whom the request names, else a guest of the connection.
 *
 * @module
 */
import type { Call } from "../../../src/ports/call.ts";
import { Refusal } from "../../../src/protocol/errors.ts";

export class ActingUsers {
  /** Guests that have been given a name, by connection. */
  readonly #guests = new Map<string, string>();
  readonly #newId: () => string;

  constructor(newId: () => string) {
    this.#newId = newId;
  }

  /**
   * @returns null where nobody is known.
   * @throws {Refusal} FORBIDDEN where the request names somebody else than the token
   */
  find(given: string | null | undefined, call: Call | undefined): string | null {
    const own = call?.identity.userId ?? null;
    if (given != null && own !== null && given !== own) {
      throw new Refusal("FORBIDDEN", "Not authorized to act as another user: leave 'user_id' out");
    }
    return own ?? given?.toWellFormed() ?? this.#guests.get(call?.connectionId ?? "") ?? null;
  }

  /**
   * The same, where somebody must be known.
   *
   * @param isConnected Whether the caller's connection is up: only then it can have a guest.
   * @throws {Refusal} FORBIDDEN, and INVALID_DATA where nobody is known
   */
  require(
    given: string | null | undefined,
    call: Call | undefined,
    isConnected: (connectionId: string) => boolean,
  ): string {
    const known = this.find(given, call);
    if (known !== null) return known;
    const connection = call?.connectionId;
    if (connection == null || !isConnected(connection)) {
      throw new Refusal(
        "INVALID_DATA",
        "Invalid field 'user_id': expected text, as neither a token nor a connection says who it is, got nothing",
      );
    }
    const guest = `guest-${this.#newId()}`;
    this.#guests.set(connection, guest);
    return guest;
  }

  /** The connection is over. */
  forget(connectionId: string): void {
    this.#guests.delete(connectionId);
  }
}
