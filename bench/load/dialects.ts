/**
 * What is said to each kind of server to get the same thing done.
 *
 * @module
 */
export type DialectName = "realtime" | "plain" | "socket.io";

/** What an event carries: when it was due, and letters that make it as long as it is to be. */
export interface EventBody {
  readonly at: string;
  readonly pad: string;
}

export interface Dialect {
  readonly path: string;
  /** What opens the conversation, or answers `text` while it is being opened; null for nothing. */
  greet(text: string | null): string | null;
  /** Whether the conversation is open when `text` has come; null: when the handshake is done. */
  isReady(text: string | null): boolean;
  join(channel: string): string;
  isJoined(text: string): boolean;
  publish(channel: string, body: EventBody, id: number): string;
  /** Ask for a change of state that is told to those in `news`. */
  save?(body: EventBody, id: number): string;
  /** Ask for `text` back. */
  echo(text: string, id: number): string;
  /** Whether this answers a publish or a request. Throws what the server refuses it with. */
  isAnswer(text: string): boolean;
  /** What keeps the connection open, where the server asks for it; null for nothing. */
  keepAlive(text: string): string | null;
}

const realtime: Dialect = {
  path: "/",
  greet: () => null,
  isReady: () => true,
  join: (channel) => JSON.stringify({ type: "subscribe", id: "join", data: { channel } }),
  isJoined: (text) => answers(text, '"type":"ack"'),
  publish(channel, { at, pad }, id) {
    const [kind, room] = channel.split(":");
    const where = room === undefined ? "" : `"room_id":"${room}",`;
    const data = `{"event":"${kind}.sent","data":{${where}"at":${at},"pad":"${pad}"}}`;
    return `{"type":"request","id":"${id}","event":"publish","data":${data}}`;
  },
  save: ({ at, pad }, id) =>
    `{"type":"request","id":"${id}","event":"save","data":{"item":${id % 1_000},"at":${at},"pad":"${pad}"}}`,
  echo: (text, id) =>
    `{"type":"request","id":"${id}","event":"echo","data":{"text":"${text}","idempotency_key":"key-${id}"}}`,
  isAnswer: (text) => answers(text, '"type":"response"'),
  keepAlive: () => null,
};

function answers(text: string, mark: string): boolean {
  if (text.includes('"type":"error"')) throw new Error(`Expected an answer, got ${text}`);
  return text.includes(mark);
}

const plain: Dialect = {
  path: "/",
  greet: () => null,
  isReady: () => true,
  join: () => "join",
  isJoined: (text) => text === "joined",
  publish: (_channel, { at, pad }) => `!{"at":${at},"pad":"${pad}"}`,
  // The same text as above, so that as much is parsed and written.
  echo: realtime.echo,
  isAnswer: (text) => text === "done" || text[0] === "{",
  keepAlive: () => null,
};

const socketIo: Dialect = {
  path: "/socket.io/?EIO=4&transport=websocket",
  greet: (text) => text?.startsWith("0{") ? "40" : null,
  isReady: (text) => text?.startsWith("40{") === true,
  join: () => '420["join"]',
  isJoined: (text) => text === "430[]",
  publish: (_channel, { at, pad }, id) => `42${id}["publish",{"at":${at},"pad":"${pad}"}]`,
  echo: (text, id) => `42${id}["echo","${text}"]`,
  isAnswer: (text) => text.startsWith("43"),
  keepAlive: (text) => text === "2" ? "3" : null,
};

export const DIALECTS: Readonly<Record<DialectName, Dialect>> = { realtime, plain, "socket.io": socketIo };
