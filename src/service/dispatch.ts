/**
 * The one door to a service's requests, for WebSocket, HTTP and MCP alike: permission, schema, idempotency, handler.
 * Refusals are values; whatever else a handler throws is logged under an id, and only the id goes out.
 *
 * @module
 */
import * as v from "valibot";
import type { Answers } from "../ports/answers.ts";
import type { Call, Identity } from "../ports/call.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import { type Histogram, type Meter, silentMeter } from "../ports/meter.ts";
import type { Access, DataSchema } from "../protocol/contract.ts";
import { type ErrorCode, Refusal } from "../protocol/errors.ts";
import type { JsonObject } from "../protocol/json.ts";
import { traceFields } from "../protocol/traceparent.ts";
import { isDiskFull } from "../storage/disk-watch.ts";
import { type Answered, Idempotency, onceOf } from "./idempotency.ts";
import { explainIssues } from "./issues.ts";

export type Answer =
  | {
    readonly ok: true;
    readonly data: JsonObject;
    /** `data` as JSON, where it has been written already. */
    readonly text?: string | undefined;
  }
  | { readonly ok: false; readonly code: ErrorCode; readonly message: string };

/** A request of the contract, or one that every service answers. */
export interface Route {
  /** `any`: whoever holds one of them; what more is needed, the handler says. */
  readonly access: Access | "any";
  /** False where repeating the request does no harm: an idempotency key is then of no use. */
  readonly changesState: boolean;
  readonly input: DataSchema;
  // deno-lint-ignore no-explicit-any
  readonly handle: (input: any, call: Call) => unknown;
}

const ACCESSES: readonly Access[] = ["read", "write", "run", "admin"];

export interface DispatchOptions {
  readonly server: string;
  readonly routes: ReadonlyMap<string, Route>;
  readonly answers: Answers;
  /** Whether the caller may; synchronous, since every request asks. */
  readonly mayAccess: (identity: Identity, access: Access) => boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly meter?: Meter;
}

export interface DispatchRequest {
  readonly name: string | null;
  readonly data: JsonObject;
  readonly call: Omit<Call, "once" | "remembered">;
  /** Overrides `data.idempotency_key`. */
  readonly idempotencyKey?: string | null;
  /** Where an anonymous caller without a connection comes from. */
  readonly origin?: string | null;
}

export class Dispatch {
  readonly #options: DispatchOptions;
  readonly #idempotency: Idempotency;
  readonly #latency: Histogram;

  constructor(options: DispatchOptions) {
    this.#options = options;
    this.#idempotency = new Idempotency(options.answers);
    this.#latency = (options.meter ?? silentMeter).histogram("websocket_latency_seconds", {
      server: options.server,
      message_type: "request",
    });
  }

  has(name: string): boolean {
    return this.#options.routes.has(name);
  }

  /** Never rejects. */
  async handle(request: DispatchRequest): Promise<Answer> {
    const answer = await this.answer(request);
    return answer.ok ? { ok: true, data: answer.data } : answer;
  }

  /** The same at once, where the handler does not wait for anything. Never throws, never rejects. */
  answer(request: DispatchRequest): Answer | Promise<Answer> {
    const started = this.#options.clock.monotonic();
    let answer: Answer;
    try {
      const answered = this.#run(request);
      if (answered instanceof Promise) return this.#later(request, started, answered);
      answer = { ok: true, data: answered.data, text: answered.text };
    } catch (error) {
      answer = this.#refusal(request, error);
    }
    this.#observe(request, started, answer);
    return answer;
  }

  async #later(request: DispatchRequest, started: number, answered: Promise<Answered>): Promise<Answer> {
    let answer: Answer;
    try {
      const { data, text } = await answered;
      answer = { ok: true, data, text };
    } catch (error) {
      answer = this.#refusal(request, error);
    }
    this.#observe(request, started, answer);
    return answer;
  }

  #observe({ name, call }: DispatchRequest, started: number, answer: Answer): void {
    const ms = this.#options.clock.monotonic() - started;
    this.#latency.observe(ms / 1000);
    if (call.traceparent === undefined) return;
    this.#options.log.debug("Request answered", {
      request: name,
      door: call.door,
      connection: call.connectionId ?? undefined,
      outcome: answer.ok ? "ok" : answer.code,
      ms: Math.round(ms * 10) / 10,
      ...traceFields(call.traceparent),
    });
  }

  #run(request: DispatchRequest): Answered | Promise<Answered> {
    const { name } = request;
    const route = name === null ? undefined : this.#options.routes.get(name);
    if (name === null || !route) {
      throw new Refusal("UNKNOWN_REQUEST", `Unknown request event: ${name ?? "None"}`);
    }
    if (!this.#isAllowed(request.call.identity, route.access)) {
      const { server } = this.#options;
      const needed = route.access === "any" ? `a permission of ${server}` : `${server}:${route.access}`;
      throw new Refusal("FORBIDDEN", `Not authorized to ${name}: needs ${needed}`);
    }
    const { key, data } = keyOf(request);
    const parsed = v.safeParse(route.input, data, { abortPipeEarly: true });
    if (!parsed.success) throw new Refusal("INVALID_DATA", explainIssues(name, parsed.issues));
    const once = key === null || !route.changesState
      ? null
      : onceOf(key, name, data, { call: request.call, origin: request.origin ?? null });
    const { identity, door, connectionId, cause, traceparent } = request.call;
    const call: Call = { identity, door, connectionId, cause, traceparent, once, remembered: false };
    return this.#idempotency.run(call, route.handle, parsed.output);
  }

  #isAllowed(identity: Identity, access: Route["access"]): boolean {
    const { mayAccess } = this.#options;
    return access === "any" ? ACCESSES.some((one) => mayAccess(identity, one)) : mayAccess(identity, access);
  }

  #refusal(request: DispatchRequest, error: unknown): Answer {
    if (error instanceof Refusal) return { ok: false, code: error.code, message: error.message };
    const fault = crypto.randomUUID();
    const { connectionId, door, traceparent } = request.call;
    this.#options.log.error("A request failed", {
      request: request.name,
      door,
      connection: connectionId,
      fault,
      ...traceFields(traceparent),
      error,
    });
    if (isDiskFull(error)) {
      return {
        ok: false,
        code: "NOT_AVAILABLE",
        message: "Nothing can be kept now: the server's disk is full",
      };
    }
    return { ok: false, code: "SERVER_ERROR", message: `Internal error: the log explains it under ${fault}` };
  }
}

/** The idempotency key is no part of what the request says. */
function keyOf(request: DispatchRequest): { key: string | null; data: JsonObject } {
  const { idempotency_key: inData, ...data } = request.data;
  const key = request.idempotencyKey ?? inData ?? null;
  if (key === null || typeof key === "string") return { key, data };
  throw new Refusal("INVALID_DATA", `Invalid idempotency_key: expected text, got ${typeof key}`);
}
