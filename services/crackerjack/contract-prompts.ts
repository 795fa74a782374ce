/**
 * Prompts of crackerjack.
 *
 * @module
 */
import type { PromptSpec, PromptValues } from "../../src/protocol/contract.ts";

export const prompts: Readonly<Record<string, PromptSpec>> = {
  watch_test_run: {
    title: "Watch a test run",
    description:
      "Start a run of a project's tests, or follow one that goes on, and report what failed and why",
    arguments: {
      project: { description: "Project whose tests are to be run; not needed with run_id" },
      run_id: { description: "Run to follow, in place of starting one", channel: "test" },
      filter: { description: "Run only tests whose names fit, in the way of the project's runner" },
    },
    text(given) {
      const channel = channelOf(given);
      const id = idOf(given);
      return [
        "Take one run of tests to its end and report on it.",
        begin(given),
        `2. Call \`wait_for_event\` with {"channel": ${channel}, "events": ["test.completed"], "since": "start", "timeout": 45}. ` +
        "With that `since` nothing is missed, even where the run has ended already. Do not ask for its status again and " +
        "again instead. To tell of failures while the run goes on, wait for `test.failed` too.",
        `3. Once it has ended call \`get_test_status\` with {"run_id": ${id}}: it holds the counts, the first ` +
        "failures, and the end of the output. A run with more failures than it shows has told the others as " +
        `\`test.failed\`: call \`read_events\` with {"channel": ${channel}, "events": ["test.failed"], ` +
        '"since": "start"}.',
        "4. Report the `outcome`, how many tests passed, failed and were skipped, how long it took, and each failure with " +
        "its test, its file and its error; put failures of one cause together and say what the cause seems to be. Where " +
        "the run has `crashed`, no test is to blame: say what `error` and `output_tail` tell.",
      ].join("\n");
    },
  },
};

function begin(given: PromptValues): string {
  if (given.has("run_id")) return `1. The run has the id ${given.json("run_id")}.`;
  const filter = given.has("filter") ? `, "filter": ${given.json("filter")}` : "";
  const start = given.has("project")
    ? `1. Call \`run_tests\` with {"project": ${given.json("project")}${filter}}.`
    : '1. Find the run: call `list_runs` with {"limit": 10} and take the newest that is `queued` or `running`. Where none ' +
      "is, ask which project to test; do not guess.";
  return `${start} RUN_ID below is the \`run_id\` of the answer.`;
}

function channelOf(given: PromptValues): string {
  return given.has("run_id") ? given.channel("run_id") : '"test:RUN_ID"';
}

function idOf(given: PromptValues): string {
  return given.has("run_id") ? given.json("run_id") : '"RUN_ID"';
}
