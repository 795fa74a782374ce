/**
 * Prompts of akosha.
 *
 * @module
 */
import type { PromptSpec } from "../../src/protocol/contract.ts";

export const prompts: Readonly<Record<string, PromptSpec>> = {
  explain_anomalies: {
    title: "Explain anomalies",
    description:
      "Say what stands out in the figures of late, how it hangs together, and what may be behind it",
    arguments: {
      metric: { description: "Only this metric, by its name" },
    },
    text(given) {
      const of = given.has("metric") ? `"metric": ${given.json("metric")}, ` : "";
      return [
        "Explain the anomalies of late.",
        '1. Call `read_events` with {"channel": "anomalies", "max_chars": 500} and keep the ' +
        "`cursor`.",
        `2. Call \`get_anomalies\` with {${of}"limit": 20}: what stood out, by how much, and whether it goes on ` +
        "(`ended_at` is null then).",
        '3. Call `get_insights` with {"limit": 20} and `get_patterns` with {"limit": 20}. An insight names the anomalies ' +
        "and patterns that it rests on in `evidence`: begin with those that name anomalies of step 2.",
        `4. Where an anomaly needs a yardstick, call \`get_aggregations\` with {${of}"limit": 20} for the windows around ` +
        "its `observed_at`.",
        "Then say, what matters most first: what happened, when, to which source and labels, whether it goes on, and what " +
        "else moved at that time. Keep apart what the figures show, what they suggest, and what you cannot know; that two " +
        "things move together is no cause. Give the ids. Where nothing stands out, say so.",
        'To keep watching, call `wait_for_event` with {"channel": "anomalies", "events": ["anomaly.detected"], "since": ' +
        '"CURSOR"}, CURSOR being that of step 1.',
      ].join("\n");
    },
  },
};
