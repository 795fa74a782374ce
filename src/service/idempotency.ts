/**
 * The same request, done once. A request that changes state may carry a key; the same key with the same data is
 * answered as the first time, with other data it is a CONFLICT.
 *
 * @module
 */
import type { Answers } from "../ports/answers.ts";
import type { Call, Once } from "../ports/call.ts";
import { Refusal } from "../protocol/errors.ts";
import { type JsonObject, type JsonValue, parseJson, stringifyJson } from "../protocol/json.ts";
import { fingerprint } from "../protocol/utf8.ts";

/** Longest key, in UTF-16 units. */
export const MAX_KEY_LENGTH = 255;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Who is asking, as far as keys are concerned. */
export interface KeyScope {
  readonly call: Pick<Call, "identity" | "connectionId" | "door">;
  /** Where an anonymous caller without a connection comes from. */
  readonly origin: string | null;
}

/**
 * The key in its scope: a user's own; for an anonymous caller its connection's or address's, unless the key is a UUID,
 * which is its own scope, so that a client can repeat a request over another connection.
 */
export function onceOf(key: string, request: string, data: JsonObject, who: KeyScope): Once {
  if (key.length === 0 || key.length > MAX_KEY_LENGTH) {
    throw new Refusal(
      "INVALID_DATA",
      `Invalid idempotency_key: expected 1 to ${MAX_KEY_LENGTH} characters, got ${key.length}`,
    );
  }
  const { identity, connectionId, door } = who.call;
  let scope = `connection ${connectionId ?? `${door} ${who.origin ?? ""}`}`;
  if (identity.authenticated && identity.userId !== null) scope = scopeOf(identity.userId);
  else if (UUID.test(key)) scope = "anybody";
  return { scope: `${scope} ${request}`, key, digest: fingerprint(canonical(data)) };
}

/**
 * A text that is another one for each JSON value, whose keys stand as they came. Much cheaper than JSON, as nothing in a
 * string needs to be looked at.
 */
function canonical(value: JsonValue): string {
  if (typeof value === "string") return `"${value.length}:${value}`;
  if (typeof value !== "object" || value === null) return `${value} `;
  if (Array.isArray(value)) {
    let text = `[${value.length}:`;
    for (const item of value) text += canonical(item);
    return text;
  }
  let text = "{";
  for (const [key, member] of Object.entries(value)) text += canonical(key) + canonical(member);
  return `${text}}`;
}

/** Of each user another one, also of those whose names a database cannot tell apart: at NUL, or by half characters. */
function scopeOf(userId: string): string {
  if (userId.isWellFormed() && !userId.includes("\0")) return `user ${userId}`;
  return `user-json ${JSON.stringify(userId)}`;
}

/** What a handler has answered. */
export interface Answered {
  readonly data: JsonObject;
  /** `data` as JSON, where it has been written already. */
  readonly text?: string;
}

/** Answers requests that carry a key, at most one at a time for a key. */
export class Idempotency {
  readonly #answers: Answers;
  /** Requests whose handlers wait for something. */
  readonly #running = new Map<string, { digest: string; answer: Promise<Answered> }>();

  constructor(answers: Answers) {
    this.#answers = answers;
  }

  /**
   * Let `handle` answer, unless the same request was answered before or is under way. A promise only where there is
   * something to wait for.
   */
  run<Input>(
    call: Call,
    handle: (input: Input, call: Call) => unknown,
    input: Input,
  ): Answered | Promise<Answered> {
    const { once } = call;
    const former = once === null ? null : this.#former(once);
    if (former !== null) return former;
    const answer = handle(input, call);
    if (!isPromise(answer)) return this.#answered(call, answer);
    const answered = this.#later(call, answer);
    if (once !== null) this.#follow(once, answered);
    return answered;
  }

  #former(once: Once): Answered | Promise<Answered> | null {
    const running = this.#running.size === 0 ? undefined : this.#running.get(nameOf(once));
    if (running) {
      expectSame(running.digest, once);
      return running.answer;
    }
    const stored = this.#answers.find(once);
    if (!stored) return null;
    expectSame(stored.digest, once);
    return { data: parsed(stored.answer), text: stored.answer };
  }

  async #later(call: Call, answer: PromiseLike<unknown>): Promise<Answered> {
    return this.#answered(call, await answer);
  }

  #answered(call: Call, answer: unknown): Answered {
    const data = (answer ?? {}) as JsonObject;
    // Where the handler committed, the answer was stored in the same transaction as the change.
    if (call.once === null || call.remembered) return { data };
    const text = stringifyJson(data);
    this.#answers.save(call.once, text);
    return { data, text };
  }

  #follow(once: Once, answer: Promise<Answered>): void {
    const name = nameOf(once);
    const forget = () => void this.#running.delete(name);
    this.#running.set(name, { digest: once.digest, answer });
    answer.then(forget, forget);
  }
}

/** Neither part can be taken for the other, whatever they hold. */
function nameOf(once: Once): string {
  return `${once.scope.length}:${once.scope}${once.key}`;
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}

/** No defence: a caller that makes two bodies collide gets its own former answer. */
function expectSame(digest: string, once: Once): void {
  if (digest === once.digest) return;
  throw new Refusal(
    "CONFLICT",
    "The idempotency key was used with other data: repeat the request as it was, or take a new key",
  );
}

function parsed(answer: string): JsonObject {
  const result = parseJson(answer);
  if (!result.ok) throw new Error(`Cannot read a stored answer: ${result.reason}`);
  return (result.value ?? {}) as JsonObject;
}
