/**
 * A manager of mahavishnu with real processes, on a clock that tests move. See `test/support/started-manager.ts`.
 *
 * @module
 */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { vi } from "vitest";
import type { MahavishnuContract } from "../../../services/mahavishnu/contract.ts";
import type { MahavishnuManager } from "../../../services/mahavishnu/manager.ts";
import { mahavishnuService } from "../../../services/mahavishnu/server.ts";
import { lineLog } from "../../../src/ports/log.ts";
import type { Processes } from "../../../src/ports/processes.ts";
import type { JsonObject } from "../../../src/protocol/json.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import * as generic from "../../support/started-manager.ts";

/** Stages as a definition has them. */
export type Stages = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

type Generic = generic.Started<MahavishnuContract, MahavishnuManager>;

/** Stages run in `folder`; definitions are in its `workflows`, and may be written out. */
export interface Started extends Omit<Generic, "restart"> {
  /** Moves timeouts and idleness; what children do takes real time. */
  readonly clock: FakeClock;
  /** Lines of the log so far. */
  readonly log: readonly string[];
  /** All events so far. */
  told(): generic.Told[];
  /** Write a file into the folder. */
  write(path: string, text: string): Promise<void>;
  /** Run stages as a workflow of this id, written out. */
  run(id: string, stages: Stages, more?: Record<string, unknown>): Promise<void>;
  /** Wait for the end of a workflow: the data of its last event. */
  end(id: string): Promise<generic.Told["data"]>;
  /** Wait until something holds that processes bring about. */
  until(holds: () => boolean): Promise<void>;
  /** Stop in good order and start again on the same database. */
  restart(settings?: JsonObject): Promise<void>;
  /** Start anew on the same database, as if the process had been killed and its children had not. */
  takeOver(settings?: JsonObject): Promise<void>;
}

/** How long processes may take, on a busy machine. */
const PATIENCE_MS = 25_000;

/** @param tools What children are started with, where it is not the usual. */
export async function startManager(
  settings: JsonObject = {},
  tools: { readonly processes?: Processes } = {},
): Promise<Started> {
  const clock = new FakeClock();
  const log: string[] = [];
  // Read again at each start.
  let own: Record<string, JsonObject[string]> = {};
  const chosen = (folder: string, more: JsonObject) => ({
    allow_inline: true,
    working_directory: folder,
    definitions: join(folder, "workflows"),
    ...more,
  });
  const service: typeof mahavishnuService = {
    ...mahavishnuService,
    createManager: (context) => mahavishnuService.createManager({ ...context, ...tools }),
  };
  const started = await generic.startManager(service, {
    clock,
    log: lineLog({ level: "debug", write: (line) => log.push(line) }),
    settings: (folder) => own = chosen(folder, settings),
  });
  const all: generic.Told[] = [];
  const use = (next: JsonObject) => {
    for (const key of Object.keys(own)) delete own[key];
    Object.assign(own, chosen(started.folder, next));
  };
  const { restart, told, ...rest } = started;
  return {
    ...rest,
    clock,
    log,
    get manager() {
      return started.manager;
    },
    get database() {
      return started.database;
    },
    told() {
      clock.tick();
      all.push(...told());
      return all;
    },
    async write(path, text) {
      await mkdir(dirname(join(started.folder, path)), { recursive: true });
      await writeFile(join(started.folder, path), text);
    },
    async run(id, stages, more = {}) {
      const { inputs, ...definition } = more;
      await started.request("run_workflow", {
        workflow_id: id,
        inputs,
        definition: { ...definition, stages },
      });
    },
    async end(id) {
      const isIts = ({ workflow_id }: { workflow_id: string }) => workflow_id === id;
      const ends = ["workflow.completed", "workflow.failed"].map((event) => started.heard(event, isIts));
      return (await Promise.race(ends)).data;
    },
    async until(holds) {
      await vi.waitFor(() => {
        if (!holds()) throw new Error(`Expected it to hold by now; the log says: ${log.join("\n")}`);
      }, { timeout: PATIENCE_MS, interval: 5 });
    },
    async restart(next = settings) {
      use(next);
      await restart("orderly");
    },
    async takeOver(next = settings) {
      use(next);
      await restart();
    },
  };
}
