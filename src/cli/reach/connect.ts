/**
 * A client of a service for the length of a command, and what it means where that does not work.
 *
 * @module
 */
import { ClientError, RequestError } from "../../client/mod.ts";
import { type Client, createClient } from "../../client/node.ts";
import { EXIT_CODES } from "../../server/exit-codes.ts";
import { SettingsError } from "../../settings/settings-error.ts";
import { CommandFailure } from "../command.ts";
import { isDistrust } from "../mcp/ask.ts";
import { plainText } from "../terminal/plain-text.ts";
import type { Reached } from "./reach.ts";
import { trustingSocket } from "./trust.ts";

/** What a person is told while a command goes on. */
export interface Notes {
  /** The connection is lost, and is being made again. */
  readonly lost: () => void;
  readonly back: () => void;
  readonly said: (sentence: string) => void;
}

export interface Connected {
  readonly client: Client;
  /** Resolves with the first connection. */
  readonly opened: Promise<void>;
  /** Rejects where there will be no connection, or none any more: with a `CommandFailure`. */
  readonly failed: Promise<never>;
}

const SILENT: Notes = { lost() {}, back() {}, said() {} };

/**
 * Connect. The first connection must succeed at once; one that is lost later is made again for as long as it takes.
 */
export async function connect(reached: Reached, notes: Notes = SILENT): Promise<Connected> {
  const { name, url, credentials } = reached;
  const WebSocket = await trustingSocket(reached);
  let wasOpen = false;
  let opened: () => void = () => {};
  let fail: (error: Error) => void = () => {};
  const first = new Promise<void>((resolve) => opened = resolve);
  const failed = new Promise<never>((_, reject) => fail = reject);
  // Whoever has what they wanted does not look.
  failed.catch(() => {});
  const client = createClient({
    url,
    ...(WebSocket ? { WebSocket } : {}),
    token: () => credentials.token(),
    // Nobody else is waiting for it.
    timeoutMs: 0,
    onState(state, error) {
      if (state === "open") {
        if (wasOpen) notes.back();
        wasOpen = true;
        opened();
      } else if (state === "connecting") notes.lost();
      else if (error) fail(failureOf(error, reached));
    },
    onError(error) {
      if (error instanceof RequestError && isRefusal(error)) fail(failureOf(error, reached));
      else if (error instanceof SettingsError) fail(error);
      else if (wasOpen) notes.said(plainText(error instanceof Error ? error.message : String(error)));
      else fail(unreachable(name, url, error));
    },
  });
  return { client, opened: first, failed };
}

const REFUSALS: ReadonlySet<string> = new Set(["AUTH_REQUIRED", "AUTH_FAILED", "FORBIDDEN"]);

function isRefusal({ code }: RequestError): boolean {
  return REFUSALS.has(code);
}

/** Why a request or a subscription came to nothing, with the exit code that belongs to it. */
export function failureOf(error: Error, { name, credentials }: Pick<Reached, "name" | "credentials">): Error {
  if (error instanceof RequestError) {
    const sentence = plainText(`${error.code}: ${error.message}`);
    if (!isRefusal(error)) return new CommandFailure(EXIT_CODES.error, sentence);
    return new CommandFailure(EXIT_CODES.notAuthorized, `${sentence}; ${credentials.advice}`);
  }
  if (!(error instanceof ClientError)) return error;
  const code = error.reason === "timeout" ? EXIT_CODES.timeout : EXIT_CODES.error;
  const who = error.reason === "timeout" ? `${name}: ` : "";
  return new CommandFailure(code, plainText(`${who}${error.message}`));
}

function unreachable(name: string, url: string, error: unknown): CommandFailure {
  const said = error instanceof Error ? error.message : String(error);
  const cause = said.replace(`Cannot connect to ${url}`, "").replace(/; trying again$/, "").replace(
    /^: /,
    "",
  );
  const advice = isDistrust(new Error(cause))
    ? "name its certificate, or that of whoever issued it, in NODE_EXTRA_CA_CERTS, on Deno DENO_CERT"
    : `start it (mcp-realtime serve ${name}), or say where it runs (--url)`;
  const sentence = `Cannot reach ${name} at ${url}${cause && `: ${cause}`}; ${advice}`;
  return new CommandFailure(EXIT_CODES.error, plainText(sentence));
}

/**
 * Do some work with a client, and end its connection whatever comes of it.
 *
 * @throws {CommandFailure} where it does not come to its end.
 */
export async function withClient<Result>(
  reached: Reached,
  work: (client: Client) => Promise<Result>,
): Promise<Result> {
  const { client, failed } = await connect(reached);
  try {
    return await Promise.race([work(client), failed]);
  } catch (error) {
    // Why the connection has ended tells more than that it has.
    if (error instanceof ClientError && error.reason === "closed") await Promise.race([failed, null]);
    throw failureOf(error as Error, reached);
  } finally {
    client.close();
  }
}
