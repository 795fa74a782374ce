/**
 * `record`: writes what comes over channels to a file (docs/record-format.md), over as many connections as that takes.
 *
 * @module
 */
import process from "node:process";
import type { Command } from "commander";
import { wakefulClock } from "../ports/clock.ts";
import { RecordWriter } from "../recording/write-record.ts";
import { detectRuntime } from "../runtimes/detect.ts";
import { EXIT_CODES } from "../server/exit-codes.ts";
import { quoted, SettingsError } from "../settings/settings-error.ts";
import { action, makeCommand } from "./command.ts";
import { readDuration } from "./duration.ts";
import { connect, failureOf } from "./reach/connect.ts";
import { reach, type ServiceFlags, withServiceFlags } from "./reach/reach.ts";
import { type Output, outputTo, ReaderGone } from "./record/output-file.ts";
import { counted, PROGRESS_MS, Rate, sizeText } from "./record/progress.ts";
import { recordChannels, type Recorded } from "./record/recorder.ts";
import { stopSignal } from "./stop-signal.ts";
import { span } from "./terminal/ago.ts";
import { plainText } from "./terminal/plain-text.ts";
import { canRedraw, Screen } from "./terminal/screen.ts";

interface RecordFlags extends ServiceFlags {
  readonly output?: string;
  readonly force?: boolean;
  readonly duration?: number;
  readonly events?: number;
  readonly last?: number;
}

export function recordCommand(): Command {
  return withServiceFlags(
    makeCommand("record", "Write what comes over channels to a file, to be read or replayed")
      .argument("<SERVICE>", "The service to listen to")
      .argument("<CHANNEL...>", "Channels like test:01J… or coverage, or test:* for all of a kind"),
  )
    .option("--output <FILE>", 'File to write, "-" for standard output. Default: {service}-{time}.ndjson')
    .option("--force", "Replace the file where there is one")
    .option(
      "--duration <TIME>",
      "End after this time, like 30s or 10m",
      (text) => readDuration("--duration", text),
    )
    .option("--events <N>", "End after so many events", (text) => readCount("--events", text))
    .option(
      "--last <N>",
      "Begin with the newest N events of each channel",
      (text) => readCount("--last", text),
    )
    .addHelpText(
      "after",
      "\nGoes on until Ctrl-C, --duration or --events. Where the connection is lost, it is made again and what was" +
        "\nmissed is fetched; what cannot be had any more is written down as a gap." +
        "\n\nExit codes: 0 recorded; 1 error; 2 usage; 4 not authorized; 5 recorded, and events are missing; 130 Ctrl-C" +
        "\nbefore the service has answered.",
    )
    .action(action(record));
}

async function record(name: string, channels: string[], flags: RecordFlags): Promise<number> {
  const runtime = await detectRuntime();
  const reached = await reach("record", name, flags, runtime);
  const output = await outputTo(flags.output ?? defaultFile(name, wakefulClock.now()), flags.force ?? false);
  const { stopped, forget } = stopSignal(runtime);
  const hasStatus = canRedraw(process.stderr, process.env);
  const screen = new Screen(process.stderr, { hasStatus, gone: () => {} });
  const say = (text: string) => void screen.line(text);
  const clock = wakefulClock;
  const writer = new RecordWriter({ clock, write: (bytes) => output.write(bytes) });
  const rate = new Rate(clock);
  const status = () =>
    screen.status(
      [
        counted(writer.events, "event"),
        `${rate.next(writer.events).toFixed(1)}/s`,
        sizeText(writer.bytes),
        span(writer.at),
      ]
        .join("  "),
    );
  let quiet = () => {};
  try {
    const recorded = await recordChannels({
      connect: (notes) => connect(reached, notes),
      service: name,
      url: reached.url,
      channels,
      last: flags.last,
      writer,
      maxEvents: flags.events,
      durationMs: flags.duration,
      stopped,
      clock,
      notes: {
        lost: () => say(`The connection to ${name} is lost: trying again`),
        back: () => say(`The connection to ${name} is back`),
        said: say,
      },
      onBegin() {
        say(
          `Recording ${channels.map(plainText).join(", ")} of ${
            plainText(name)
          } to ${output.name}; stop with Ctrl-C`,
        );
        if (hasStatus) quiet = clock.every(PROGRESS_MS, status);
      },
    });
    quiet();
    screen.status("");
    if (recorded.reason === null) {
      say("Stopped before the service answered: nothing is recorded");
      return EXIT_CODES.interrupted;
    }
    if (recorded.error) throw recorded.error;
    say(`${told(recorded, writer, output)}`);
    return recorded.gaps > 0 ? EXIT_CODES.gap : EXIT_CODES.done;
  } catch (error) {
    if (error instanceof ReaderGone) return EXIT_CODES.done;
    const { events, bytes } = writer.written;
    if (bytes > 0) say(`Recorded ${counted(events, "event")} to ${output.name} before it ended:`);
    throw failureOf(error as Error, reached);
  } finally {
    quiet();
    screen.status("");
    forget();
    await output.close();
    await screen.flushed();
  }
}

function told({ gaps, interruptions }: Recorded, writer: RecordWriter, output: Output): string {
  const more = [
    ...interruptions > 0 ? [counted(interruptions, "interruption")] : [],
    ...gaps > 0 ? [`${counted(gaps, "gap")}: events are missing`] : [],
  ];
  return [
    `Recorded ${counted(writer.events, "event")} (${sizeText(writer.bytes)}, ${
      span(writer.at)
    }) to ${output.name}`,
    ...more,
  ].join("; ");
}

/** In the folder that it is started in. */
function defaultFile(service: string, now: number): string {
  const time = new Date(now).toISOString().replace(/\.\d+Z$/, "Z").replaceAll(/[-:]/g, "");
  return `${service.replaceAll(/[^\w.-]/g, "_")}-${time}.ndjson`;
}

/** @throws {SettingsError} where it is no count. */
function readCount(flag: string, text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new SettingsError([`${flag}: expected a whole number from 1 to 999999999, got ${quoted(text)}`]);
}
