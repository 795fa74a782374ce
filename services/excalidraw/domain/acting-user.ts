/**
 * Whose name something is done in: whom the token names, else whom the request names, else whom the connection has
 * named before, else a guest of the connection.
 *
 * @module
 */
import type { Call } from "../../../src/ports/call.ts";
import { Refusal } from "../../../src/protocol/errors.ts";

export class ActingUsers {
  /** Names that connections without a token have given themselves, or were given as guests. */
  readonly #names = new Map<string, string>();
  readonly #newId: () => string;
  readonly #isConnected: (connectionId: string) => boolean;

  /** @param isConnected Whether a connection is up: only then it can have a name. */
  constructor(newId: () => string, isConnected: (connectionId: string) => boolean) {
    this.#newId = newId;
    this.#isConnected = isConnected;
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
    if (own !== null) return own;
    const connection = call?.connectionId;
    if (connection == null || !this.#isConnected(connection)) return given ?? null;
    const name = given ?? this.#names.get(connection) ?? `guest-${this.#newId()}`;
    this.#names.set(connection, name);
    return name;
  }

  /**
   * The same, where somebody must be known.
   *
   * @throws {Refusal} FORBIDDEN, and INVALID_DATA where nobody is known
   */
  require(given: string | null | undefined, call: Call | undefined): string {
    const known = this.find(given, call);
    if (known !== null) return known;
    throw new Refusal(
      "INVALID_DATA",
      "Invalid field 'user_id': expected text, as neither a token nor a connection says who it is, got nothing",
    );
  }

  /** The connection is over. */
  forget(connectionId: string): void {
    this.#names.delete(connectionId);
  }
}
