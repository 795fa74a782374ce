/**
 * The bridge's line to the service: one session at a time. When it breaks, the service is looked for, or served from
 * here, and a new session takes its place.
 *
 * @module
 */
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { JsonObject } from "../../protocol/json.ts";
import type { Credentials } from "./credentials.ts";
import { type Rpc, RPC_CODES } from "./messages.ts";
import { atMost, pause } from "../pause.ts";
import type { Place } from "./place.ts";
import { Upstream } from "./upstream.ts";

export interface LinkParts {
  /** Name of the service. */
  readonly service: string;
  readonly places: { find(): Promise<Place> };
  readonly credentials: Credentials;
  readonly clock: Clock;
  readonly log: Log;
}

export interface LinkListener {
  /** The service has said something. */
  heard(message: Rpc, upstream: Upstream): Promise<void>;
  /** A new session has taken the place of one that is lost: set up in it what the client takes to be there. */
  restore(upstream: Upstream): Promise<void>;
  /** It can be used from now on. */
  back(upstream: Upstream): Promise<void>;
  lost(upstream: Upstream): void;
}

/** Why there is no session. */
export interface NoSession {
  readonly code: number;
  readonly message: string;
}

interface Refusal extends NoSession {
  /** It may be otherwise in a moment. */
  readonly passing: boolean;
}

/** How long somebody waits for a service that is away. */
const HELD_MS = 30_000;
const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [50, 2_000];

export class Link {
  readonly #parts: LinkParts;
  readonly #listener: LinkListener;
  readonly #waiting = new Set<(outcome: Upstream | NoSession) => void>();
  #greeting: JsonObject = {};
  #live: Upstream | null = null;
  #isRenewing = false;
  #closed = false;

  constructor(parts: LinkParts, listener: LinkListener) {
    this.#parts = parts;
    this.#listener = listener;
  }

  /** The session there is now. */
  get live(): Upstream | null {
    return this.#live;
  }

  /**
   * Open the first session.
   *
   * @param greeting Parameters of the client's `initialize`, of all sessions that follow too.
   * @returns the service's answer.
   */
  async greet(greeting: JsonObject): Promise<{ readonly result: JsonObject } | NoSession> {
    const { clock } = this.#parts;
    this.#greeting = greeting;
    const late = clock.monotonic() + HELD_MS;
    for (let waitMs = FIRST_PAUSE_MS;; waitMs = Math.min(2 * waitMs, LONGEST_PAUSE_MS)) {
      const outcome = await this.#open();
      if ("result" in outcome) {
        this.#live = outcome.upstream;
        return outcome;
      }
      if (!outcome.passing || this.#closed || clock.monotonic() >= late) return outcome;
      await pause(clock, waitMs);
    }
  }

  /** The session, as soon as there is one; waits for half a minute. */
  async ready(): Promise<Upstream | NoSession> {
    if (this.#live) return this.#live;
    const { clock, service } = this.#parts;
    let told: (outcome: Upstream | NoSession) => void = () => {};
    const outcome = new Promise<Upstream | NoSession>((resolve) => told = resolve);
    this.#waiting.add(told);
    await atMost(clock, HELD_MS, outcome);
    this.#waiting.delete(told);
    told({ code: RPC_CODES.refused, message: `${service} has been away for ${HELD_MS / 1_000} seconds` });
    return await outcome;
  }

  /** The session is of no use any more. */
  lose(upstream: Upstream, reason: string): void {
    if (this.#live !== upstream || this.#closed) return;
    this.#parts.log.info("The service is away", { service: this.#parts.service, reason });
    this.#live = null;
    upstream.leave();
    this.#listener.lost(upstream);
    if (!this.#isRenewing) void this.#renew();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#settle({ code: RPC_CODES.refused, message: "The bridge ends" });
    await this.#live?.end();
  }

  /** A session with the service, wherever it is now. */
  async #open(): Promise<{ readonly upstream: Upstream; readonly result: JsonObject } | Refusal> {
    const { places, log, service, clock, credentials } = this.#parts;
    let place: Place;
    try {
      place = await places.find();
    } catch (error) {
      const { message } = error as Error;
      log.warn("The service cannot be reached", { service, reason: message });
      return { code: RPC_CODES.refused, message, passing: false };
    }
    const upstream: Upstream = new Upstream({
      place,
      credentials,
      clock,
      heard: (message) => this.#listener.heard(message, upstream),
    });
    const answer = await upstream.ask("initialize", this.#greeting);
    if (!answer.ok) {
      if (answer.fault === "refused") return { ...answer, passing: false };
      return { code: RPC_CODES.refused, message: answer.reason, passing: true };
    }
    const { result } = answer;
    if (typeof result.protocolVersion === "string") upstream.agreed(result.protocolVersion);
    log.debug("A session with the service is open", { service, url: place.url, own: place.isOwn });
    return { upstream, result };
  }

  async #renew(): Promise<void> {
    const { clock, log, service } = this.#parts;
    this.#isRenewing = true;
    for (let waitMs = FIRST_PAUSE_MS; !this.#closed; waitMs = Math.min(2 * waitMs, LONGEST_PAUSE_MS)) {
      const outcome = await this.#open();
      if ("result" in outcome) {
        const { upstream } = outcome;
        await this.#listener.restore(upstream);
        this.#isRenewing = false;
        this.#live = upstream;
        log.info("The service is back", { service });
        this.#settle(upstream);
        return await this.#listener.back(upstream);
      }
      if (!outcome.passing) this.#settle(outcome);
      await pause(clock, waitMs * (0.5 + Math.random()));
    }
  }

  #settle(outcome: Upstream | NoSession): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const told of waiting) told(outcome);
  }
}
