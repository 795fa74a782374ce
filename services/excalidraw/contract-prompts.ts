/**
 * Prompts of excalidraw.
 *
 * @module
 */
import type { PromptSpec } from "../../src/protocol/contract.ts";

export const prompts: Readonly<Record<string, PromptSpec>> = {
  describe_diagram: {
    title: "Describe a diagram",
    description: "Say in words what a diagram shows, and how it changes while others draw",
    arguments: {
      diagram_id: { description: "Diagram to describe", required: true, channel: "diagram" },
    },
    text(given) {
      const id = given.json("diagram_id");
      const channel = given.channel("diagram_id");
      const presence = given.channel("diagram_id", "presence");
      return [
        "Describe one diagram to somebody who cannot see it. Change nothing.",
        `1. Call \`read_events\` with {"channel": ${channel}, "max_chars": 500} and keep the \`cursor\`.`,
        `2. Call \`get_diagram\` with {"diagram_id": ${id}}. A text belongs to the shape that its containerId names; an ` +
        "arrow leads from the element of its startBinding to that of its endBinding. Elements lie from the back to the front.",
        "3. Say what kind of diagram it is and what it is about; then its parts and how they hang together, in the order " +
        "in which one would read it, by their texts and not by coordinates or ids. Say what is unclear, such as an arrow " +
        "that leads nowhere.",
        "To tell how it changes, call `wait_for_event` with " +
        `{"channel": ${channel}, "events": ["diagram.updated"], "since": "CURSOR"}, CURSOR being that ` +
        "of step 1: the event holds whole elements, those that are gone with isDeleted. What is older than what you have " +
        "described, by its `version`, is no news. " +
        `\`get_presence\` with {"channel": ${presence}} says who is in the diagram.`,
      ].join("\n");
    },
  },
};
