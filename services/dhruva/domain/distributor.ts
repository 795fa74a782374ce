/**
 * Brings content to targets: tries, waits and tries again, and tells what has become of each. All that it has to do
 * stands in the database, so that it goes on after a restart.
 *
 * @module
 */
import { type Call, laterCall } from "../../../src/ports/call.ts";
import type { Cancel, Clock } from "../../../src/ports/clock.ts";
import { linkSignals } from "../../../src/ports/linked-signal.ts";
import type { Log } from "../../../src/ports/log.ts";
import { Refusal } from "../../../src/protocol/errors.ts";
import type { Commit, Transaction } from "../../../src/service/define-service.ts";
import type { DhruvaContract } from "../contract.ts";
import type { Delivery, Distribution, DistributionTable } from "./distribution-table.ts";
import { type DistributionView, distributionView } from "./distribution-view.ts";
import { DeliveryError } from "./parcel.ts";
import type { DhruvaSettings } from "./settings.ts";

type Told = Transaction<DhruvaContract>;

export interface DistributorParts {
  readonly table: DistributionTable;
  readonly commit: Commit<DhruvaContract>;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: DhruvaSettings;
  /** Bring content to a target of the settings. Gives the SHA-256 that the target has answered. */
  readonly deliver: (target: string, distribution: Distribution, signal: AbortSignal) => Promise<string>;
  /** Called in the commit by which a distribution ends: its content is needed by others at most. */
  readonly release: (sha256: string) => void;
  /** Called after a distribution has ended. */
  readonly onEnd: () => void;
  /** From 0 to below 1. @default Math.random */
  readonly random?: () => number;
}

/** In UTF-16 units. A snapshot shows the errors of many targets, and must fit into a frame. */
const MAX_ERROR_LENGTH = 300;

export class Distributor {
  readonly #parts: DistributorParts;
  readonly #stopping = new AbortController();
  /** Deliveries under way; at most the setting `parallel_deliveries`. */
  readonly #running = new Map<number, Promise<void>>();
  /** By distribution, until it ends. A later process goes on without. */
  readonly #traces = new Map<string, string>();
  #timer: Cancel = () => {};
  /** Until the database takes writes again. */
  #resting = false;

  constructor(parts: DistributorParts) {
    this.#parts = parts;
  }

  /** Deliveries under way. */
  get activeCount(): number {
    return this.#running.size;
  }

  /** The trace context of the request that asked for a distribution: events of later attempts carry it. */
  trace(
    { distribution_id: id }: Pick<Distribution, "distribution_id">,
    traceparent: string | undefined,
  ): void {
    if (traceparent !== undefined) this.#traces.set(id, traceparent);
  }

  /** Offer a new distribution to those of its targets that are clients; for its own commit. */
  offerFirst(told: Told, distribution: Distribution): void {
    for (const delivery of this.#parts.table.deliveries(distribution.distribution_id)) {
      if (delivery.kind === "client") this.#offer(told, distribution, delivery);
    }
  }

