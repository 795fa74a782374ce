/**
 * `tail SERVICE CHANNEL…`: events as they happen, or until one has happened. It goes on over a restart of the service, and
 * says what could not be had.
 *
 * @module
 */
import process from "node:process";
import type { Command } from "commander";
import type { EventItem, Item, Subscription } from "../client/mod.ts";
import { wakefulClock } from "../ports/clock.ts";
import type { Position } from "../protocol/event.ts";
import { detectRuntime } from "../runtimes/detect.ts";
import { isReaderGone, outputFault } from "../runtimes/write-out.ts";
import { EXIT_CODES } from "../server/exit-codes.ts";
import { withoutCovered } from "./channels.ts";
import { action, CommandFailure, type ExitCode, makeCommand } from "./command.ts";
import { readDuration } from "./duration.ts";
import { atMost } from "./pause.ts";
import { connect, type Connected, failureOf } from "./reach/connect.ts";
import { reach, type Reached, withServiceFlags } from "./reach/reach.ts";
import { checkPlaces, readCount, readPosition, type TailFlags, writePosition } from "./tail/flags.ts";
import { asPlain, asTold, gapSentence, type Present } from "./tail/present.ts";
import { ago, span } from "./terminal/ago.ts";
import { type Paint, paintFor } from "./terminal/paint.ts";
import { plainJson, plainText } from "./terminal/plain-text.ts";
import { canRedraw, Screen } from "./terminal/screen.ts";

const AFTER = `
A CHANNEL is one like test:01J8…, all of a kind like 'test:*', or global. On a terminal each event is one line with its
age; elsewhere it is time, channel, event and data.

Exit codes: 0 what was waited for has happened, or Ctrl-C; 1 the service cannot be reached, or nobody reads any more what
--until waits for; 2 usage; 3 --timeout is over; 4 not authorized; 5 events are missing: with --until at once, as the one
that is waited for may be among them, otherwise at the end; 130 Ctrl-C before what --until waits for.

Wait for the end of a test run:
  mcp-realtime tail crackerjack 'test:*' --until test.completed --timeout 10m --json`;

export function tailCommand(): Command {
  const command = makeCommand("tail", "Show events as they happen, or wait for one")
    .argument("<SERVICE>", "The service whose events are shown")
    .argument("<CHANNEL...>", "Channels to listen to")
    .option("--since <POSITION>", "Begin after this position, EPOCH:SEQ", readPosition)
    .option("--last <COUNT>", "Begin with the newest so many events of each channel", readCount)
    .option(
      "--until <EVENT>",
      "End when this event has come; may be repeated",
      (event, before: string[] = []) => [...before, event],
    )
    .option(
      "--timeout <TIME>",
      "End after this time with exit code 3: 500ms, 30s, 10m, 2h",
      (text) => readDuration("--timeout", text),
    )
    .option("--json", "One JSON object a line");
  return withServiceFlags(command).addHelpText("after", AFTER).action(action(tail));
}

async function tail(name: string, channels: readonly string[], flags: TailFlags): Promise<number> {
  const runtime = await detectRuntime();
  const reached = await reach("tail", name, flags, runtime);
  checkPlaces(reached.contract, channels, flags);
  const run = new Tail(reached, withoutCovered(channels), flags);
  const forget = runtime.onStopSignal(() => run.interrupt());
  try {
    return await run.done();
  } finally {
    forget();
  }
}

/** For what is under way to a reader that may have stopped reading. */
const LAST_LINES_MS = 1_000;
/** After which the bottom line is drawn anew. */
const TICK_MS = 1_000;

class Tail {
  readonly #reached: Reached;
  readonly #channels: readonly string[];
  readonly #flags: TailFlags;
  readonly #screen: Screen;
  readonly #paint: Paint;
  readonly #present: Present;
  readonly #subscriptions: Subscription[] = [];
  /** What each has brought and is not out. */
  readonly #inHand = new Map<Subscription, EventItem>();
  readonly #ended: Promise<ExitCode>;
  #settle!: { resolve: (code: ExitCode) => void; reject: (error: Error) => void };
  #isOver = false;
  #hasGap = false;
  #isConnected = false;
  #wasConnected = false;
  #count = 0;
  /** Monotonic milliseconds of the newest event. */
  #heardAt = 0;

