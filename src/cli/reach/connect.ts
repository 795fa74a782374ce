/**
 * A client of a service for the length of a command, and what it means where that does not work.
 *
 * @module
 */
import { ClientError, RequestError } from "../../client/mod.ts";
import { type Client, createClient } from "../../client/node.ts";
import { wakefulClock } from "../../ports/clock.ts";
import { EXIT_CODES } from "../../server/exit-codes.ts";
import { SettingsError } from "../../settings/settings-error.ts";
import { CommandFailure } from "../command.ts";
import { isDistrust, isOtherProtocol } from "../mcp/ask.ts";
import { plainText } from "../terminal/plain-text.ts";
import { FRAME_JSON } from "./frame-json.ts";
import type { Reached } from "./reach.ts";
import { type Notes, Standing } from "./standing.ts";
import { trustingSocket } from "./trust.ts";

export type { Notes } from "./standing.ts";

export interface Connected {
  readonly client: Client;
  /** Resolves with the first connection. */
  readonly opened: Promise<void>;
  /** Rejects where there will be no connection, or none any more: with a `CommandFailure`. */
  readonly failed: Promise<never>;
  /** Resolves when the server has said which service it is. Not every server does. */
  readonly greeted: Promise<void>;
}

const SILENT: Notes = { lost() {}, back() {}, said() {} };

/**
 * Connect. The first connection must succeed at once; one that is lost later is made again for as long as it takes. A
 * server that says that it is another service than the one that is meant is left.
 *
 * @throws {CommandFailure} where the service takes no WebSockets.
 */
export async function connect(reached: Reached, notes: Notes = SILENT): Promise<Connected> {
  const { name, address, contract, credentials } = reached;
  if (reached.isWebSocketOff) throw new CommandFailure(EXIT_CODES.error, withoutWebSocket(reached));
  const WebSocket = await trustingSocket(reached);
  let wasOpen = false;
  let opened: () => void = () => {};
  let greeted: () => void = () => {};
  let fail: (error: Error) => void = () => {};
  const first = new Promise<void>((resolve) => opened = resolve);
  const greeting = new Promise<void>((resolve) => greeted = resolve);
  const failed = new Promise<never>((_, reject) => fail = reject);
  // Whoever has what they wanted does not look.
  failed.catch(() => {});
  const standing = new Standing(notes, wakefulClock);
  const client = createClient({
    url: address,
    ...(WebSocket ? { WebSocket } : {}),
    token: () => credentials.token(),
    json: FRAME_JSON,
    // Nobody else is waiting for it.
    timeoutMs: 0,
    onState(state, error) {
      if (state === "open") {
        standing.opened();
        wasOpen = true;
        opened();
      } else if (state === "connecting") standing.lost(error);
      else {
        standing.close();
        if (error) fail(failureOf(error, reached));
      }
    },
    onError(error) {
      if (error instanceof RequestError && isRefusal(error)) fail(failureOf(error, reached));
      else if (error instanceof SettingsError) fail(error);
      else if (wasOpen) standing.said(error instanceof Error ? error.message : String(error));
      else fail(unreachable(reached, error));
    },
    onWelcome({ server }) {
      // One of your own may have any name here.
      if (contract === null || typeof server !== "string" || server === name) return greeted();
      fail(mistaken(reached, server));
      client.close();
    },
  });
  return { client, opened: first, failed, greeted: greeting };
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

function withoutWebSocket({ name, http }: Reached): string {
  return `Cannot reach ${name} by WebSocket: its settings switch that off (websocket.enabled is false); switch it on, or ` +
    `ask over HTTP, at ${http}`;
}

function mistaken({ name, url }: Reached, server: string): CommandFailure {
  const who = plainText(server.slice(0, MOST_NAME_CHARACTERS));
  const sentence =
    `Cannot reach ${name} at ${url}: ${who} answers there; name that service, or the address of ${name}`;
  return new CommandFailure(EXIT_CODES.error, sentence);
}

const MOST_NAME_CHARACTERS = 60;

function unreachable(reached: Reached, error: unknown): CommandFailure {
  const { name, url, address } = reached;
  const said = error instanceof Error ? error.message : String(error);
  const cause = said.replace(/^Cannot connect to \S+?(?=: |; |$)/, "").replace(/; trying again$/, "").replace(
    /^: /,
    "",
  ).replaceAll(address, url);
  const told = isOtherProtocol(new Error(cause)) ? NO_TLS : cause;
  const sentence = `Cannot reach ${name} at ${url}${told && `: ${told}`}; ${adviceFor(cause, reached)}`;
  return new CommandFailure(EXIT_CODES.error, plainText(sentence));
}

export const NO_TLS = "what answers there does not speak TLS";

function adviceFor(cause: string, { name }: Reached): string {
  if (isDistrust(new Error(cause))) {
    return "name its certificate, or that of whoever issued it, in NODE_EXTRA_CA_CERTS, on Deno DENO_CERT";
  }
  if (isOtherProtocol(new Error(cause))) return "use ws:// or http://, or switch TLS on there";
  // An answer to the upgrade: somebody is there.
  if (/\bserver response: \d{3}\b/.test(cause)) {
    return "there is no WebSocket to be had there: see its setting websocket.enabled, or name another address (--url)";
  }
  return `start it (mcp-realtime serve ${name}), or say where it runs (--url)`;
}

/** The answer to a question that means nothing comes after the greeting, where there is one. */
async function answered(client: Client, timeoutMs: number): Promise<void> {
  try {
    await client.request("ping", {}, { timeoutMs });
  } catch (error) {
    if (!(error instanceof ClientError)) return;
    if (error.reason !== "timeout") throw error;
    throw new ClientError("timeout", `No answer in ${timeoutMs} ms`);
  }
}

/**
 * Do some work with a client, and end its connection whatever comes of it. The work begins when it is known that the
 * server is the service that is meant, as far as servers say.
 *
 * @param timeoutMs How long the server may take to say it.
 * @throws {CommandFailure} where it does not come to its end.
 */
export async function withClient<Result>(
  reached: Reached,
  work: (client: Client) => Promise<Result>,
  timeoutMs = 0,
): Promise<Result> {
  const sayings = new Set<string>();
  const said = (sentence: string) => void sayings.add(sentence);
  const { client, failed, greeted } = await connect(reached, { ...SILENT, said });
  try {
    if (reached.contract !== null) await Promise.race([greeted, answered(client, timeoutMs), failed]);
    return await Promise.race([work(client), failed]);
  } catch (error) {
    // Why the connection has ended tells more than that it has.
    if (error instanceof ClientError && error.reason === "closed") await Promise.race([failed, null]);
    const failure = failureOf(error as Error, reached);
    if (!(error instanceof ClientError) || sayings.size === 0) throw failure;
    const more = [...sayings].map((sentence) => sentence[0]!.toLowerCase() + sentence.slice(1)).join("; ");
    throw new CommandFailure((failure as CommandFailure).code, `${failure.message}; ${more}`);
  } finally {
    client.close();
  }
}
