/**
 * What is there to be watched, by HTTP: the service's status, its channels, and what happened in one of them.
 *
 * @module
 */
import type { Context, Hono } from "hono";
import { HISTORY_LIMIT } from "../protocol/common-inputs.ts";
import { Refusal } from "../protocol/errors.ts";
import type { JsonObject } from "../protocol/json.ts";
import { listChannels } from "./channel-list.ts";
import type { AppHost } from "./host.ts";
import { answerRequest, notUp, sendJson } from "./http-requests.ts";
import { type CallerEnv, refuse } from "./identify.ts";

/** Channels, or events, that are told of where nothing is said. */
const USUAL_LIMIT = 100;
const CHANNELS_LIMIT = 1_000;
/** Text that came is shown up to this length. */
const SHOWN_CHARACTERS = 40;

/** Routes of the app that stands at `/api`. */
export function addChannelRoutes(api: Hono<CallerEnv>, host: AppHost): void {
  const route = (path: string, answer: (context: Context<CallerEnv>) => Response | Promise<Response>) => {
    api.get(path, async (context) => {
      try {
        return await answer(context);
      } catch (error) {
        if (error instanceof Refusal) return refuse(context, error.code, error.message);
        throw error;
      }
    });
  };
  route("/status", (context) => {
    return answerRequest(host, context, {
      name: "get_status",
      data: Object.fromEntries(queryOf(context, "get_status")),
    });
  });
  route("/channels", (context) => channels(host, context));
  // The id may hold slashes, and what makes it no id is said by the answer.
  route("/channels/:channel{[\\s\\S]+}/events", (context) => events(host, context));
}

function channels(host: AppHost, context: Context<CallerEnv>): Response {
  const open = host.open();
  if (!open) return notUp(context);
  const { identity } = context.get("caller");
  const query = queryOf(context, "channels");
  const kinds = kindsFor(host, (kind) => host.mayJoin(identity, kind), query.get("kind"));
  const limit = wholeOf("channels", "limit", query.get("limit"), CHANNELS_LIMIT) ?? USUAL_LIMIT;
  const { contract, settings, hub } = host;
  return sendJson(context, listChannels({ contract, settings, hub, ...open }, kinds, limit));
}

/** The kinds that are asked for and that the caller may be in. */
function kindsFor(host: AppHost, mayJoin: (kind: string) => boolean, asked: string | undefined): string[] {
  const { name, channels } = host.contract;
  const known = Object.keys(channels);
  if (asked !== undefined && !known.includes(asked)) {
    throw invalid("channels", "kind", `one of ${known.join(", ")}`, asked);
  }
  const allowed = (asked === undefined ? known : [asked]).filter(mayJoin);
  if (allowed.length > 0) return allowed;
  throw new Refusal("FORBIDDEN", `Not authorized to list ${asked ?? "channels"}: needs ${name}:read`);
}

function events(host: AppHost, context: Context<CallerEnv>): Response | Promise<Response> {
  const open = host.open();
  if (!open) return notUp(context);
  const query = queryOf(context, "get_history");
  const channel = context.req.param("channel") ?? "";
  const limit = wholeOf("get_history", "limit", query.get("limit"), HISTORY_LIMIT) ?? USUAL_LIMIT;
  const given = query.get("since");
  const since: JsonObject = given === undefined
    ? {}
    : { since: positionOf(given, open.broker.position.epoch) };
  return answerRequest(host, context, { name: "get_history", data: { channel, limit, ...since } });
}

function positionOf(text: string, epoch: string): JsonObject {
  const [, given = epoch, digits] = /^(?:(.+):)?(\d{1,16})$/s.exec(text) ?? [];
  const seq = Number(digits);
  if (Number.isSafeInteger(seq)) return { epoch: given, seq };
  throw invalid("get_history", "since", `EPOCH:SEQ, like ${epoch}:42, or SEQ of the current epoch`, text);
}

function wholeOf(
  request: string,
  field: string,
  text: string | undefined,
  most: number,
): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (value >= 1 && value <= most) return value;
  throw invalid(request, field, `a whole number from 1 to ${most}`, text);
}

/** The query's parameters, decoded. */
function queryOf(context: Context, request: string): Map<string, string> {
  const query = new Map<string, string>();
  for (const [name, value] of new URL(context.req.url).searchParams) {
    if (query.has(name)) {
      throw new Refusal(
        "INVALID_DATA",
        `Invalid data for ${request}: ${cut(name)}: expected once, got twice`,
      );
    }
    query.set(name, value);
  }
  return query;
}

function invalid(request: string, field: string, expected: string, came: string): Refusal {
  return new Refusal(
    "INVALID_DATA",
    `Invalid data for ${request}: ${field}: expected ${expected}, got '${cut(came)}'`,
  );
}

function cut(text: string): string {
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}
