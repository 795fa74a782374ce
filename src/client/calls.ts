/**
 * Requests on their way: sent in order, a bounded number of them at a time, and sent again over the next connection
 * where that does no harm.
 *
 * @module
 */
import type { Cancel, Clock } from "../ports/clock.ts";
import { ClientError, errorOf } from "./errors.ts";
import { type InboundFrame, type JsonCodec, MAX_FRAME_BYTES, newId, requestFrame } from "./frames.ts";

/** Unanswered requests at a time, besides publishes. */
const WINDOW = 64;
/**
 * The shortest wait after a refusal by the rate limit. Servers end the connection of who is refused in every second of
 * ten, and who waits longer finds room for more than one.
 */
const MIN_PAUSE_MS = 1_500;
/** Nobody who is meant to go on is asked to wait for longer. */
const MAX_PAUSE_MS = 60_000;

export type Data = Record<string, unknown>;

/** In the order in which they are served. What is of the lane `connection` goes with it, unanswered. */
const LANES = ["connection", "request", "publish"] as const;
type LaneName = (typeof LANES)[number];

export interface CallOptions {
  /** Milliseconds; 0 for no limit. */
  readonly timeoutMs: number;
  /** Null: not repeated where the connection is lost meanwhile. */
  readonly key?: string | null;
  readonly lane: LaneName;
  readonly traceparent?: string | undefined;
}

/** Takes the answer, with the characters of its frame, or why there is none. */
export type Settle = (answer: Data | Error, size?: number) => void;

interface Call {
  /** Grows from call to call. */
  readonly number: number;
  readonly id: string;
  readonly text: string;
  readonly key: string | null;
  readonly settle: Settle;
  readonly cancel: Cancel;
}

interface Lane {
  window: number;
  readonly waiting: Call[];
  readonly sent: Map<string, Call>;
}

const lane = (window: number): Lane => ({ window, waiting: [], sent: new Map() });

export class Calls {
  readonly #clock: Clock;
  readonly #json: JsonCodec;
  readonly #send: (text: string) => void;
  readonly #maxSize: number;
  readonly #lanes: Readonly<Record<LaneName, Lane>> = {
    connection: lane(WINDOW),
    request: lane(WINDOW),
    publish: lane(16),
  };
  #size = 0;
  #isOpen = false;
  #count = 0;
  /** Ends the wait that the rate limit has asked for. */
  #pause: Cancel | null = null;

  constructor(clock: Clock, json: JsonCodec, maxSize: number, send: (text: string) => void) {
    this.#clock = clock;
    this.#json = json;
    this.#maxSize = maxSize;
    this.#send = send;
  }

  /** How many publishes may be unanswered at a time; what is no such number is passed over. */
  set publishWindow(count: unknown) {
    if (typeof count === "number" && count >= 1) this.#lanes.publish.window = count;
  }

  /**
   * Send a request, now or when there is a connection. `settle` is called once, and synchronously when the answer's frame
   * is read: a promise would let the frames behind it pass.
   */
  call(event: string, data: Data, options: CallOptions, settle: Settle): void {
    const { timeoutMs, key = null, lane, traceparent } = options;
    const id = newId();
    const text = requestFrame(
      this.#json,
      id,
      event,
      key === null ? data : { ...data, idempotency_key: key },
      traceparent,
    );
    if (text.length * 3 > MAX_FRAME_BYTES && new TextEncoder().encode(text).length > MAX_FRAME_BYTES) {
      const message = `Cannot send ${event}: it has more than ${MAX_FRAME_BYTES} bytes`;
      return settle(new ClientError("too_large", message));
    }
    // Of what belongs to the connection there is as much as there are subscriptions.
    if (lane !== "connection" && this.#size + text.length > this.#maxSize) {
      const message = `Cannot send ${event}: ${this.#size} characters wait already`;
      return settle(new ClientError("full", message));
    }
    const late = () => {
      this.#forget(id)?.settle(new ClientError("timeout", `No answer to ${event} in ${timeoutMs} ms`));
      this.#pump();
    };
    const cancel = timeoutMs > 0 ? this.#clock.after(timeoutMs, late) : () => {};
    this.#size += text.length;
    this.#lanes[lane].waiting.push({ number: this.#count++, id, text, key, settle, cancel });
    this.#pump();
  }

  opened(): void {
    this.#isOpen = true;
    this.#pump();
  }

  /** The connection is lost: what can be repeated waits for the next one. */
  lost(): void {
    this.#isOpen = false;
    for (const call of this.#all("connection")) this.#reject(call, "lost", "The connection was lost");
    for (const name of ["request", "publish"] as const) {
      const { sent, waiting } = this.#lanes[name];
      const again = [...sent.values()].filter((call) => {
        if (call.key !== null) return true;
        this.#reject(call, "lost", "The connection was lost before the answer came");
        return false;
      });
      sent.clear();
      waiting.unshift(...again);
    }
  }

  /** Whether the frame was the answer to a call. */
  answer(frame: InboundFrame, size: number): boolean {
    const id = frame.correlation_id ?? "";
    const lane = Object.values(this.#lanes).find(({ sent }) => sent.has(id));
    if (!lane) return false;
    const refusal = frame.type === "error" ? errorOf(frame) : null;
    if (refusal?.code === "RATE_LIMIT_EXCEEDED") {
      this.#slowDown(lane, id, refusal.message);
      // What is said again comes after what was said since: where that matters, whoever asked must see to it.
      if (lane === this.#lanes.connection) this.#forget(id)!.settle(refusal);
      return true;
    }
    const call = this.#forget(id)!;
    call.settle(refusal ?? frame.data ?? {}, size);
    this.#pump();
    return true;
  }

  close(message: string): void {
    this.#isOpen = false;
    this.#pause?.();
    for (const name of LANES) {
      for (const call of this.#all(name)) this.#reject(call, "closed", message);
    }
  }

  #all(name: LaneName): Call[] {
    const { sent, waiting } = this.#lanes[name];
    return [...sent.values(), ...waiting];
  }

  #reject(call: Call, reason: "lost" | "closed", message: string): void {
    this.#forget(call.id);
    call.settle(new ClientError(reason, message));
  }

  /** It was not done: say it again when the server listens. */
  #slowDown({ sent, waiting }: Lane, id: string, message: string): void {
    waiting.push(sent.get(id)!);
    sent.delete(id);
    // Bounded, so that a message of digits without end is read in no time.
    const waitMs = Number(/\d[\d.]{0,8}(?= s)/.exec(message)?.[0]) * 1_000 || 0;
    this.#pause?.();
    this.#pause = this.#clock.after(Math.min(Math.max(waitMs, MIN_PAUSE_MS), MAX_PAUSE_MS), () => {
      this.#pause = null;
      for (const { waiting } of Object.values(this.#lanes)) waiting.sort((a, b) => a.number - b.number);
      this.#pump();
    });
  }

  #forget(id: string): Call | undefined {
    for (const { sent, waiting } of Object.values(this.#lanes)) {
      const call = sent.get(id) ?? waiting.find((call) => call.id === id);
      if (!call) continue;
      if (!sent.delete(id)) waiting.splice(waiting.indexOf(call), 1);
      call.cancel();
      this.#size -= call.text.length;
      return call;
    }
    return undefined;
  }

  #pump(): void {
    for (const { sent, waiting, window } of Object.values(this.#lanes)) {
      while (this.#isOpen && !this.#pause && sent.size < window && waiting.length > 0) {
        const call = waiting.shift()!;
        sent.set(call.id, call);
        this.#send(call.text);
      }
    }
  }
}
