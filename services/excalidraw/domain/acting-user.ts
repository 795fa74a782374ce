/**
 * Whose name something is done in: whom the token names, else whom the request names, else whom the connection has
 * named before, else a guest of the connection.
 *
 * @module
 */
import type { Call } from "../../../src/ports/call.ts";
import { Refusal } from "../../../src/protocol/errors.ts";
import { MAX_USER_ID_LENGTH } from "../fields.ts";

export class ActingUsers {
  /** Names that connections whose token names nobody have given themselves. */
  readonly #names = new Map<string, string>();
  /** Names that they were given. */
  readonly #guests = new Map<string, string>();
  readonly #newId: () => string;
  readonly #isConnected: (connectionId: string) => boolean;
  readonly #mayClaim: (call: Call) => boolean;

  /**
   * @param isConnected Whether a connection is up: only then it can have a name.
   * @param mayClaim Whether a caller whose token names nobody may say who it is.
   */
  constructor(
    newId: () => string,
    isConnected: (connectionId: string) => boolean,
    mayClaim: (call: Call) => boolean,
  ) {
    this.#newId = newId;
    this.#isConnected = isConnected;
    this.#mayClaim = mayClaim;
  }

  /**
   * @returns null where nobody is known.
   * @throws {Refusal} FORBIDDEN where the request names somebody whom the caller may not act as
   */
  find(given: string | null | undefined, call: Call | undefined): string | null {
    const own = kept(call?.identity.userId ?? "");
    if (own !== "") {
      expectShort(own);
      if (given == null || given === own) return own;
      throw new Refusal("FORBIDDEN", "Not authorized to act as another user: leave 'user_id' out");
    }
    const connection = call?.connectionId ?? null;
    const guest = connection === null ? undefined : this.#guests.get(connection);
    const mayClaim = !call || this.#mayClaim(call);
    if (given != null && given !== guest && !mayClaim) {
      throw new Refusal(
        "FORBIDDEN",
        "Not authorized to act as a user: the token names none, take one with a user, or leave 'user_id' out",
      );
    }
    if (connection === null || !this.#isConnected(connection)) return given ?? null;
    if (given != null) this.#names.set(connection, given);
    // A token that has come since may allow less than the one before.
    const named = mayClaim ? this.#names.get(connection) : given;
    return named ?? guest ?? this.#newGuest(connection);
  }

  /**
   * The same, where somebody must be known.
   *
   * @throws {Refusal} FORBIDDEN, and INVALID_DATA where nobody is known
   */
  require(given: string | null | undefined, call: Call | undefined): string {
    const known = this.find(given, call);
    if (known !== null) return known;
    if (call && !this.#mayClaim(call)) {
      throw new Refusal(
        "FORBIDDEN",
        "Not authorized to act as nobody: the token names no user, take one with a user",
      );
    }
    throw new Refusal(
      "INVALID_DATA",
      "Invalid field 'user_id': expected text, as neither a token nor a connection says who it is, got nothing",
    );
  }

  /** The connection is over. */
  forget(connectionId: string): void {
    this.#names.delete(connectionId);
    this.#guests.delete(connectionId);
  }

  #newGuest(connection: string): string {
    const name = `guest-${this.#newId()}`;
    this.#guests.set(connection, name);
    return name;
  }
}

function expectShort(userId: string): void {
  if (userId.length <= MAX_USER_ID_LENGTH) return;
  throw new Refusal(
    "FORBIDDEN",
    `Not authorized: the token's user has ${userId.length} characters, expected at most ${MAX_USER_ID_LENGTH}`,
  );
}

/** A user's id as every database gives it back. */
function kept(userId: string): string {
  return userId.toWellFormed().replaceAll("\0", "\ufffd");
}
