/**
 * Sends hostile input to one service and holds it to its word: every query is answered once, or the connection ends with
 * a code that stands in the protocol; and whoever comes next is served.
 *
 * @module
 */
import { CLOSE_CODES } from "../../src/protocol/close-codes.ts";
import type { Contract } from "../../src/protocol/contract.ts";
import { type Answer, ExpectedAnswers, faultOfFrame } from "./expected-answers.ts";
import { type End, FuzzSocket } from "./fuzz-socket.ts";
import { type HostileBytes, hostileBytes } from "./hostile-bytes.ts";
import { HostileMessages, type Message } from "./hostile-messages.ts";
import { SeededRandom } from "./seeded-random.ts";
import type { Known } from "./valid-inputs.ts";
import { BINARY, TEXT, wireFrame } from "./wire-frames.ts";

/** For an answer, on a busy machine. */
const PATIENCE_MS = 60_000;
/** Messages that are under way together. */
const BATCH = 24;
/** Batches on one connection. */
const BATCHES = 40;
const MAX_MESSAGE_BYTES = 1_048_576;
const SHOWN_CHARACTERS = 3_000;
const MAX_FAULTS = 20;

/** Besides the table's own: what RFC 6455 has an endpoint say of a peer that breaks the protocol. */
const CODES: ReadonlySet<number> = new Set([
  ...Object.values(CLOSE_CODES).map(({ code }) => code),
  1002,
  1007,
]);

export interface FuzzTarget {
  readonly contract: Contract;
  readonly port: number;
  readonly known: Known;
}

export class FuzzRun {
  readonly #target: FuzzTarget;
  readonly #seed: number;
  readonly #random: SeededRandom;
  readonly #messages: HostileMessages;
  /** One sentence for each thing that went wrong, with the seed and the input. */
  readonly faults: string[] = [];
  /** How often what came: error codes, types of answers, ways in which a connection ended. */
  readonly tally = new Map<string, number>();
  inputs = 0;
  /** Something was waited for in vain: more of that would only take as long again. */
  #hangs = false;

  constructor(target: FuzzTarget, seed: number) {
    this.#target = target;
    this.#seed = seed;
    this.#random = new SeededRandom(seed);
    this.#messages = new HostileMessages(target.contract, this.#random, target.known);
  }

  /** Send at least so many inputs, or stop at too many faults or the first answer that does not come. */
  async run(inputs: number): Promise<void> {
    while (this.inputs < inputs && this.faults.length < MAX_FAULTS && !this.#hangs) {
      const talk = await Talk.open(this.#target.port, (heard) => this.#heard(heard));
      for (let batch = 0; batch < BATCHES && this.inputs < inputs && !talk.ended && !this.#hangs; batch++) {
        await this.#batch(talk);
        await this.#apart();
      }
      talk.socket.close();
      await talk.over();
    }
  }

  /** A batch of messages on a connection that is to stay. */
  async #batch(talk: Talk): Promise<void> {
    const batch = Array.from({ length: BATCH }, () => this.#message());
    for (const message of batch) {
      talk.expected.expect(message);
      const payload = typeof message === "string" ? Buffer.from(message) : message;
      talk.socket.write(wireFrame({ opcode: typeof message === "string" ? TEXT : BINARY, payload }));
    }
    this.inputs += batch.length;
    if (await talk.answered() && await talk.ping()) return;
    const [first] = talk.expected.unanswered;
    this.#hangs = !talk.ended;
    const what = talk.ended ? `the end with ${talk.ended.code}` : "no answer";
    this.#fault(`${what}, with ${talk.expected.open} open`, first ?? "none: the ping after it");
    talk.socket.reset();
    await talk.over();
  }

  /** Bytes on a connection of their own. */
  async #apart(): Promise<void> {
    let message = this.#message();
    while (typeof message !== "string" || message.length > 20_000) message = this.#message();
    const input = hostileBytes(this.#random, message);
    this.inputs++;
    const talk = await Talk.open(this.#target.port, (heard) => this.#heard(heard));
    for (const sent of input.messages) talk.expected.expect(sent);
    talk.pongs.expect(input.pings);
    talk.socket.write(input.bytes);
    if (input.then === "finish") talk.socket.finish();
    if (input.then === "reset") talk.socket.reset();
    const stays = input.ends !== "must" && input.then === "wait" && await talk.answered() &&
      await talk.ping();
    if (input.ends === "must" || input.then !== "wait") await talk.over();
    else if (stays) talk.socket.close();
    this.#judge(input, message, talk, stays);
    if (!talk.ended && !stays) talk.socket.reset();
    await talk.over();
  }

  #judge(input: HostileBytes, message: string, talk: Talk, stays: boolean): void {
    const { ended } = talk;
    const how = stays ? "stays" : !ended ? "hangs" : `ends with ${ended.code ?? "no close frame"}`;
    this.#count(how);
    const shown = `${input.form}: ${message}`;
    if (!stays && !ended) {
      this.#hangs = true;
      return this.#fault("neither an answer nor an end", shown);
    }
    if (input.ends === "never" && !stays) return this.#fault(`${how}, expected it to stay`, shown);
    if (stays && talk.pongs.open > 0) return this.#fault("a ping that was not answered", shown);
    if (!stays && ended?.code && !CODES.has(ended.code)) {
      // A close is answered with its own code.
      if (!input.form.startsWith("a close")) this.#fault(how, shown);
    }
  }

  #message(): Message {
    for (;;) {
      const message = this.#messages.next();
      if (typeof message !== "string" && message.length <= MAX_MESSAGE_BYTES) return message;
      if (typeof message === "string" && Buffer.byteLength(message) <= MAX_MESSAGE_BYTES) return message;
    }
  }