  /** Do what is due, and see to it that what becomes due later is done then. */
  wake(): void {
    if (this.#stopping.signal.aborted || this.#resting) return;
    try {
      this.#offerDue();
      this.#startDue();
      this.#wakeLater();
    } catch (error) {
      this.#rest(error);
    }
  }

  /**
   * A client says what it has stored.
   *
   * @throws {Refusal} NOT_FOUND; CONFLICT where the hash is another, the target is no client, or was given up
   */
  acknowledge(id: string, target: string, sha256: string, call?: Call): DistributionView {
    const { table, commit } = this.#parts;
    const distribution = table.require(id);
    const delivery = table.requireDelivery(id, target);
    const conflict = (message: string) => new Refusal("CONFLICT", message);
    if (delivery.kind !== "client") throw conflict(`Target '${target}' answers for itself: it is no client`);
    if (delivery.status === "failed") {
      throw conflict(
        `Target '${target}' was given up after ${delivery.attempts} offers: distribute it again`,
      );
    }
    if (sha256 !== distribution.sha256) {
      throw conflict(`Target '${target}' holds ${sha256}, expected ${distribution.sha256}: fetch it again`);
    }
    let ended = false;
    const view = commit((told) => {
      if (delivery.status === "pending") {
        ended = this.#settle(told, distribution, {
          ...delivery,
          status: "acknowledged",
          sha256,
          error: null,
        });
      }
      return this.view(distribution);
    }, call);
    if (ended) this.#ended();
    return view;
  }

  view({ distribution_id: id }: Pick<Distribution, "distribution_id">): DistributionView {
    return distributionView(this.#parts.table.require(id), this.#parts.table.deliveries(id));
  }

  /** Break off what is under way; it goes on at the next start. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#timer();
    await Promise.all(this.#running.values());
  }

  #offerDue(): void {
    const { table, commit, clock, settings } = this.#parts;
    let ended = false;
    for (const delivery of table.due("clients", clock.now(), this.#longestMs, 1_000)) {
      const distribution = table.require(delivery.distribution_id);
      commit((told) => {
        if (delivery.attempts < settings.attempts) return this.#offer(told, distribution, delivery);
        const error = delivery.error ?? `No client has acknowledged it after ${delivery.attempts} offers`;
        if (this.#settle(told, distribution, { ...delivery, status: "failed", error })) ended = true;
      }, this.#callOf(distribution));
    }
    if (ended) this.#ended();
  }

  #offer(
    told: Told,
    { distribution_id: id, adapter_id, version, sha256, size }: Distribution,
    delivery: Delivery,
  ): void {
    const { table, clock, settings } = this.#parts;
    const { target } = delivery;
    const attempts = delivery.attempts + 1;
    const now = clock.now();
    table.change(id, target, { ...delivery, attempts, next_at: now + settings.offer_seconds * 1_000 }, now);
    told.emit("adapter.offered", {
      adapter_id,
      version,
      distribution_id: id,
      target,
      sha256,
      size,
      attempts,
    });
  }

  #startDue(): void {
    const { table, clock, settings } = this.#parts;
    const free = settings.parallel_deliveries - this.#running.size;
    if (free <= 0) return;
    const due = table.due("others", clock.now(), this.#longestMs, settings.parallel_deliveries + free)
      .filter(({ number }) => !this.#running.has(number));
    for (const delivery of due.slice(0, free)) {
      const work = this.#run(delivery).catch((error) => this.#rest(error)).finally(() => {
        this.#running.delete(delivery.number);
        this.wake();
      });
      this.#running.set(delivery.number, work);
    }
  }

  /** Rejects only where what became of it cannot be written. */
  async #run(delivery: Delivery): Promise<void> {
    const { table, commit, clock, settings, log } = this.#parts;
    const distribution = table.require(delivery.distribution_id);
    const outcome = await this.#try(delivery.target, distribution);
    if (this.#stopping.signal.aborted) return;
    const attempts = delivery.attempts + 1;
    if (outcome.error === null) {
      this.#conclude(distribution, { ...delivery, attempts, status: "acknowledged", ...outcome });
    } else if (attempts >= settings.attempts) {
      this.#conclude(distribution, { ...delivery, attempts, status: "failed", ...outcome });
    } else {
      const { target } = delivery;
      log.warn("A delivery has failed and is tried again", {
        distribution: delivery.distribution_id,
        target,
        attempts,
        reason: outcome.error,
      });
      const next_at = clock.now() + this.#delayMs(attempts);
      commit(() =>
        table.change(
          delivery.distribution_id,
          target,
          { status: "pending", attempts, ...outcome, next_at },
          clock.now(),
        )
      );
    }
  }

  /** Never rejects. */
  async #try(
    target: string,
    distribution: Distribution,
  ): Promise<{ readonly sha256: string | null; readonly error: string | null }> {
    const { clock, settings, deliver } = this.#parts;
    const limit = new AbortController();
    const forget = clock.after(settings.delivery_seconds * 1_000, () => limit.abort());
    const { signal, release } = linkSignals(limit.signal, this.#stopping.signal);
    try {
      const sha256 = await deliver(target, distribution, signal);
      const isRight = sha256 === distribution.sha256;
      return { sha256, error: isRight ? null : `It has stored ${sha256}, expected ${distribution.sha256}` };
    } catch (error) {
      if (limit.signal.aborted) {
        return { sha256: null, error: `It took longer than ${settings.delivery_seconds} seconds` };
      }
      return { sha256: null, error: this.#sentence(error, target) };
    } finally {
      release();
      forget();
    }
  }

  #sentence(error: unknown, target: string): string {
    const isMeant = error instanceof DeliveryError || error instanceof Refusal;
    if (!isMeant) this.#parts.log.debug("A delivery has failed", { target, error });
    return (error instanceof Error ? error.message : String(error)).slice(0, MAX_ERROR_LENGTH);
  }

  #conclude(distribution: Distribution, delivery: Delivery): void {
    const call = this.#callOf(distribution);
    if (this.#parts.commit((told) => this.#settle(told, distribution, delivery), call)) this.#ended();
  }

  #callOf({ distribution_id: id }: Distribution): Call | undefined {
    return laterCall(this.#traces.get(id));
  }

  /** Note and tell what has become of a target. True where that was the last one. */
  #settle(told: Told, { adapter_id, version, sha256 }: Distribution, delivery: Delivery): boolean {
    const { table, clock, settings } = this.#parts;
    const { distribution_id: id, target, status, attempts, error } = delivery;
    if (status === "pending") return false;
    table.change(id, target, delivery, clock.now());
    told.emit("adapter.distributed", {
      adapter_id,
      version,
      distribution_id: id,
      target,
      status,
      sha256,
      attempts,
      error,
    });
    const ended = table.endIfDone(id, clock.now());
    if (ended) {
      this.#traces.delete(id);
      this.#parts.release(sha256);
      table.prune(settings.keep_distributions);
    }
    return ended;
  }

  #ended(): void {
    this.#parts.onEnd();
  }

  /** Twice as long after each attempt, up to a bound, and by chance up to half of it less. */
  #delayMs(attempts: number): number {
    const { settings: { retry_base_ms, retry_max_ms }, random = Math.random } = this.#parts;
    const full = Math.min(Math.max(retry_base_ms, retry_max_ms), retry_base_ms * 2 ** (attempts - 1));
    return Math.ceil(full / 2 + random() * full / 2);
  }

  get #longestMs(): number {
    const { retry_base_ms, retry_max_ms, offer_seconds } = this.#parts.settings;
    return Math.max(retry_base_ms, retry_max_ms, offer_seconds * 1_000);
  }

  #wakeLater(): void {
    const { table, clock } = this.#parts;
    this.#timer();
    const now = clock.now();
    const next = table.nextAt(now);
    if (next !== null) this.#timer = clock.after(Math.min(next - now, this.#longestMs), () => this.wake());
  }

  /** The database does not take it: try again later, and not at once. */
  #rest(error: unknown): void {
    const { log, clock, settings } = this.#parts;
    if (this.#stopping.signal.aborted || this.#resting) return;
    log.error("Distributions rest for a while", { error });
    this.#resting = true;
    this.#timer();
    this.#timer = clock.after(settings.retry_max_ms, () => {
      this.#resting = false;
      this.wake();
    });
  }
}
