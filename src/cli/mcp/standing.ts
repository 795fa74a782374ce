/**
 * What a client has set up in its session and takes to be there for as long as it lives: to be made again in every
 * session that follows.
 *
 * @module
 */
import type { JsonObject } from "../../protocol/json-value.ts";
import { notification, type RpcRequest } from "./messages.ts";
import type { Answer } from "./upstream.ts";

/** Ask the service something of the bridge's own. */
export type AskService = (method: string, params: JsonObject) => Promise<Answer>;

export class Standing {
  readonly #subscriptions = new Set<string>();
  #level: JsonObject | null = null;
  /** The service tells of changes of the list to those only who have asked for it. */
  #hasListed = false;

  /** A request that the service has answered with a result. */
  note({ method, params }: RpcRequest): void {
    const { uri } = params;
    if (method === "logging/setLevel") this.#level = params;
    if (method === "resources/list") this.#hasListed = true;
    if (typeof uri !== "string") return;
    if (method === "resources/subscribe") this.#subscriptions.add(uri);
    if (method === "resources/unsubscribe") this.#subscriptions.delete(uri);
  }

  async restore(ask: AskService): Promise<void> {
    if (this.#level) await ask("logging/setLevel", this.#level);
    if (this.#hasListed) await ask("resources/list", {});
    for (const uri of this.#subscriptions) await ask("resources/subscribe", { uri });
  }

  /** What the client is told after a time in which something may have been missed: read again. */
  news(): JsonObject[] {
    return [
      ...(this.#hasListed ? [notification("notifications/resources/list_changed")] : []),
      ...[...this.#subscriptions].map((uri) => notification("notifications/resources/updated", { uri })),
    ];
  }
}
