/**
 * Who the client is: the conversation of the first frame, a later `auth`, and `refresh_token`. Texts and close
 * reasons are those that existing clients know.
 *
 * @module
 */
import {
  AUTH_TEXTS,
  authenticateToken,
  type Authentication as Authenticated,
  type AuthText,
} from "../auth/authenticate.ts";
import type { Cancel } from "../ports/clock.ts";
import type { InboundFrame } from "../protocol/envelope.ts";
import type { Client } from "./client.ts";

export class Authentication {
  readonly #connection: Client;
  #deadline: Cancel | null = null;

  constructor(connection: Client) {
    this.#connection = connection;
  }

  /** Give the client a time to say who it is. */
  start(): void {
    const { clock, settings } = this.#connection.host;
    this.#deadline = clock.after(settings.authDeadlineMs, () => this.refuse(AUTH_TEXTS.timeout, null));
  }

  stop(): void {
    this.#deadline?.();
    this.#deadline = null;
  }

  /** Handle the first frame of a client that must authenticate. */
  async first(frame: InboundFrame, correlationId: string | null): Promise<void> {
    if (frame.type !== "request" || frame.event !== "auth") return this.refuse(AUTH_TEXTS.required, null);
    const result = await this.#verify(frame);
    if (this.#connection.over) return;
    if (!result.ok) return this.refuse(result.text, correlationId);
    this.stop();
    this.#accept(result, frame, correlationId, "authenticated");
    this.#connection.opened();
    // Its answer has been read: there is nothing to wait for.
    this.#connection.welcome.now();
  }

  /** `auth` where it is not required, or again; `refresh_token`. A client that fails stays as it was. */
  async again(
    frame: InboundFrame,
    correlationId: string | null,
    status: "authenticated" | "refreshed",
  ): Promise<void> {
    const connection = this.#connection;
    const result = await this.#verify(frame);
    if (connection.over) return;
    if (!result.ok) {
      // Some clients take the first frame after `auth` for its answer, and an error for the end.
      connection.welcome.now();
      return connection.fail(frame, correlationId, result.text.error!.code, result.text.error!.message);
    }
    this.#accept(result, frame, correlationId, status);
    connection.leaveForbidden();
    connection.welcome.now();
  }

  /** Say why, and end the connection. */
  refuse(text: AuthText, correlationId: string | null): void {
    this.stop();
    const connection = this.#connection;
    connection.host.metrics.connectionError(text.error?.code.toLowerCase() ?? "auth_error").add();
    if (text.error) {
      connection.fail(null, text.correlated ? correlationId : null, text.error.code, text.error.message);
    }
    connection.end(text.closeCode, text.closeReason);
  }

  #verify(frame: InboundFrame): Promise<Authenticated> {
    const { verify } = this.#connection.host;
    // Without a secret no token can be good.
    if (!verify) return Promise.resolve({ ok: false, text: AUTH_TEXTS.invalid });
    return authenticateToken(frame.data["token"], verify);
  }

  #accept(
    result: Extract<Authenticated, { ok: true }>,
    frame: InboundFrame,
    correlationId: string | null,
    status: string,
  ): void {
    this.#connection.identify(result.identity, result.expiresAt);
    this.#connection.reply({
      type: frame.type === "request" ? "response" : "ack",
      event: frame.event,
      correlationId,
      data: { status, user_id: result.identity.userId },
      traceparent: frame.traceparent,
    });
  }
}
