/**
 * The frame that greets a client, and when it is sent. Existing clients disagree: some read a welcome before they say
 * anything, others expect the answer to their subscribe as the very first frame. A short deferral serves both.
 *
 * @module
 */
import type { Cancel, Clock } from "../ports/clock.ts";
import { timestamp } from "../ports/clock.ts";
import type { InboundFrame } from "../protocol/envelope.ts";
import type { Identity } from "../ports/call.ts";
import type { ConnectionHost } from "./host.ts";
import type { ReplyParts } from "./replies.ts";

export interface WelcomeOptions {
  readonly mode: "deferred" | "immediate";
  /** Milliseconds that a deferred welcome waits for the client's first frame. */
  readonly graceMs: number;
}

/** What greets a client, as the rest of its connection sees it. */
export interface Greeter {
  /** The client may take part: greet it now or soon. */
  start(): void;
  /** The client has spoken: do not greet by the timer while its frame is handled. */
  hold(): void;
  /** Greet now, if that is still to be done. */
  now(): void;
  stop(): void;
}

/** For clients that have been greeted, or are not to be. */
export const GREETED: Greeter = { start() {}, hold() {}, now() {}, stop() {} };

/**
 * Turns of the event loop that a deferred welcome waits at the least. Where the process itself was kept from running, the
 * grace time has passed before what the client said could be read.
 */
const MIN_TURNS = 4;

export class Welcome implements Greeter {
  readonly #options: WelcomeOptions;
  readonly #clock: Clock;
  readonly #send: () => void;
  #state: "idle" | "waiting" | "done" = "idle";
  #cancel: Cancel | null = null;

  constructor(options: WelcomeOptions, clock: Clock, send: () => void) {
    this.#options = options;
    this.#clock = clock;
    this.#send = send;
  }

  start(): void {
    if (this.#state !== "idle") return;
    this.#state = "waiting";
    if (this.#options.mode === "immediate") this.now();
    else this.#after(this.#options.graceMs, this.#options.graceMs === 0 ? 1 : MIN_TURNS);
  }

  hold(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  now(): void {
    if (this.#state !== "waiting") return;
    this.hold();
    this.#state = "done";
    this.#send();
  }

  stop(): void {
    this.hold();
    this.#state = "done";
  }

  #after(delayMs: number, turns: number): void {
    this.#cancel = this.#clock.after(delayMs, () => {
      if (turns > 1) this.#after(0, turns - 1);
      else this.now();
    });
  }
}

/** For one client. `send` is called at most once. */
export function greeterOf({ settings, clock }: ConnectionHost, send: () => void): Greeter {
  const { welcome: mode, welcomeGraceMs: graceMs } = settings;
  return mode === "off" ? GREETED : new Welcome({ mode, graceMs }, clock, send);
}

/**
 * Whether the answer to this first frame goes out before the welcome: acknowledgements and pongs do, since their
 * senders read one frame and expect it; everything else is answered after it.
 */
export function answeredBeforeWelcome(frame: InboundFrame): boolean {
  if (frame.type === "ping" || frame.type === "subscribe" || frame.type === "unsubscribe") return true;
  return frame.type === "event" && (frame.event === "subscribe" || frame.event === "unsubscribe");
}

/** What the welcome says. */
export function greeting(connection: { id: string; identity: Identity; host: ConnectionHost }): ReplyParts {
  const { host, identity, id } = connection;
  return {
    type: "event",
    event: host.settings.welcomeEvent,
    data: {
      connection_id: id,
      server: host.server,
      message: host.greeting,
      authenticated: identity.authenticated,
      secure: host.secure,
      tls_mode: host.secure ? "WSS" : "WS",
      rate_limit: host.settings.messageRate,
      publish_window: host.settings.publishWindow,
      timestamp: timestamp(host.clock),
    },
  };
}
