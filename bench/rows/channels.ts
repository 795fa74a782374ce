/**
 * What a publish to a channel of one member costs while 50,000 other channels have one each, and while none has.
 *
 * @module
 */
import { Fielded } from "../fielded.ts";
import { type Figures, figuresOf } from "../results.ts";
import { type Suite, titleOf } from "../suite.ts";

const OTHERS = 50_000;
/** Each may be in so many channels. */
const PER_CONNECTION = 125;
const MEASURED_MS = 1_500;

export const LONELY_ROW = "publish to a channel of 1, no other channels";
export const CROWDED_ROW = `publish to a channel of 1, ${OTHERS.toLocaleString("en")} others`;

export const channels: Suite = {
  name: "channels",
  async run(effort, results) {
    if (effort.rows && ![LONELY_ROW, CROWDED_ROW].some((row) => effort.rows!.has(row))) return;
    const field = { channel: "room:here", subscribers: 1, publishers: 1 };
    const lonely = await Fielded.start("node", field);
    const crowded = await Fielded.start("node", field);
    try {
      await crowded.order("crowd", {
        connections: OTHERS / PER_CONNECTION,
        channels: PER_CONNECTION,
        kind: "room",
      });
      for (let round = -1; round < effort.rounds; round++) {
        for (const [row, fielded] of [[LONELY_ROW, lonely], [CROWDED_ROW, crowded]] as const) {
          const figures = await measure(fielded);
          if (round >= 0) results.add(row, titleOf("node"), figures);
        }
      }
    } finally {
      await Promise.all([lonely.stop(), crowded.stop()]);
    }
  },
};

async function measure(fielded: Fielded): Promise<Figures> {
  const told = await fielded.order("publish", { window: 16, ms: MEASURED_MS });
  return figuresOf(told.events, told);
}
