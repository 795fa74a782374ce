/**
 * `request SERVICE NAME [DATA…]`: ask a service for something, and print its answer.
 *
 * @module
 */
import type { Command } from "commander";
import type { Contract } from "../protocol/contract.ts";
import { SERVICE_REQUEST_NAMES } from "../protocol/common-requests.ts";
import { detectRuntime } from "../runtimes/detect.ts";
import { meantHint, nearest } from "../settings/nearest.ts";
import { quoted, SettingsError } from "../settings/settings-error.ts";
import { ask, ASK_EXIT_CODES, type AskFlags, withAskFlags } from "./answer.ts";
import { action, makeCommand } from "./command.ts";
import { aboutText, DATA_HELP, givenData, refuseUnknownFields } from "./given-data.ts";
import { reach } from "./reach/reach.ts";

const AFTER = `
${DATA_HELP}
Requests of each service stand in docs/{service}.md; get_status, get_history, get_presence and ping are everybody's.

${ASK_EXIT_CODES}

  mcp-realtime request crackerjack run_tests project=sums
  mcp-realtime request crackerjack list_runs limit:=5 --json`;

export function requestCommand(): Command {
  const command = makeCommand("request", "Ask a service for something, and print its answer")
    .argument("<SERVICE>", "The service that is asked")
    .argument("<NAME>", "The request, like get_status")
    .argument("[DATA...]", "What it takes");
  return withAskFlags(command).addHelpText("after", AFTER).action(action(request));
}

async function request(
  service: string,
  name: string,
  words: readonly string[],
  flags: AskFlags,
): Promise<number> {
  const reached = await reach("request", service, flags, await detectRuntime());
  if (reached.contract) checkName(reached.contract, name);
  const data = await givenData("request", words);
  const input = reached.contract?.requests[name]?.input;
  if (input) refuseUnknownFields("request", name, input, data);
  return await ask(reached, name, data, flags).catch((failure) => {
    throw aboutText(failure, words);
  });
}

/** @throws {SettingsError} where the service has no such request. */
function checkName({ name: service, requests }: Contract, name: string): void {
  const known = [...Object.keys(requests), ...SERVICE_REQUEST_NAMES, "ping"];
  if (known.includes(name)) return;
  const hint = meantHint(nearest(name, known), `: ${known.join(", ")}`);
  throw new SettingsError([`request: expected a request of ${service}, got ${quoted(name)}${hint}`]);
}
