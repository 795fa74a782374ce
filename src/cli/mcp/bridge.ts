/**
 * From an MCP client's messages to the service and back. The client has one session, for as long as it lives; behind it
 * there may be several, one after the other, when the process that serves ends and another takes over.
 *
 * @module
 */
import { isJsonObject, type JsonObject } from "../../protocol/json-value.ts";
import { Link, type LinkParts } from "./link.ts";
import {
  errorMessage,
  isId,
  keyOf,
  type MessageId,
  notification,
  type Rpc,
  RPC_CODES,
  type RpcNotification,
  type RpcRequest,
  type RpcResponse,
} from "./messages.ts";
import { atMost } from "../pause.ts";
import { type Pending, PendingRequests, unansweredCall } from "./pending.ts";
import { Repeatable } from "./repeatable.ts";
import { type AskService, Standing } from "./standing.ts";
import type { Upstream } from "./upstream.ts";

export interface BridgeParts extends LinkParts {
  /** Say something to the client. Resolves when it is out; never rejects. */
  readonly say: (message: JsonObject) => Promise<void>;
}

/** The next message waits so long for the one before it to be taken, so that the service hears them in order. */
const IN_ORDER_MS = 1_000;
const CHECK_MS = 3_000;
/** How often one request is sent. */
const MOST_TRIES = 5;

export class Bridge {
  readonly #parts: BridgeParts;
  readonly #link: Link;
  readonly #pending = new PendingRequests();
  readonly #standing = new Standing();
  readonly #repeatable = new Repeatable();
  /** Requests of the service, by the id that the client knows them under. */
  readonly #asked = new Map<string, { readonly via: Upstream; readonly id: MessageId }>();
  /** Sessions that have been told that the client is ready, and those that are listened to. */
  readonly #told = new WeakSet<Upstream>();
  readonly #heard = new WeakSet<Upstream>();
  #count = 0;
  #greeted = false;
  #initialized = false;