  constructor(reached: Reached, channels: readonly string[], flags: TailFlags) {
    this.#reached = reached;
    this.#channels = channels;
    this.#flags = flags;
    this.#ended = new Promise((resolve, reject) => this.#settle = { resolve, reject });
    // It may end before anybody waits for that.
    this.#ended.catch(() => {});
    this.#paint = paintFor(process.stdout, process.env);
    const isTerminal = process.stdout.isTTY === true;
    this.#present = isTerminal ? asTold(this.#paint) : asPlain(this.#paint);
    this.#screen = new Screen(process.stdout, {
      hasStatus: canRedraw(process.stdout, process.env) && flags.json !== true,
      gone: (failure) => this.#gone(failure),
    });
  }

  /** Ctrl-C. */
  interrupt(): void {
    this.#end(this.#flags.until ? EXIT_CODES.interrupted : this.#hasGap ? EXIT_CODES.gap : EXIT_CODES.done);
  }

  /** Resolves with the exit code. Rejects with a `CommandFailure`. */
  async done(): Promise<ExitCode> {
    const { timeout } = this.#flags;
    const stopWaiting = timeout === undefined
      ? () => {}
      : wakefulClock.after(timeout, () => this.#late(timeout));
    const stopTicking = wakefulClock.every(TICK_MS, () => this.#draw());
    this.#draw();
    const { client, failed } = await this.#connect();
    try {
      for (const channel of this.#channels) {
        const { since, last } = this.#flags;
        const subscription = client.subscribe(channel, {
          ...(since ? { since } : {}),
          ...(last ? { last } : {}),
        });
        this.#subscriptions.push(subscription as Subscription);
        void this.#follow(subscription as Subscription, client);
      }
      return await Promise.race([this.#ended, failed]);
    } finally {
      this.#isOver = true;
      stopWaiting();
      stopTicking();
      client.close();
      this.#screen.status("");
      await atMost(wakefulClock, LAST_LINES_MS, this.#screen.flushed());
      const position = this.#position();
      if (position) console.error(plainText(`Go on from here with --since ${writePosition(position)}`));
    }
  }

  #connect(): Promise<Connected> {
    const { name } = this.#reached;
    const say = (sentence: string) => this.#screen.beside(() => console.error(sentence));
    return connect(this.#reached, {
      lost: () => {
        if (this.#isOver) return;
        this.#isConnected = false;
        say(`Lost the connection to ${name}, connecting again`);
        this.#draw();
      },
      back: () => {
        this.#isConnected = true;
        say(`Connected to ${name} again`);
        this.#draw();
      },
      said: say,
    }).then((connected) => {
      void connected.opened.then(() => {
        this.#isConnected = this.#wasConnected = true;
        this.#draw();
      });
      return connected;
    });
  }

  async #follow(subscription: Subscription, client: Connected["client"]): Promise<void> {
    try {
      for await (const item of subscription) {
        if (item.type === "event") this.#inHand.set(subscription, item);
        if (item.type === "gap") this.#hasGap = true;
        if (this.#isOver || !(await this.#show(item))) return;
        this.#inHand.delete(subscription);
        if (item.type === "gap" && this.#flags.until) this.#end(EXIT_CODES.gap);
        if (item.type === "event" && this.#flags.until?.includes(item.event)) this.#end(EXIT_CODES.done);
      }
    } catch (error) {
      if (this.#isOver) return;
      // A channel that is taken away while the connection stays is a permission that has ended.
      const isRevoked = client.state === "open" && (error as { reason?: unknown }).reason === "closed";
      const failure = isRevoked
        ? new CommandFailure(EXIT_CODES.notAuthorized, (error as Error).message)
        : failureOf(error as Error, this.#reached);
      // Where the connection has ended, why is told by `failed`.
      if (client.state !== "closed") this.#settle.reject(failure);
    }
  }

  /** Resolves with whether it is out. */
  async #show(item: Item): Promise<boolean> {
    this.#count += item.type === "event" ? 1 : 0;
    this.#heardAt = wakefulClock.monotonic();
    if (this.#flags.json) return await this.#screen.line(plainJson(item));
    if (item.type !== "gap") {
      return await this.#screen.line(this.#present(item, this.#screen.columns), this.#status());
    }
    this.#screen.beside(() => console.error(gapSentence(item)));
    return true;
  }

  /** Standard output takes nothing more. */
  #gone(failure: Error): void {
    if (isReaderGone(failure)) {
      return this.#end(
        this.#flags.until ? EXIT_CODES.error : this.#hasGap ? EXIT_CODES.gap : EXIT_CODES.done,
      );
    }
    this.#isOver = true;
    this.#settle.reject(new CommandFailure(EXIT_CODES.error, outputFault(failure)));
  }

  #late(timeoutMs: number): void {
    const { until } = this.#flags;
    if (!this.#wasConnected) {
      const { name, url } = this.#reached;
      const sentence = plainText(`Cannot reach ${name} at ${url}: no answer in ${span(timeoutMs)}`);
      this.#isOver = true;
      return this.#settle.reject(new CommandFailure(EXIT_CODES.error, sentence));
    }
    if (until && !this.#isOver) {
      this.#screen.beside(() => console.error(`No ${until.join(" or ")} in ${span(timeoutMs)}`));
    }
    this.#end(this.#hasGap ? EXIT_CODES.gap : EXIT_CODES.timeout);
  }

  #end(code: ExitCode): void {
    this.#isOver = true;
    this.#settle.resolve(code);
  }

  /** The earliest of all subscriptions: whoever goes on from there misses nothing that is not out. */
  #position(): Position | null {
    const positions = this.#subscriptions.map((subscription) => {
      const { seq, epoch } = this.#inHand.get(subscription) ?? {};
      return seq === undefined || epoch === undefined ? subscription.position : { epoch, seq: seq - 1 };
    }).filter((position) => position !== null);
    const [first] = positions;
    if (!first || positions.some(({ epoch }) => epoch !== first.epoch)) return null;
    return positions.reduce((least, position) => position.seq < least.seq ? position : least);
  }

  #draw(): void {
    if (!this.#isOver) this.#screen.status(this.#status());
  }

  /** The bottom line: whether the service is there, and how long nothing has happened. */
  #status(): string {
    const { name, url } = this.#reached;
    if (!this.#isConnected) return `${this.#paint("yellow", "○")} ${name}: connecting to ${url}`;
    const quiet = ago(wakefulClock.monotonic() - this.#heardAt);
    const told = this.#count === 0
      ? "nothing yet"
      : `${this.#count} event${this.#count === 1 ? "" : "s"}, the last one ${quiet}`;
    return `${this.#paint("green", "●")} ${name}: ${told}`;
  }
}