  /** A frame of the server, and the message that it answers. */
  #heard({ text, frame, answers, fault }: HeardFrame): void {
    if (fault !== undefined) return this.#fault(fault, "the server's side");
    const wrong = faultOfFrame(text, frame);
    if (wrong !== null) this.#fault(`a frame with ${wrong}: ${text.slice(0, 500)}`, answers ?? "nothing");
    if (answers === undefined) {
      this.#fault(`an answer that nothing asked for: ${text.slice(0, 500)}`, "nothing");
    }
    if (frame.error_code === "SERVER_ERROR") {
      this.#fault(`SERVER_ERROR: ${frame.error_message}`, answers ?? "nothing");
    }
    if (answers !== null) this.#count(frame.error_code ?? frame.type);
    this.#target.known.learn({ ...frame.data, ...(frame.epoch ? { epoch: frame.epoch } : {}) });
  }

  #count(what: string): void {
    this.tally.set(what, (this.tally.get(what) ?? 0) + 1);
  }

  #fault(what: string, input: Message): void {
    const text = typeof input === "string" ? input : `base64 ${Buffer.from(input).toString("base64")}`;
    const { name } = this.#target.contract;
    this.faults.push(
      `${name}, seed ${this.#seed}, input ${this.inputs}: ${what}\n  ${text.slice(0, SHOWN_CHARACTERS)}`,
    );
  }
}

interface HeardFrame {
  readonly text: string;
  readonly frame: Answer;
  readonly answers: Message | null | undefined;
  readonly fault?: string;
}

/** One connection and what is still due on it. */
class Talk {
  socket!: FuzzSocket;
  readonly expected = new ExpectedAnswers();
  readonly pongs = new Pongs();
  ended: End | null = null;
  readonly #waiting = new Set<() => void>();
  #pings = 0;

  static async open(port: number, heard: (frame: HeardFrame) => void): Promise<Talk> {
    const talk = new Talk();
    const wake = () => talk.#waiting.forEach((check) => check());
    talk.socket = await FuzzSocket.open(port, {
      text(text) {
        const frame: Answer = JSON.parse(text);
        heard({ text, frame, answers: talk.expected.answered(frame) });
        wake();
      },
      pong(payload) {
        talk.pongs.came(payload);
        wake();
      },
      end(end) {
        talk.ended = end;
        wake();
      },
      fault: (fault) => heard({ text: "", frame: {}, answers: null, fault }),
    });
    return talk;
  }

  /** True when nothing is due any more; false at the end or when that takes too long. */
  async answered(): Promise<boolean> {
    await this.#until(() => this.ended !== null || this.expected.open + this.pongs.open === 0);
    return this.ended === null && this.expected.open + this.pongs.open === 0;
  }

  /** Whether the server answers now. */
  async ping(): Promise<boolean> {
    const ping = JSON.stringify({ type: "ping", id: `probe-${++this.#pings}` });
    this.expected.expect(ping);
    this.socket.write(wireFrame({ opcode: TEXT, payload: Buffer.from(ping) }));
    return await this.answered();
  }

  /** Wait for the end of the connection; it may not come. */
  async over(): Promise<void> {
    await this.#until(() => this.ended !== null);
  }

  #until(holds: () => boolean): Promise<void> {
    if (holds()) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#waiting.delete(check);
        resolve();
      };
      const check = () => void (holds() && done());
      const timer = setTimeout(done, PATIENCE_MS);
      this.#waiting.add(check);
    });
  }
}

/** Payloads that are to come back. */
class Pongs {
  readonly #due: string[] = [];

  expect(payloads: readonly Uint8Array[]): void {
    this.#due.push(...payloads.map((payload) => Buffer.from(payload).toString("hex")));
  }

  came(payload: Buffer): void {
    const at = this.#due.indexOf(payload.toString("hex"));
    if (at >= 0) this.#due.splice(at, 1);
  }

  get open(): number {
    return this.#due.length;
  }
}
