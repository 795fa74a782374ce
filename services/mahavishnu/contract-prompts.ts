/**
 * Prompts of mahavishnu.
 *
 * @module
 */
import type { PromptSpec, PromptValues } from "../../src/protocol/contract.ts";

export const prompts: Readonly<Record<string, PromptSpec>> = {
  watch_workflow: {
    title: "Watch a workflow",
    description: "Run a workflow, or follow one that goes on, and report how its stages ended",
    arguments: {
      definition: { description: "Name of the definition to run; not needed with workflow_id" },
      workflow_id: { description: "Workflow to follow, in place of running one", channel: "workflow" },
    },
    text(given) {
      const channel = channelOf(given);
      const id = idOf(given);
      return [
        "Take one workflow to its end and report on it.",
        begin(given),
        `2. Call \`wait_for_event\` with {"channel": ${channel}, "events": ["workflow.completed", ` +
        '"workflow.failed"], "since": "start", "timeout": 45}. With that `since` nothing is missed, even where it has ended already. To ' +
        "tell of each stage as it ends, wait for `workflow.stage_completed` too.",
        "3. Either event has the `result` of each stage. Where a stage has not ended well and its `output_tail` does not " +
        `say why, call \`get_stage_output\` with {"workflow_id": ${id}, "stage_name": "STAGE_NAME"}.`,
        "4. Report how the workflow ended and how long it took, and of its stages those that did not end well: the exit " +
        "code or signal, how often they were tried, and what their output says of the cause. Run nothing again, and " +
        "cancel nothing, unless you are asked to.",
      ].join("\n");
    },
  },
};

function begin(given: PromptValues): string {
  if (given.has("workflow_id")) return `1. The workflow has the id ${given.json("workflow_id")}.`;
  const start = given.has("definition")
    ? `1. Call \`run_workflow\` with {"definition": ${
      given.json("definition")
    }}. Where it wants \`inputs\` that you were ` +
      "not given, ask for them; `list_definitions` says what definitions there are and what is wrong with them."
    : '1. Find the workflow: call `list_workflows` with {"limit": 10} and take the newest that has not ended. Where there ' +
      "is none, call `list_definitions` with {} and ask which one to run; do not guess.";
  return `${start} WORKFLOW_ID below is the \`workflow_id\` of the answer.`;
}

function channelOf(given: PromptValues): string {
  return given.has("workflow_id") ? given.channel("workflow_id") : '"workflow:WORKFLOW_ID"';
}

function idOf(given: PromptValues): string {
  return given.has("workflow_id") ? given.json("workflow_id") : '"WORKFLOW_ID"';
}
