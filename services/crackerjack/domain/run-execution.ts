/**
 * One run as it is carried out: the child process, what is heard of it, and how it ended.
 *
 * @module
 */
import type { Cancel, Clock } from "../../../src/ports/clock.ts";
import type { Files } from "../../../src/ports/files.ts";
import type { Log } from "../../../src/ports/log.ts";
import type { Child, ChildEnd, Processes, ProcessMark } from "../../../src/ports/processes.ts";
import type { Workspace } from "../../../src/ports/workspace.ts";
import { readEventLine } from "./event-lines.ts";
import { followEvents } from "./event-tail.ts";
import { OutputTail } from "./output-tail.ts";
import { findProject } from "./project-paths.ts";
import { readRunReport } from "./run-report.ts";
import { NODE_REPORTER } from "./reporter-node.ts";
import { PYTEST_MODULE, PYTEST_PLUGIN } from "./reporter-pytest.ts";
import { VITEST_REPORTER } from "./reporter-vitest.ts";
import { runEnvironment } from "./run-environment.ts";
import { withReporter } from "./run-plan.ts";
import { RunTally } from "./run-tally.ts";
import type { Counts, Run, RunEnd } from "./runs.ts";
import type { ProjectSettings, Runner } from "./settings.ts";
import { looksLikeTap, TapReader } from "./tap.ts";
import type { Failure } from "./test-sink.ts";

/** How long a child may take to end by itself when it is told to. */
const STOP_GRACE_MS = 2_000;
const SNIFF_BYTES = 1_024;

export interface ExecutionParts {
  readonly clock: Clock;
  readonly files: Files;
  readonly log: Log;
  readonly processes: Processes;
  readonly workspace: Workspace;
  readonly roots: readonly string[];
  readonly reportBytes: number;
  readonly failuresPerRun: number;
  /** To be stored, so that nothing is left behind if this process dies. */
  readonly onMark: (mark: ProcessMark | null, folder: string) => void;
  readonly onProgress: (counts: Counts, failures: readonly Failure[]) => void;
}

export interface Executed {
  readonly end: RunEnd;
  /** Files that are older than this were there before; null where the run was never started. */
  readonly since: number | null;
}

export class RunExecution {
  readonly #parts: ExecutionParts;
  readonly #run: Run;
  readonly #project: ProjectSettings;
  readonly #tally: RunTally;
  readonly #output = new OutputTail();
  #tap: TapReader | null = null;
  #head: Uint8Array[] | null = [];
  #child: Child | null = null;
  #stop: { readonly outcome: "cancelled" | "crashed"; readonly error: string | null } | null = null;
  #fault: string | null = null;

