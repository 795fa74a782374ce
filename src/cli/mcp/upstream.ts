/**
 * One MCP session with a service over Streamable HTTP: messages by POST, what the service says by itself by GET. Streams
 * that break are taken up again where the service lets them; what became of a message that got no answer is told.
 *
 * @module
 */
import type { Clock } from "../../ports/clock.ts";
import { linkSignals } from "../../ports/linked-signal.ts";
import { isJsonObject, type JsonObject } from "../../protocol/json-value.ts";
import { parseJson, stringifyJson } from "../../protocol/json.ts";
import { isRefused, said } from "./ask.ts";
import type { Credentials } from "./credentials.ts";
import { readEvents } from "./event-stream.ts";
import { type MessageId, readMessage, type Rpc, RPC_CODES, type RpcResponse } from "./messages.ts";
import { pause } from "../pause.ts";
import type { Place } from "./place.ts";

/** What became of a message. */
export type Sent =
  | { readonly ok: true }
  /** The service has refused it. */
  | { readonly ok: false; readonly fault: "refused"; readonly code: number; readonly message: string }
  /** The service has not taken it: no harm in sending it again. */
  | { readonly ok: false; readonly fault: "unsent"; readonly reason: string }
  /** It may have been taken, and its answer is lost. */
  | { readonly ok: false; readonly fault: "unknown"; readonly reason: string };

/** The answer to something that the bridge itself has asked. */
export type Answer =
  | { readonly ok: true; readonly result: JsonObject }
  | Exclude<Sent, { readonly ok: true }>;

export interface UpstreamParts {
  readonly place: Place;
  readonly credentials: Credentials;
  readonly clock: Clock;
  /** Whatever the service says, in order for each stream. It reads on when this resolves. */
  readonly heard: (message: Rpc) => Promise<void>;
}

/** Before a stream that broke is asked for again. */
const AGAIN_MS = 100;
/** How often in a row a stream may end at once, or before anything came. */
const MOST_BREAKS = 5;
const AT_ONCE_MS = 1_000;

export class Upstream {
  readonly #parts: UpstreamParts;
  readonly #over = new AbortController();
  /** Answers that the bridge itself waits for. */
  readonly #own = new Map<MessageId, (answer: JsonObject) => void>();
  #asked = 0;
  #sessionId: string | null = null;
  #protocolVersion: string | null = null;

  constructor(parts: UpstreamParts) {
    this.#parts = parts;
  }

  /**
   * Send a message. A request's answer has been heard when this resolves with `ok`.
   *
   * @param id Of a request; null for what gets no answer.
   * @param options.accepted Called once the service has taken it.
   * @param options.signal Stops waiting for the answer.
   */
  async send(
    message: JsonObject,
    id: MessageId | null,
    options: { readonly accepted?: () => void; readonly signal?: AbortSignal } = {},
  ): Promise<Sent> {
    const { signal, release } = linkSignals(
      this.#over.signal,
      ...(options.signal ? [options.signal] : []),
    );
    let taken = false;
    try {
      const answer = await this.#ask("POST", signal, stringifyJson(message));
      const sessionId = answer.headers.get("mcp-session-id");
      if (sessionId !== null) this.#sessionId ??= sessionId;
      if (!answer.ok) return await this.#refused(answer);
      taken = true;
      options.accepted?.();
      if (id === null) {
        await answer.body?.cancel();
        return { ok: true };
      }
      return await this.#follow(answer, id, signal);
    } catch (error) {
      const fault = !taken && isRefused(error) ? "unsent" : "unknown";
      return { ok: false, fault, reason: said(error) };
    } finally {
      release();
    }
  }

  /** Ask something of the bridge's own. */
  async ask(method: string, params: JsonObject, signal?: AbortSignal): Promise<Answer> {
    const id = `mcp-realtime:${++this.#asked}`;
    let answer: JsonObject = {};
    this.#own.set(id, (message) => answer = message);
    const sent = await this.send({ jsonrpc: "2.0", id, method, params }, id, signal ? { signal } : {});
    this.#own.delete(id);
    if (!sent.ok) return sent;
    const { result, error } = answer;
    if (result !== undefined && isJsonObject(result)) return { ok: true, result };
    const { code, message } = error !== undefined && isJsonObject(error) ? error : {};
    return {
      ok: false,
      fault: "refused",
      code: typeof code === "number" ? code : RPC_CODES.internal,
      message: typeof message === "string" ? message : "The service gave no answer",
    };
  }

  /** The version that both sides have agreed on, which every later request names. */
  agreed(protocolVersion: string): void {
    this.#protocolVersion = protocolVersion;
  }

