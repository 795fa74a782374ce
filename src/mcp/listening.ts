/**
 * Answers to a GET: the stream by which a session's server tells of its own accord, and streams that a client has lost
 * and takes up again.
 *
 * @module
 */
import { type EventPlace, eventPlace, type RecentEvents, TELLING_STREAM } from "./event-store.ts";
import { failure, RPC } from "./failure.ts";

/** How soon a client comes back to a stream that has ended, in milliseconds. */
export const RETRY_MS = 1_000;

/** From this version of the protocol on, clients take an event without data. */
const PRIMING_SINCE = "2025-11-25";

export interface ListeningParts {
  readonly sessionId: string;
  readonly events: RecentEvents;
  /** The package's answer. */
  readonly handle: (request: Request) => Promise<Response>;
  /** End the stream by which the server tells, where there is one: its client may have lost it without our knowing. */
  readonly endTelling: () => void;
  /** What was told before may be lost: tell it again. */
  readonly tellAll: () => void;
}

/** A response, and what is to be sent before its stream. */
export interface Answered {
  readonly response: Response;
  readonly first?: Uint8Array;
}

export async function listen(request: Request, parts: ListeningParts): Promise<Answered> {
  const { events, handle, endTelling, tellAll } = parts;
  const lastEventId = request.headers.get("last-event-id");
  if (!lastEventId) {
    // What was sent before, or between two streams that do not know of each other, is lost.
    const mayMiss = events.hasTold;
    // Within one turn: an event of before the stream would have a greater number.
    const primingId = takesPriming(request) ? events.prime() : null;
    endTelling();
    const response = await handle(request);
    if (!response.ok) return { response };
    if (mayMiss) tellAll();
    return primingId === null ? { response } : { response, first: primingEvent(primingId) };
  }
  const place = eventPlace(lastEventId);
  if (!place) {
    const message = "Invalid Last-Event-ID: expected the id of an event of this session";
    return { response: failure(400, RPC.INVALID_PARAMS, message) };
  }
  if (place.streamId !== TELLING_STREAM && !events.isOpen(place.streamId)) {
    return { response: answered(place, parts) };
  }
  const response = await handle(request);
  // A client that loses this stream too before a message came must know where to go on.
  return response.ok && takesPriming(request) ? { response, first: primingEvent(lastEventId) } : { response };
}

/** A request's stream has its end. Without it the client would listen to it, or come back to it, for ever. */
function answered(place: EventPlace, { events, sessionId }: ListeningParts): Response {
  const rest = [...events.after(place)].map(({ id, message }) =>
    `event: message\nid: ${id}\ndata: ${JSON.stringify(message)}\n\n`
  );
  const headers = { "Mcp-Session-Id": sessionId };
  if (rest.length === 0) return new Response(null, { status: 204, headers });
  return new Response(rest.join(""), {
    headers: { ...headers, "Content-Type": "text/event-stream", "Cache-Control": "no-cache, no-transform" },
  });
}

function takesPriming({ headers }: Request): boolean {
  return (headers.get("mcp-protocol-version") ?? "") >= PRIMING_SINCE;
}

/** So that a client knows where to go on, also one whose connection breaks before the first message. */
function primingEvent(eventId: string): Uint8Array {
  return new TextEncoder().encode(`id: ${eventId}\nretry: ${RETRY_MS}\ndata: \n\n`);
}
