/**
 * What may be sent to a service a second time, where it is not known what became of the first.
 *
 * @module
 */
import { isJsonObject, type JsonObject } from "../../protocol/json-value.ts";
import type { RpcRequest } from "./messages.ts";
import type { AskService } from "./standing.ts";

/** Methods that change nothing, or nothing more when they are repeated. */
const REPEATABLE = new Set([
  "ping",
  "completion/complete",
  "logging/setLevel",
  "tools/list",
  "prompts/list",
  "prompts/get",
  "resources/list",
  "resources/templates/list",
  "resources/read",
  "resources/subscribe",
  "resources/unsubscribe",
]);

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** Pages of tools that are asked for. */
const MOST_PAGES = 20;

/** Which requests may be sent a second time where it is not known what became of the first. */
export class Repeatable {
  /** Tools by name: whether they say that they change nothing. */
  readonly #readOnly = new Map<string, boolean>();

  /** What the service says of its tools. */
  learn(result: JsonObject): void {
    const { tools } = result;
    for (const tool of Array.isArray(tools) ? tools : []) {
      if (!isJsonObject(tool) || typeof tool.name !== "string") continue;
      const { annotations } = tool;
      const readOnly = annotations !== undefined && isJsonObject(annotations) &&
        annotations.readOnlyHint === true;
      this.#readOnly.set(tool.name, readOnly);
    }
  }

  /** @param ask For the list of tools, where the client has not asked for it. */
  async allows({ method, params }: RpcRequest, ask: AskService): Promise<boolean> {
    if (method !== "tools/call") return REPEATABLE.has(method);
    const { name } = params;
    const data = params.arguments !== undefined && isJsonObject(params.arguments) ? params.arguments : {};
    // A key of this form means the same call whoever sends it, so the service does it once.
    if (typeof data.idempotency_key === "string" && UUID.test(data.idempotency_key)) return true;
    // It would begin anew with what happens from now on, and pass over what has happened meanwhile.
    if (name === "wait_for_event" && data.since === undefined) return false;
    if (typeof name !== "string") return false;
    if (!this.#readOnly.has(name)) await this.#ask(ask);
    return this.#readOnly.get(name) ?? false;
  }

  async #ask(ask: AskService): Promise<void> {
    let cursor: JsonObject = {};
    for (let page = 0; page < MOST_PAGES; page++) {
      const answer = await ask("tools/list", cursor);
      if (!answer.ok) return;
      this.learn(answer.result);
      const { nextCursor } = answer.result;
      if (typeof nextCursor !== "string") return;
      cursor = { cursor: nextCursor };
    }
  }
}