  /**
   * Hear what the service says by itself, until the session or the service is gone, or this side ends it.
   *
   * @param resumed Called where what was said meanwhile may be lost.
   */
  async listen(resumed: () => void): Promise<void> {
    const { clock } = this.#parts;
    let last: string | null = null;
    let breaks = 0;
    for (let first = true; !this.#over.signal.aborted && breaks < MOST_BREAKS; first = false) {
      const begun = clock.monotonic();
      breaks++;
      try {
        const answer: Response = await this.#ask("GET", this.#over.signal, undefined, last);
        // It says nothing by itself.
        if (answer.status === 405) {
          await answer.body?.cancel();
          return await this.#untilOver();
        }
        if (!answer.ok) {
          await answer.body?.cancel();
          if (answer.status === 404 || answer.status === 503) return;
          // 400: it cannot go on after an event. 409: it has not noticed yet that the last stream is gone.
          last = null;
        } else {
          if (!first && last === null) resumed();
          for await (const { id, data } of readEvents(answer.body!)) {
            breaks = 0;
            if (id !== null) last = id;
            await this.#hear(data);
          }
        }
      } catch (error) {
        if (isRefused(error)) return;
      }
      if (clock.monotonic() - begun >= AT_ONCE_MS) breaks = 0;
      await pause(clock, AGAIN_MS);
    }
  }

  /** Stop listening and waiting for answers. */
  leave(): void {
    this.#over.abort();
  }

  /** Tell the service that the session ends, as far as it can still be told. */
  async end(): Promise<void> {
    this.#over.abort();
    if (this.#sessionId === null) return;
    const answer = await this.#ask("DELETE", new AbortController().signal).catch(() => null);
    await answer?.body?.cancel();
  }

  #untilOver(): Promise<void> {
    return new Promise((resolve) => this.#over.signal.addEventListener("abort", () => resolve()));
  }

  async #ask(
    method: "GET" | "POST" | "DELETE",
    signal: AbortSignal,
    body?: string,
    after: string | null = null,
  ): Promise<Response> {
    const { place, credentials } = this.#parts;
    const headers: Record<string, string> = {
      Accept: method === "GET" ? "text/event-stream" : "application/json, text/event-stream",
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      ...(this.#sessionId === null ? {} : { "Mcp-Session-Id": this.#sessionId }),
      ...(this.#protocolVersion === null ? {} : { "MCP-Protocol-Version": this.#protocolVersion }),
      ...(after === null ? {} : { "Last-Event-ID": after }),
      ...await credentials.headers(),
    };
    return await place.ask(place.url, { method, headers, signal, ...(body === undefined ? {} : { body }) });
  }

  async #refused(answer: Response): Promise<Sent> {
    const { status } = answer;
    const parsed = parseJson(await answer.text());
    const body = parsed.ok && isJsonObject(parsed.value) ? parsed.value : {};
    const error = body.error !== undefined && isJsonObject(body.error) ? body.error : {};
    const sentence = error.message ?? body.error_message;
    const reason = typeof sentence === "string" ? sentence : `The service answered with status ${status}`;
    // The session is gone, or the service is just going.
    if ((status === 404 && this.#sessionId !== null) || status === 503) {
      return { ok: false, fault: "unsent", reason };
    }
    const code = typeof error.code === "number" ? error.code : RPC_CODES.refused;
    const message = status === 401 ? `${reason}: ${this.#parts.credentials.advice}` : reason;
    return { ok: false, fault: "refused", code, message };
  }

  /** Read on until the answer has come, over as many streams as it takes. */
  async #follow(first: Response, id: MessageId, signal: AbortSignal): Promise<Sent> {
    if (!first.headers.get("content-type")?.startsWith("text/event-stream")) {
      await this.#hear(await first.text());
      return { ok: true };
    }
    let answer = first;
    let last: string | null = null;
    let answered = false;
    let reason = "the stream ended before the answer";
    for (let breaks = 0; breaks < MOST_BREAKS; breaks++) {
      let waitMs = AGAIN_MS;
      try {
        // To its end, which comes at once after the answer: then the connection can be used again.
        for await (const event of readEvents(answer.body!)) {
          breaks = 0;
          if (event.id !== null) last = event.id;
          if (event.retryMs !== null) waitMs = event.retryMs;
          if ((await this.#hear(event.data))?.id === id) answered = true;
        }
      } catch (error) {
        reason = said(error);
      }
      if (answered) return { ok: true };
      if (last === null || signal.aborted) break;
      await pause(this.#parts.clock, waitMs);
      answer = await this.#ask("GET", signal, undefined, last);
      if (!answer.ok) {
        await answer.body?.cancel();
        reason = `the stream could not be taken up again (status ${answer.status})`;
        break;
      }
    }
    return { ok: false, fault: "unknown", reason };
  }

  /** @returns the message where it is an answer. */
  async #hear(text: string): Promise<RpcResponse | null> {
    if (text === "") return null;
    const parsed = parseJson(text);
    if (!parsed.ok || !isJsonObject(parsed.value)) return null;
    const message = readMessage(parsed.value);
    if (typeof message === "string") return null;
    const own = message.kind === "response" && message.id !== null ? this.#own.get(message.id) : undefined;
    if (own) own(parsed.value);
    else await this.#parts.heard(message);
    return message.kind === "response" ? message : null;
  }
}
