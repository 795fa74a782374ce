/**
 * `publish SERVICE EVENT [DATA…]`: say that something happened, where the contract lets clients say it.
 *
 * @module
 */
import type { Command } from "commander";
import type { Contract } from "../protocol/contract.ts";
import { detectRuntime } from "../runtimes/detect.ts";
import { meantHint, nearest } from "../settings/nearest.ts";
import { quoted, SettingsError } from "../settings/settings-error.ts";
import { ask, ASK_EXIT_CODES, type AskFlags, withAskFlags } from "./answer.ts";
import { action, makeCommand } from "./command.ts";
import { aboutText, DATA_HELP, givenData, refuseUnknownFields } from "./given-data.ts";
import { reach } from "./reach/reach.ts";

const AFTER = `
${DATA_HELP}
Where the event goes follows from its data.

${ASK_EXIT_CODES}

  mcp-realtime publish mahavishnu system.announcement message="Back at noon" level=warning`;

export function publishCommand(): Command {
  const command = makeCommand("publish", "Say that something happened, where clients may say it")
    .argument("<SERVICE>", "The service whose event it is")
    .argument("<EVENT>", "The event, like system.announcement")
    .argument("[DATA...]", "Its data");
  return withAskFlags(command)
    .option("--channel <CHANNEL>", "A channel that it must go to")
    .addHelpText("after", AFTER)
    .action(action(publish));
}

async function publish(
  service: string,
  event: string,
  words: readonly string[],
  flags: AskFlags & { readonly channel?: string },
): Promise<number> {
  const reached = await reach("publish", service, flags, await detectRuntime());
  if (reached.contract) checkEvent(reached.contract, event);
  const data = await givenData("publish", words);
  const spec = reached.contract?.events[event];
  if (spec) refuseUnknownFields("publish", event, spec.published ?? spec.data, data);
  const asked = { event, data, channel: flags.channel ?? null };
  return await ask(reached, "publish", asked, flags).catch((failure) => {
    throw aboutText(failure, words);
  });
}

/** @throws {SettingsError} where clients publish no such event. */
function checkEvent({ name, events }: Contract, event: string): void {
  const known = Object.keys(events).filter((candidate) => events[candidate]?.publishable !== undefined);
  if (known.includes(event)) return;
  const hint = meantHint(nearest(event, known));
  const expected = `an event of ${name} that clients may publish (${known.join(", ")})`;
  throw new SettingsError([`publish: expected ${expected}, got ${quoted(event)}${hint}`]);
}
