import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ExcalidrawWebSocketServer } from "../../../services/excalidraw/mod.ts";
import { type RunningService, startService } from "../../suite/running-service.ts";
import { FrameClient, type Received } from "../../support/frame-client.ts";
import {
  type Board,
  type Canvas,
  type DrawnElement,
  Editor,
  EDITORS,
  Nonces,
  play,
  type Step,
  story,
} from "./editor.ts";
import { type Started, startManager } from "./started-manager.ts";

let started: Started;
let running: RunningService;
beforeAll(async () => {
  started = await startManager();
  running = await startService({ name: "excalidraw", Server: ExcalidrawWebSocketServer }, {
    websocket: { message_rate_limit: 0 },
    // So few that who comes back is often too late for a replay.
    history: { events: 2 },
  });
}, 60_000);
afterAll(() => Promise.all([started.stop(), running.stop()]));

function managedBoard(): Board {
  const { manager } = started;
  const { diagram_id } = manager.createDiagram({});
  const told: DrawnElement[][] = [];
  started.told();
  return {
    told,
    update(elements) {
      manager.updateDiagram({ diagram_id, elements: elements as never });
      for (const { event, data } of started.told()) if (event === "diagram.updated") told.push(data.elements);
    },
    snapshot: () => manager.snapshot("diagram", diagram_id)!.elements as unknown as DrawnElement[],
  };
}

test("editors and the database end with the same diagram, whatever they do in whatever order", () => {
  fc.assert(
    fc.property(story(40), (steps) => {
      const [first, ...others] = play(steps, managedBoard());
      for (const canvas of others) expect(canvas).toEqual(first);
    }),
    { numRuns: 200 },
  );
}, 120_000);

const step = (editor: number, action: Step["action"]): Step => ({ editor, action, element: 0 });

/** One editor is away for more updates than are kept, another for one. */
const COMING_BACK: readonly Step[] = [
  step(0, "leave"),
  ...Array.from({ length: 8 }, (_, index) => step(1, index % 2 ? "send" : "draw")),
  step(0, "return"),
  step(2, "hear"),
  step(2, "leave"),
  step(1, "delete"),
  step(1, "send"),
  step(2, "return"),
];

/** What editors have heard in all. */
const told = { gaps: 0, updates: 0, replays: 0 };

/** An editor with a connection that it may lose; it sends events or requests, as it likes. */
class ConnectedEditor {
  readonly editor: Editor;
  readonly #channel: string;
  readonly #asEvents: boolean;
  #client: FrameClient | null = null;
  #position: { epoch: string; seq: number } | null = null;
  #heard = 0;
  #isReplayed = false;
  /** True where the past was let go of while it was replayed. */
  hasMissed = false;

  constructor(name: string, nonces: Nonces, diagramId: string, asEvents: boolean) {
    this.editor = new Editor(name, nonces);
    this.#channel = `diagram:${diagramId}`;
    this.#asEvents = asEvents;
  }

  async connect(fresh: boolean): Promise<void> {
    if (this.#client) return;
    this.#client = await FrameClient.open(running.url);
    this.#heard = 0;
    const since = fresh || this.hasMissed || !this.#position ? {} : { since: this.#position };
    const { data } = await this.#client.request("subscribe", { channel: this.#channel, ...since });
    expect(data.status).toBe("subscribed");
    if (data.snapshot) this.editor.hear(data.snapshot.elements);
    this.#isReplayed = data.recovered === true;
    if (this.#isReplayed) told.replays++;
    this.hasMissed = false;
    // Where it resumes, it has heard all only when the replay has come.
    if (data.recovered !== true) this.#position = { epoch: data.epoch, seq: data.seq };
  }

  async disconnect(): Promise<void> {
    this.hear();
    await this.#client?.close();
    this.#client = null;
  }

  async send(): Promise<void> {
    if (!this.#client) return;
    const elements = this.editor.takeUnsent();
    if (elements.length === 0) return;
    const diagram_id = this.#channel.slice("diagram:".length);
    const id = crypto.randomUUID();
    this.#client.send(
      this.#asEvents
        ? { type: "event", event: "diagram.updated", id, data: { diagram_id, elements } }
        : { type: "request", event: "update_diagram", id, data: { diagram_id, elements } },
    );
    const answer = await this.#client.frame((frame) => frame.correlation_id === id);
    expect(answer.error_message).toBe(null);
  }

  /** Take what has come. */
  hear(): void {
    const events: Received[] = this.#client?.events(this.#channel) ?? [];
    for (const { data, epoch, seq, event } of events.slice(this.#heard)) {
      if (event === "gap") {
        told.gaps++;
        this.hasMissed ||= this.#isReplayed;
        continue;
      }
      told.updates++;
      expect(event).toBe("diagram.updated");
      this.editor.hear(data.elements);
      this.#position = { epoch, seq };
    }
    this.#heard = events.length;
  }
}

test(
  "connected editors end with the same diagram, over lost connections, replays and snapshots",
  async () => {
    await fc.assert(
      fc.asyncProperty(story(40), async (steps) => {
        const { diagram_id } = await running.request({ name: "create_diagram", data: {} }) as {
          diagram_id: string;
        };
        const nonces = new Nonces(steps.length);
        const editors = Array.from({ length: EDITORS }, (_, index) => {
          return new ConnectedEditor(`editor ${index}`, nonces, diagram_id, index % 2 === 0);
        });
        await Promise.all(editors.map((editor) => editor.connect(true)));
        try {
          for (const { editor: index, action, element } of steps) {
            const one = editors[index]!;
            if (action === "draw" || action === "delete") {
              one.editor.change(`e${element}`, index, action === "delete");
            } else if (action === "leave") await one.disconnect();
            else if (action === "return" || action === "return afresh") {
              await one.connect(action === "return afresh");
            } else if (action === "send") await one.send();
            else one.hear();
          }
          for (const one of editors) await one.connect(false);
          for (const one of editors) await one.send();
          const { elements } = await running.request({
            name: "get_diagram",
            data: { diagram_id, include_deleted: true },
          }) as { elements: DrawnElement[] };
          const kept: Canvas = Object.fromEntries(elements.map((element) => [element.id, element]));
          for (const one of editors) {
            await expect.poll(async () => {
              one.hear();
              if (one.hasMissed) await one.disconnect();
              await one.connect(false);
              return one.editor.canvas;
            }, { timeout: 20_000, interval: 5 }).toEqual(kept);
          }
        } finally {
          await Promise.all(editors.map((one) => one.disconnect()));
        }
      }),
      { numRuns: 40, endOnFailure: true, examples: [[COMING_BACK]] },
    );
    // It was really about all of it.
    expect(Math.min(told.gaps, told.replays, told.updates)).toBeGreaterThan(0);
  },
  300_000,
);