  constructor(parts: ExecutionParts, run: Run, project: ProjectSettings) {
    this.#parts = parts;
    this.#run = run;
    this.#project = project;
    this.#tally = new RunTally(parts.failuresPerRun);
    if (this.#runner === "tap") this.#tap = new TapReader(this.#tally, parts.reportBytes);
    // Only a command that we know nothing of may turn out to speak TAP.
    if (this.#runner !== "command" || project.junit !== undefined) this.#head = null;
  }

  /** End it and all that it has started. The first reason counts. */
  cancel(error: string | null = null, outcome: "cancelled" | "crashed" = "cancelled"): void {
    this.#stop ??= { outcome, error };
    void this.#child?.stop(STOP_GRACE_MS);
  }

  /** Carry it out. Never rejects. */
  async execute(): Promise<Executed> {
    const { clock, log, workspace } = this.#parts;
    const started = clock.monotonic();
    let folder: string | null = null;
    let since: number | null = null;
    let ended: ChildEnd | null = null;
    let timer: Cancel = () => {};
    try {
      folder = await workspace.makeTemporaryFolder("mcp-realtime-run-");
      this.#parts.onMark(null, folder);
      const place = await findProject(this.#parts, this.#run.project, this.#project.path, this.#parts.roots);
      const paths = await this.#prepare(folder);
      since = (await workspace.facts(paths.events))?.modifiedMs ?? null;
      if (!this.#stop) {
        timer = clock.after(
          this.#project.timeout_seconds * 1_000,
          () =>
            this.cancel(
              `The run took longer than ${this.#project.timeout_seconds} seconds and was ended`,
              "crashed",
            ),
        );
        ended = await this.#follow(place.folder, folder, paths);
        await this.#readReports(place.folder, paths.junit, since ?? 0);
      }
    } catch (error) {
      this.#fault ??= error instanceof Error ? error.message : String(error);
    } finally {
      timer();
      await this.#child?.stop(STOP_GRACE_MS);
      if (folder !== null) {
        await workspace.remove(folder).catch((error) => log.warn("A run's folder is left behind", { error }));
      }
    }
    this.#progress();
    const duration = Math.round(clock.monotonic() - started) / 1_000;
    return { end: this.#endOf(ended, duration), since };
  }

  get #runner(): Runner {
    return this.#run.test_suite as Runner;
  }

  async #prepare(folder: string) {
    const { workspace } = this.#parts;
    const paths = {
      events: `${folder}/events.ndjson`,
      junit: `${folder}/junit.xml`,
      reporter: `${folder}/reporter.mjs`,
    };
    if (this.#runner === "vitest") await workspace.write(paths.reporter, VITEST_REPORTER);
    if (this.#runner === "node") await workspace.write(paths.reporter, NODE_REPORTER);
    if (this.#runner === "pytest") await workspace.write(`${folder}/${PYTEST_MODULE}.py`, PYTEST_PLUGIN);
    await workspace.write(paths.events, "");
    return paths;
  }

  async #follow(
    place: string,
    folder: string,
    paths: { readonly events: string; readonly reporter: string; readonly junit: string },
  ): Promise<ChildEnd> {
    const { processes, workspace } = this.#parts;
    const plan = { runner: this.#runner, command: this.#run.command };
    const [program = "", ...args] = withReporter(plan, paths, PYTEST_MODULE);
    const announced = processes.announce();
    this.#parts.onMark(announced, folder);
    const child = await processes.start(program, args, {
      folder: place,
      announced,
      environment: runEnvironment(workspace, this.#project.environment, folder, paths.events),
      onOutput: (stream, bytes) => this.#hear(stream, bytes),
    });
    this.#child = child;
    this.#parts.onMark(child.mark, folder);
    // A cancel that came while it was being started had nothing to end.
    if (this.#stop) void child.stop(STOP_GRACE_MS);
    const tail = followEvents(
      this.#parts,
      paths.events,
      (line) => readEventLine(line, this.#tally),
      () => this.#progress(),
    );
    const ended = await child.ended;
    // Whoever the child has left behind may still write; first they go.
    await child.stop(STOP_GRACE_MS);
    this.#fault ??= await tail.finish();
    return ended;
  }

  async #readReports(place: string, junit: string, since: number): Promise<void> {
    if (this.#head) this.#sniff(true);
    if (this.#tap) this.#fault ??= this.#tap.finish();
    else {
      this.#fault ??= await readRunReport(this.#parts, {
        runner: this.#runner,
        folder: place,
        own: junit,
        configured: this.#project.junit,
        since,
        sink: this.#tally,
      });
    }
  }

  #hear(stream: "stdout" | "stderr", bytes: Uint8Array): void {
    this.#output.push(bytes);
    if (stream !== "stdout") return;
    if (this.#head) {
      this.#head.push(bytes.slice());
      this.#sniff(false);
    } else if (this.#tap) {
      this.#tap.push(bytes);
      this.#progress();
    }
  }

  /** Look whether the head of the output is TAP; wait for more of it unless this is all. */
  #sniff(isAll: boolean): void {
    const head = this.#head ?? [];
    const size = head.reduce((sum, { byteLength }) => sum + byteLength, 0);
    const decoder = new TextDecoder();
    const text = head.map((bytes) => decoder.decode(bytes, { stream: true })).join("").slice(0, SNIFF_BYTES);
    const isTap = looksLikeTap(text);
    if (!isTap && !isAll && size < SNIFF_BYTES) return;
    this.#head = null;
    if (!isTap) return;
    this.#tap = new TapReader(this.#tally, this.#parts.reportBytes);
    for (const bytes of head) this.#tap.push(bytes);
    this.#progress();
  }

  #progress(): void {
    const failures = this.#tally.news();
    if (failures === null) return;
    try {
      this.#parts.onProgress(this.#tally.counts, failures);
    } catch (error) {
      this.#parts.log.error("A run's progress could not be stored", { run_id: this.#run.run_id, error });
      this.cancel("Its progress could not be stored: see the log", "crashed");
    }
  }

  #endOf(ended: ChildEnd | null, duration_seconds: number): RunEnd {
    const { counts, isFinished } = this.#tally;
    const facts = {
      ...counts,
      exit_code: ended?.code ?? null,
      signal: ended?.signal ?? null,
      output_tail: this.#output.text,
      duration_seconds,
    };
    const crashed = (error: string): RunEnd => ({ ...facts, outcome: "crashed", error });
    if (this.#stop) return { ...facts, outcome: this.#stop.outcome, error: this.#stop.error };
    if (!ended) return crashed(this.#fault ?? "It could not be started");
    if (ended.signal !== null) return crashed(`It was ended by ${ended.signal}`);
    if (this.#fault !== null) return crashed(this.#fault);
    const isHeard = this.#runner === "command" && this.#tap === null ? true : isFinished;
    if (!isHeard) return crashed(`It exited with code ${ended.code} before its results came to their end`);
    const isGood = ended.code === 0 && counts.failed === 0;
    const error = !isGood && counts.failed === 0
      ? `It exited with code ${ended.code} without a failed test`
      : null;
    return { ...facts, outcome: isGood ? "passed" : "failed", error };
  }
}
