/**
 * Clients that come: how fast they get in, and how fast they catch up with what they have missed.
 *
 * @module
 */
import { type Delays, DelaySample } from "./delays.ts";
import { type DialectName, DIALECTS } from "./dialects.ts";
import { Speaker } from "./speaker.ts";
import { RawWebSocket } from "./web-socket.ts";

export interface Position {
  readonly epoch: string;
  readonly seq: number;
}

const NOBODY = { event() {}, answer() {} };

/** Connect and join, so many at a time, and leave when all are in. */
export async function connectAll(
  { port, dialect, channel, count, atOnce }: {
    port: number;
    dialect: DialectName;
    channel: string;
    count: number;
    atOnce: number;
  },
): Promise<Delays & { elapsedMs: number }> {
  const delays = new DelaySample(1);
  const speakers: Speaker[] = [];
  const begun = performance.now();
  const one = async () => {
    while (speakers.length < count) {
      const at = performance.now();
      const speaker = new Speaker(port, dialect, NOBODY);
      speakers.push(speaker);
      await speaker.join(channel);
      if (delays.next()) delays.add(performance.now() - at);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  const elapsedMs = performance.now() - begun;
  for (const speaker of speakers) speaker.close();
  return { elapsedMs, ...delays.figures() };
}

/** Connect, and join so many channels with each connection. They stay. */
export async function crowdIn(
  { port, dialect, connections, channels, kind }: {
    port: number;
    dialect: DialectName;
    connections: number;
    channels: number;
    kind: string;
  },
): Promise<object> {
  for (let i = 0; i < connections; i++) {
    const speaker = new Speaker(port, dialect, NOBODY);
    await speaker.ready;
    for (let n = 0; n < channels; n++) await speaker.join(`${kind}:${i}-${n}`);
  }
  return {};
}

/** Have so many events of `news` kept. @returns the position before them. Speaks to this project's server. */
export function fill({ port, events }: { port: number; events: number }): Promise<Position> {
  const { save } = DIALECTS.realtime;
  const body = { at: "1.0", pad: "x".repeat(80) };
  return new Promise((resolve, reject) => {
    let position: Position | null = null;
    let saved = 0;
    new RawWebSocket(port, "/", {
      open: (socket) =>
        socket.send(JSON.stringify({ type: "subscribe", id: "join", data: { channel: "news" } })),
      text(bytes, from, to, socket) {
        const { type, data } = JSON.parse(bytes.toString("utf8", from, to));
        if (type === "ack") position = { epoch: data.epoch, seq: data.seq };
        else if (type !== "response") return;
        if (saved < events) socket.send(save!(body, ++saved));
        else {
          socket.close();
          resolve(position!);
        }
      },
      end: (reason) => reject(new Error(reason)),
    });
  });
}

/** Subscribe from a position, all at once, until each has had so many events. Speaks to this project's server. */
export async function recoverAll(
  { port, channel, since, clients, events }: {
    port: number;
    channel: string;
    since: Position;
    clients: number;
    events: number;
  },
): Promise<Delays & { elapsedMs: number }> {
  const delays = new DelaySample(1);
  const begun = performance.now();
  const subscribe = JSON.stringify({ type: "subscribe", id: "join", data: { channel, since } });
  await Promise.all(Array.from({ length: clients }, () =>
    new Promise<void>((resolve, reject) => {
      let received = 0;
      new RawWebSocket(port, "/", {
        open: (socket) => socket.send(subscribe),
        text(bytes, from, to, socket) {
          if (!bytes.toString("latin1", from, to).includes('"event":"news.saved"')) return;
          if (++received < events) return;
          if (delays.next()) delays.add(performance.now() - begun);
          socket.close();
        },
        end: (reason) => received === events ? resolve() : reject(new Error(reason)),
      });
    })));
  return { elapsedMs: performance.now() - begun, ...delays.figures() };
}