  constructor(parts: BridgeParts) {
    this.#parts = parts;
    this.#link = new Link(parts, {
      heard: (message, upstream) => this.#hear(message, upstream),
      restore: async (upstream) => {
        if (!this.#initialized) return;
        await this.#tellReady(upstream);
        await this.#standing.restore((method, params) => upstream.ask(method, params));
      },
      back: async (upstream) => {
        // It may have become ready meanwhile.
        if (this.#initialized) await this.#begin(upstream);
        await this.#tellNews();
      },
      lost: (upstream) => {
        for (const [key, { via }] of this.#asked) if (via === upstream) this.#asked.delete(key);
      },
    });
  }

  /** Take a message of the client. Resolves when the next one may come; never rejects. */
  async receive(rpc: Rpc): Promise<void> {
    if (rpc.kind === "response") return await this.#reply(rpc);
    if (rpc.kind === "notification") return await this.#notify(rpc);
    const { id, method } = rpc;
    if (this.#pending.has(id)) {
      return await this.#parts.say(errorMessage(id, RPC_CODES.invalidRequest, "The id is in use"));
    }
    if (method === "initialize") return await this.#greet(rpc);
    if (this.#greeted) {
      const pending = this.#pending.add(rpc);
      void this.#run(pending);
      return await atMost(this.#parts.clock, IN_ORDER_MS, pending.accepted);
    }
    const early = errorMessage(id, RPC_CODES.invalidRequest, "Expected initialize first");
    await this.#parts.say(method === "ping" ? { jsonrpc: "2.0", id, result: {} } : early);
  }

  /** Resolves when no request is unanswered. */
  idle(): Promise<void> {
    return this.#pending.idle();
  }

  /** End the session with the service. */
  async close(): Promise<void> {
    this.#pending.giveUp();
    await this.#link.close();
  }

  async #greet({ id, params }: RpcRequest): Promise<void> {
    const { say } = this.#parts;
    if (this.#greeted) return await say(errorMessage(id, RPC_CODES.invalidRequest, "Initialized already"));
    const outcome = await this.#link.greet(params);
    this.#greeted = "result" in outcome;
    await say(
      "result" in outcome
        ? { jsonrpc: "2.0", id, result: outcome.result }
        : errorMessage(id, outcome.code, outcome.message),
    );
  }

  async #run(pending: Pending): Promise<void> {
    const { request, signal } = pending;
    const { service } = this.#parts;
    for (let tries = 1;; tries++) {
      const upstream = await this.#link.ready();
      if (this.#pending.get(request.id) !== pending) return;
      if ("code" in upstream) return await this.#fail(request, upstream.code, upstream.message);
      pending.via = upstream;
      const accepted = () => pending.accept();
      const sent = await upstream.send(request.message, request.id, { accepted, signal });
      if (this.#pending.get(request.id) !== pending) return;
      if (sent.ok) return await this.#refuse(request, RPC_CODES.internal, "The service gave no answer");
      if (sent.fault === "refused") return await this.#refuse(request, sent.code, sent.message);
      const isLost = sent.fault === "unsent" || !await this.#answers(upstream);
      if (isLost) this.#link.lose(upstream, sent.reason);
      const again = sent.fault === "unsent" || await this.#repeatable.allows(request, this.#ask);
      if (this.#pending.get(request.id) !== pending) return;
      if (again && tries < MOST_TRIES) continue;
      const message = again
        ? `${service} could not be reached (${sent.reason}): try again`
        : `The connection to ${service} was lost during this request, and its answer with it: it may have been done ` +
          "or not. Look at the state of things, then try again";
      return await this.#fail(request, RPC_CODES.refused, message);
    }
  }

  readonly #ask: AskService = async (method, params) => {
    const upstream = await this.#link.ready();
    return "code" in upstream
      ? { ok: false, fault: "refused", ...upstream }
      : await upstream.ask(method, params);
  };

  /** Whether a session is still there, though a message in it has got no answer. */
  async #answers(upstream: Upstream): Promise<boolean> {
    if (this.#link.live !== upstream) return false;
    const controller = new AbortController();
    const asked = upstream.ask("ping", {}, controller.signal);
    await atMost(this.#parts.clock, CHECK_MS, asked);
    controller.abort();
    return (await asked).ok;
  }

  /** A failure as the model sees it where it called a tool, and as the client does otherwise. */
  async #fail(request: RpcRequest, code: number, message: string): Promise<void> {
    if (request.method !== "tools/call") return await this.#refuse(request, code, message);
    this.#pending.take(request.id)?.end();
    await this.#parts.say(unansweredCall(request.id, message));
  }

  async #refuse({ id }: RpcRequest, code: number, message: string): Promise<void> {
    this.#pending.take(id)?.end();
    await this.#parts.say(errorMessage(id, code, message));
  }

  async #notify(rpc: RpcNotification): Promise<void> {
    if (rpc.method === "notifications/cancelled") return await this.#cancel(rpc);
    if (rpc.method === "notifications/initialized") {
      this.#initialized = this.#greeted;
      if (this.#initialized && this.#link.live) await this.#begin(this.#link.live);
      return;
    }
    // What the service does not hear now, it does not hear: nobody waits for an answer.
    await this.#link.live?.send(rpc.message, null);
  }

  async #tellReady(upstream: Upstream): Promise<void> {
    if (this.#told.has(upstream)) return;
    this.#told.add(upstream);
    await upstream.send(notification("notifications/initialized"), null);
  }

  /** Hear what the service says by itself. */
  async #begin(upstream: Upstream): Promise<void> {
    await this.#tellReady(upstream);
    if (this.#heard.has(upstream)) return;
    this.#heard.add(upstream);
    const listening = upstream.listen(() => void this.#tellNews());
    void listening.then(() => this.#link.lose(upstream, "its stream has ended"));
  }

  async #tellNews(): Promise<void> {
    for (const message of this.#standing.news()) await this.#parts.say(message);
  }

  async #cancel({ params, message }: RpcNotification): Promise<void> {
    const pending = isId(params.requestId) ? this.#pending.take(params.requestId) : undefined;
    if (!pending) return;
    if (pending.via) {
      // In this order: what it has not taken, the service cannot cancel.
      await atMost(this.#parts.clock, IN_ORDER_MS, pending.accepted);
      await pending.via.send(message, null);
    }
    pending.giveUp();
  }

  /** The client's answer to a request of the service. */
  async #reply({ id, message }: RpcResponse): Promise<void> {
    const asked = id === null ? undefined : this.#asked.get(keyOf(id));
    if (id === null || !asked) return;
    this.#asked.delete(keyOf(id));
    await asked.via.send({ ...message, id: asked.id }, null);
  }

  async #hear(rpc: Rpc, upstream: Upstream): Promise<void> {
    if (rpc.kind === "notification") return await this.#hearNotification(rpc, upstream);
    const { say } = this.#parts;
    if (rpc.kind === "request") {
      // Every session counts from the start: the client must not take two of its requests for one.
      const id = `${++this.#count}`;
      this.#asked.set(keyOf(id), { via: upstream, id: rpc.id });
      return await say({ ...rpc.message, id });
    }
    const pending = rpc.id === null ? undefined : this.#pending.get(rpc.id);
    if (pending?.via !== upstream) return;
    const { request } = pending;
    const { result } = rpc.message;
    if (result !== undefined && isJsonObject(result)) {
      this.#standing.note(request);
      if (request.method === "tools/list") this.#repeatable.learn(result);
    }
    this.#pending.take(request.id);
    await say(rpc.message);
    pending.end();
  }

  async #hearNotification(rpc: RpcNotification, upstream: Upstream): Promise<void> {
    const { method, params, message } = rpc;
    if (method === "notifications/progress" && !this.#pending.advances(rpc)) return;
    if (method !== "notifications/cancelled") return await this.#parts.say(message);
    for (const [key, { via, id }] of this.#asked) {
      if (via !== upstream || id !== params.requestId) continue;
      this.#asked.delete(key);
      const requestId = key.slice(key.indexOf(":") + 1);
      return await this.#parts.say({ ...message, params: { ...params, requestId } });
    }
  }
}
