/**
 * `replay`: turns a record into live events again, on a port of its own that any client can read.
 *
 * @module
 */
import process from "node:process";
import type { Command } from "commander";
import { wakefulClock } from "../ports/clock.ts";
import { lineLog } from "../ports/log.ts";
import { RecordError } from "../recording/record.ts";
import { detectRuntime } from "../runtimes/detect.ts";
import { EXIT_CODES } from "../server/exit-codes.ts";
import { announcement, stopInTime } from "../server/run.ts";
import { quoted, SettingsError } from "../settings/settings-error.ts";
import { action, CommandFailure, makeCommand } from "./command.ts";
import { pause } from "./pause.ts";
import { counted, PROGRESS_MS } from "./record/progress.ts";
import { checkPart } from "./replay/check-part.ts";
import { play, type Played } from "./replay/player.ts";
import { openRecordFile } from "./replay/record-file.ts";
import { ReplayServer } from "./replay/replay-service.ts";
import { readStart, type Start } from "./replay/start.ts";
import { type Survey, type SurveyOptions, surveyRecord } from "./replay/survey.ts";
import { stopSignal } from "./stop-signal.ts";
import { span } from "./terminal/ago.ts";
import { plainText } from "./terminal/plain-text.ts";
import { canRedraw, Screen } from "./terminal/screen.ts";

interface ReplayFlags {
  /** Infinity for as fast as can be. */
  readonly speed: number;
  readonly from?: Start;
  readonly channel?: readonly string[];
  readonly port: number;
  readonly httpPort: number;
  readonly now?: boolean;
  readonly exit?: boolean;
}

/** A client that wants several channels asks for one after the other. In milliseconds. */
const GATHERING_MS = 200;

export function replayCommand(): Command {
  return makeCommand("replay", "Bring the events of a record again, on a port for clients to read")
    .argument("<FILE>", "A record, as mcp-realtime record writes it")
    .option("--speed <N>", "2 for twice as fast, 0.5 for half as fast, max for all at once", readSpeed, 1)
    .option(
      "--from <START>",
      "Begin there: 90s after the start, at seq 4711, or at 2026-01-31T12:00:00Z",
      readStart,
    )
    .option("--channel <CHANNEL>", "Only this channel, or test:* for all of a kind; may be repeated", addTo)
    .option(
      "--port <PORT>",
      "WebSocket port; 0 lets the system choose",
      (text) => readPort("--port", text),
      0,
    )
    .option(
      "--http-port <PORT>",
      "Port for HTTP and MCP; 0 as above",
      (text) => readPort("--http-port", text),
      0,
    )
    .option("--now", "Begin at once. Default: when the first client subscribes")
    .option("--exit", "End when all was brought. Default: stay, so that it can be read again, until Ctrl-C")
    .addHelpText(
      "after",
      "\nIds, times and data of events are those of the record; positions (seq, epoch) are new ones. Read it with" +
        "\nmcp-realtime tail SERVICE CHANNEL --url ADDRESS, with the address that is printed." +
        "\n\nExit codes: 0 done, or stopped; 1 error; 2 usage, also a --channel or --from that is not in it.",
    )
    .action(action(replay));
}

async function replay(file: string, flags: ReplayFlags): Promise<number> {
  const runtime = await detectRuntime();
  const clock = wakefulClock;
  const { stopped, isStopped, forget } = stopSignal(runtime);
  const hasStatus = canRedraw(process.stderr, process.env);
  const screen = new Screen(process.stderr, { hasStatus, gone: () => {} });
  try {
    const part = { from: flags.from, channels: flags.channel };
    const survey = await look(file, screen, { part, isStopped });
    if (survey === null) return EXIT_CODES.done;
    checkPart(survey, part);
    const { websocket, http } = { websocket: flags.port, http: flags.httpPort };
    const log = lineLog({ level: "warn" });
    const replayed = new ReplayServer({ survey, runtime, log, clock, ports: { websocket, http } });
    const { server } = replayed;
    await server.start();
    for (const line of announcement(server)) console.log(line);
    console.log("Stop with Ctrl-C");
    if (flags.now !== true) {
      void screen.line("Waiting for the first client to subscribe; --now begins without");
      await Promise.race([replayed.asked.then(() => pause(clock, GATHERING_MS)), stopped]);
    }
    let brought = 0;
    const quiet = hasStatus
      ? clock.every(
        PROGRESS_MS,
        () => screen.status(`${counted(brought, "event")} of ${survey.count.toLocaleString("en")}`),
      )
      : () => {};
    const record = await openRecordFile(file);
    const played = await play({
      header: record.header,
      entries: record.entries(),
      speed: flags.speed,
      ...part,
      emit(events, bytes) {
        brought += events.length;
        replayed.emit(events, bytes);
      },
      settled: () => replayed.settled(),
      clock,
      stopped,
    });
    quiet();
    screen.status("");
    void screen.line(told(played, flags));
    await (flags.exit === true ? Promise.race([replayed.read(), stopped]) : stopped);
    return await stopInTime(server);
  } catch (error) {
    if (error instanceof RecordError) throw new CommandFailure(EXIT_CODES.error, plainText(error.message));
    throw error;
  } finally {
    forget();
    screen.status("");
    await screen.flushed();
  }
}

/** Read it once, to know what is in it, and that it is whole. Null where it was stopped before. */
async function look(
  file: string,
  screen: Screen,
  options: Pick<SurveyOptions, "part" | "isStopped">,
): Promise<Survey | null> {
  const record = await openRecordFile(file);
  let lines = 0;
  const survey = await surveyRecord(record, file, {
    ...options,
    each() {
      if (++lines % 10_000 === 0) screen.status(`Reading ${plainText(file)}: ${counted(lines, "line")}`);
    },
  });
  screen.status("");
  if (survey === null) {
    void screen.line("Stopped before the record was read");
    return null;
  }
  const { header, count, gaps, lastAt, ending } = survey;
  const of = `${counted(count, "event")} of ${plainText(header.service)} in ${span(lastAt)}`;
  void screen.line(`${of}, recorded from ${header.started_at}`);
  if (ending === "cut") void screen.line("The record was cut off: it ends with its last whole line");
  if (gaps > 0) void screen.line(`The record has ${counted(gaps, "gap")}: events are missing there`);
  return survey;
}

function told({ events, isComplete }: Played, { exit }: ReplayFlags): string {
  if (!isComplete) return `Stopped after ${counted(events, "event")}`;
  return `Replayed ${counted(events, "event")}${exit ? "" : "; they can be read until Ctrl-C"}`;
}

function addTo(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...before ?? [], text];
}

/** @throws {SettingsError} where it is none. */
function readSpeed(text: string): number {
  if (text === "max") return Infinity;
  const speed = /^\d{1,6}(\.\d{1,6})?$/.test(text) ? Number(text) : NaN;
  if (speed >= 0.001 && speed <= 100_000) return speed;
  throw new SettingsError([`--speed: expected a number from 0.001 to 100000, or max, got ${quoted(text)}`]);
}

/** @throws {SettingsError} where it is none. */
function readPort(flag: string, text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new SettingsError([`${flag}: expected a port from 0 to 65535, got ${quoted(text)}`]);
}
