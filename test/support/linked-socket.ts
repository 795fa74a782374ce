/**
 * Two ends of a WebSocket without a network: a `Socket` for the server, and a client that reads, stalls, answers pings
 * and closes as real ones do.
 *
 * @module
 */
import type { Clock } from "../../src/ports/clock.ts";
import type { Accept, Batch, Frame, Socket, SocketReader } from "../../src/ports/socket.ts";

/** A frame as the client reads it. */
// deno-lint-ignore no-explicit-any
export type Received = Record<string, any>;

export class LinkedSocket implements Socket {
  readonly remoteAddress = "127.0.0.1";
  /** Texts of the frames of each `write`. */
  readonly writes: string[][] = [];
  pings = 0;
  terminated = false;
  paused = false;
  readonly #client: LinkedClient;

  constructor(client: LinkedClient) {
    this.#client = client;
  }

  write({ frames }: Batch): void {
    if (this.#client.over) return;
    this.writes.push(frames.map(({ text }) => text));
    for (const frame of frames) this.#client.arrive(frame);
  }

  buffered(): number {
    return this.#client.unread;
  }

  ping(): boolean {
    this.pings++;
    this.#client.pinged();
    return true;
  }

  close(code: number, reason: string): void {
    this.#client.closedByServer(code, reason);
  }

  terminate(): void {
    if (this.terminated) return;
    this.terminated = true;
    this.#client.cut();
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.#client.deliver();
  }
}

/** The client's end. It takes what came at the end of the tick, unless it is stalled. */
export class LinkedClient {
  readonly socket: LinkedSocket;
  /** All frames read, oldest first. */
  readonly frames: Received[] = [];
  /** How the server ended the connection. */
  close: { code: number; reason: string } | null = null;
  /** Close calls of the server; one is right. */
  closeCalls = 0;
  answersPings = true;
  answersClose = true;
  stalled = false;
  over = false;
  unread = 0;
  /** Hears of each frame as it is read, and of the end. */
  listener: { message(text: string): void; closed(code: number, reason: string): void } | null = null;
  readonly #clock: Clock;
  readonly #reader: SocketReader;
  #arrived: { text: string; left: number }[] = [];
  #outbound: (() => void)[] = [];
  #delivering = false;
  #taking = false;
  #taken = 0;

  constructor(clock: Clock, accept: Accept) {
    this.#clock = clock;
    this.socket = new LinkedSocket(this);
    this.#reader = accept(this.socket);
  }

  /** Send an object as JSON, or text or bytes as they are. Waits in the network while the server does not read. */
  send(data: object | string | Uint8Array): void {
    const message = typeof data === "string" || data instanceof Uint8Array ? data : JSON.stringify(data);
    this.#toServer(() => this.#reader.message(message));
  }

  request(event: string, data: object = {}, id: string = event): void {
    this.send({ type: "request", event, data, id });
  }

  pong(): void {
    this.#toServer(() => this.#reader.alive());
  }

  /** Close from this side, or vanish (1006). */
  hangUp(code = 1006): void {
    this.#end(code, "");
  }

  /** Frames read since the last call. */
  take(): Received[] {
    const frames = this.frames.slice(this.#taken);
    this.#taken = this.frames.length;
    return frames;
  }

  stall(): void {
    this.stalled = true;
  }

  /** While stalled: read so many bytes and no more. */
  read(bytes: number): void {
    while (bytes > 0 && this.#arrived.length > 0) {
      const first = this.#arrived[0]!;
      const took = Math.min(bytes, first.left);
      first.left -= took;
      this.unread -= took;
      bytes -= took;
      if (first.left > 0) return;
      this.#arrived.shift();
      this.frames.push(JSON.parse(first.text));
      this.listener?.message(first.text);
    }
  }

  flow(): void {
    this.stalled = false;
    this.read(Infinity);
  }

  // --- what the socket calls ---

  arrive(frame: Frame): void {
    this.#arrived.push({ text: frame.text, left: Math.max(1, frame.bytes) });
    this.unread += Math.max(1, frame.bytes);
    if (this.#taking) return;
    this.#taking = true;
    this.#clock.endOfTick(() => {
      this.#taking = false;
      if (!this.stalled) this.read(Infinity);
    });
  }

  pinged(): void {
    if (this.answersPings && !this.stalled) this.pong();
  }

  closedByServer(code: number, reason: string): void {
    this.closeCalls++;
    this.close ??= { code, reason };
    if (!this.answersClose || this.stalled) return;
    this.#clock.endOfTick(() => this.#toServer(() => this.#end(code, reason)));
  }

  cut(): void {
    this.#end(1006, "");
  }

  deliver(): void {
    if (this.#delivering) return;
    this.#delivering = true;
    while (!this.socket.paused && this.#outbound.length > 0) this.#outbound.shift()!();
    this.#delivering = false;
  }

  #toServer(work: () => void): void {
    if (this.over) return;
    this.#outbound.push(work);
    this.deliver();
  }

  #end(code: number, reason: string): void {
    if (this.over) return;
    this.over = true;
    this.#outbound = [];
    this.#reader.closed(code, reason);
    this.listener?.closed(code, reason);
  }
}
