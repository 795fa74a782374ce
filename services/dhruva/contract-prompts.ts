/**
 * Prompts of dhruva.
 *
 * @module
 */
import type { PromptSpec } from "../../src/protocol/contract.ts";

export const prompts: Readonly<Record<string, PromptSpec>> = {
  roll_out_adapter: {
    title: "Roll an adapter out",
    description: "Look an adapter over, bring it to targets, and report what has become of each",
    arguments: {
      adapter_id: {
        description: "Adapter to roll out: domain:key:provider",
        required: true,
        channel: "adapter",
      },
      version: { description: "Version to roll out. Default: the current one" },
      targets: { description: "Targets, as a list with commas; without it you are asked" },
    },
    text(given) {
      const channel = given.channel("adapter_id");
      const adapter = `"adapter_id": ${given.json("adapter_id")}${
        given.has("version") ? `, "version": ${given.json("version")}` : ""
      }`;
      const targets = given.has("targets")
        ? `The targets are those that this list names: ${given.json("targets")}.`
        : "`get_status` with {} names those of the settings, as `targets` of its manager: ask which ones are meant; do not guess.";
      return [
        "Bring one version of an adapter to its targets and report on each.",
        `1. Call \`get_adapter\` with {${adapter}}: is it the version that is meant?`,
        `2. Call \`validate_adapter\` with {${adapter}}. Unless \`valid\` is true, stop here and report its \`errors\`.`,
        `3. ${targets} Call \`distribute_adapter\` with {${adapter}, "targets": ["TARGET"]}, once for all of them. ` +
        "DISTRIBUTION_ID below is the `distribution_id` of the answer.",
        `4. Call \`wait_for_event\` with {"channel": ${channel}, "events": ["adapter.distributed"], ` +
        '"match": {"distribution_id": "DISTRIBUTION_ID"}, "since": "start"}. Each event is about one `target`: go on with ' +
        "the `cursor` of the answer until every target has had its own.",
        '5. Call `get_distribution_status` with {"distribution_id": "DISTRIBUTION_ID"} and report of each target whether ' +
        "it has `acknowledged` the content or has `failed`, after how many attempts, and why. Failed deliveries were tried " +
        "again already: do not distribute anew unless you are asked to.",
      ].join("\n");
    },
  },
};
