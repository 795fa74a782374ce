/**
 * Streams of server-sent events over plain sockets that a test can cut, as a client's broken network does.
 *
 * @module
 */
import { type IncomingMessage, request } from "node:http";

export interface SentEvent {
  readonly id: string | null;
  /** Null for an event without one. */
  readonly message: Record<string, unknown> | null;
}

export interface EventStream {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  /** The next event; null at the stream's end. */
  next(): Promise<SentEvent | null>;
  /** All of the rest, when it has ended. */
  rest(): Promise<SentEvent[]>;
  /** Cut the connection, without a word to the server. */
  cut(): void;
}

export interface StreamRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export async function openStream(url: string, asked: StreamRequest): Promise<EventStream> {
  const { method = "GET", headers = {}, body } = asked;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request(url, {
      method,
      // Its own connection, which nobody else is cut off with.
      agent: false,
      headers: {
        accept: "application/json, text/event-stream",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
    }, resolve);
    sent.on("error", reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
  const events: (SentEvent | null)[] = [];
  let text = "";
  let waiting: (() => void) | null = null;
  const add = (event: SentEvent | null) => {
    events.push(event);
    waiting?.();
  };
  response.setEncoding("utf8");
  response.on("data", (chunk: string) => {
    const blocks = (text + chunk).split("\n\n");
    text = blocks.pop()!;
    for (const block of blocks) {
      const event = eventOf(block);
      if (event) add(event);
    }
  });
  response.on("error", () => {});
  response.on("close", () => add(null));
  const next = async (): Promise<SentEvent | null> => {
    while (events.length === 0) await new Promise<void>((resolve) => waiting = resolve);
    const event = events.shift()!;
    if (event === null) events.push(null);
    return event;
  };
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    next,
    async rest() {
      const all: SentEvent[] = [];
      for (let event = await next(); event; event = await next()) all.push(event);
      return all;
    },
    cut: () => response.socket.destroy(),
  };
}

/** Null for comments. */
function eventOf(block: string): SentEvent | null {
  const fields = new Map(
    block.split("\n").filter((line) => !line.startsWith(":")).map((line) => {
      const [, name = "", value = ""] = /^([a-z]+): ?(.*)$/.exec(line) ?? [];
      return [name, value];
    }),
  );
  const data = fields.get("data");
  if (data === undefined) return null;
  return { id: fields.get("id") ?? null, message: data.trim() === "" ? null : JSON.parse(data) };
}
