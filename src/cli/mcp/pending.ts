/**
 * Requests of the client that are not answered yet.
 *
 * @module
 */
import { isJsonObject, type JsonObject, type JsonValue } from "../../protocol/json-value.ts";
import { keyOf, type MessageId, type RpcNotification, type RpcRequest } from "./messages.ts";
import type { Upstream } from "./upstream.ts";

export class Pending {
  readonly request: RpcRequest;
  /** Resolves when the service has taken it, or nobody waits for that any more. */
  readonly accepted: Promise<void>;
  /** Resolves when it needs no answer any more. */
  readonly over: Promise<void>;
  /** Where it has been sent last. */
  via: Upstream | null = null;
  readonly #abort = new AbortController();
  #accept: () => void = () => {};
  #end: () => void = () => {};
  #progress = -Infinity;

  constructor(request: RpcRequest) {
    this.request = request;
    this.accepted = new Promise((resolve) => this.#accept = resolve);
    this.over = new Promise((resolve) => this.#end = resolve);
  }

  /** Aborted when the answer is not wanted any more. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  accept(): void {
    this.#accept();
  }

  end(): void {
    this.#accept();
    this.#end();
  }

  giveUp(): void {
    this.end();
    this.#abort.abort();
  }

  /** False for what has been told already: a request that is repeated begins anew, but progress only grows. */
  advances({ params }: RpcNotification): boolean {
    const { _meta } = this.request.params;
    const token = _meta !== undefined && isJsonObject(_meta) ? _meta.progressToken : undefined;
    if (token === undefined || token !== params.progressToken) return true;
    const progress = Number(params.progress);
    if (progress <= this.#progress) return false;
    this.#progress = progress;
    return true;
  }
}

export class PendingRequests {
  readonly #byKey = new Map<string, Pending>();

  has(id: MessageId): boolean {
    return this.#byKey.has(keyOf(id));
  }

  get(id: MessageId): Pending | undefined {
    return this.#byKey.get(keyOf(id));
  }

  add(request: RpcRequest): Pending {
    const pending = new Pending(request);
    this.#byKey.set(keyOf(request.id), pending);
    return pending;
  }

  /** Take it out; undefined where it is not in. */
  take(id: MessageId): Pending | undefined {
    const pending = this.#byKey.get(keyOf(id));
    this.#byKey.delete(keyOf(id));
    return pending;
  }

  /** False where the notification tells one of them what it has been told already. */
  advances(progress: RpcNotification): boolean {
    return [...this.#byKey.values()].every((pending) => pending.advances(progress));
  }

  /** Resolves when there is none. */
  async idle(): Promise<void> {
    while (this.#byKey.size > 0) await Promise.all([...this.#byKey.values()].map(({ over }) => over));
  }

  giveUp(): void {
    const all = [...this.#byKey.values()];
    this.#byKey.clear();
    for (const pending of all) pending.giveUp();
  }
}

/** What a call of a tool is answered with where nothing can be said of it: the model reads it. */
export function unansweredCall(id: MessageId, message: string): JsonObject {
  const content: JsonValue = [{ type: "text", text: `NOT_AVAILABLE: ${message}` }];
  const _meta = { error_code: "NOT_AVAILABLE", retryable: true };
  return { jsonrpc: "2.0", id, result: { content, isError: true, _meta } };
}
