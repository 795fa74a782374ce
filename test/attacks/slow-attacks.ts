/**
 * Connections that are opened and then hold their place: without a word, with half a handshake, with a head or a body
 * that comes a byte a second, without a token, without reading or answering any more. They are there while all the
 * other attacks go on, and a new one comes where any was ended; when no more come, all of them are gone soon.
 *
 * @module
 */
import { Attacker, each } from "./attacker.ts";
import { frame, Peer, TEXT } from "./peer.ts";
import type { Service, Target } from "./target.ts";

const OPENED_AT_ONCE = 50;
const BYTE_MS = 1_000;

const DRIPPING = /a byte a second/;
const STALLED = "a WebSocket that does not read any more";
const STALLED_USER = "stalled";

/** How many of each kind; each kind has an address of its own. */
const COUNTS: Record<string, number> = {
  "say nothing": 60,
  "half a handshake": 60,
  "a head a byte a second": 200,
  "a body a byte a second": 100,
  "a WebSocket without a token": 40,
  [STALLED]: 12,
};

/** A connection, and how to begin it anew. */
interface Place {
  readonly kind: string;
  /** Null while it begins. */
  peer: Peer | null;
  begin(): Promise<Peer>;
}

export interface SlowAttacks {
  /** Opened so far. */
  readonly opened: number;
  /** Open no more, wait until the server has ended every one, and tell which kinds it did not end in time. */
  ended(patienceMs: number): Promise<string[]>;
  /** How many of those that do not read any more the services still have. They cannot notice themselves. */
  stalled(): Promise<number>;
  stop(): void;
}

export async function beginSlowAttacks(target: Target): Promise<SlowAttacks> {
  const { services } = target;
  const readers = new Map<Service, Attacker>();
  for (const service of services) {
    const token = await target.token(STALLED_USER, [`${service.name}:read`]);
    readers.set(service, new Attacker("127.0.40.9", token));
  }
  let opened = 0;
  let isOpening = true;
  const places = Object.entries(COUNTS).flatMap(([kind, count], index) =>
    Array.from({ length: count }, (_, n): Place => {
      const service = services[n % services.length]!;
      const url = n % 2 === 0 ? service.http : service.websocket;
      const { headers } = readers.get(service)!;
      return {
        kind,
        peer: null,
        begin: () => begin(kind, url, `127.0.40.${index + 1}`, service, headers),
      };
    })
  );

  async function take(place: Place): Promise<void> {
    opened++;
    place.peer = null;
    place.peer = await place.begin();
    if (!isOpening) place.peer.destroy();
  }

  await each(places, OPENED_AT_ONCE, take);
  const timer = setInterval(() => {
    for (const place of places) {
      if (DRIPPING.test(place.kind)) place.peer?.send("x");
      if (isOpening && place.peer?.over) void take(place);
    }
  }, BYTE_MS);

  return {
    get opened() {
      return opened;
    },
    async ended(patienceMs) {
      isOpening = false;
      let late: ReturnType<typeof setTimeout> | undefined;
      const patience = new Promise((resolve) => late = setTimeout(resolve, patienceMs));
      const noticing = places.filter(({ kind }) => kind !== STALLED);
      await Promise.race([Promise.all(noticing.map(({ peer }) => peer?.closed)), patience]);
      clearTimeout(late);
      return noticing.filter(({ peer }) => peer?.over === false).map(({ kind }) => kind);
    },
    async stalled() {
      const users = await Promise.all([...readers].map(async ([service, reader]) => {
        const { body } = await reader.ask(service, "get_presence", { channel: "global" });
        return (body.users as { user_id: string; connections: number }[])
          .filter(({ user_id }) => user_id === STALLED_USER);
      }));
      return users.flat().reduce((sum, { connections }) => sum + connections, 0);
    },
    stop() {
      isOpening = false;
      clearInterval(timer);
      for (const { peer } of places) peer?.destroy();
    },
  };
}

async function begin(
  kind: string,
  url: string,
  address: string,
  service: Service,
  headers: Record<string, string>,
): Promise<Peer> {
  if (kind.startsWith("a WebSocket without")) return await Peer.upgraded(service.websocket, address);
  if (kind === STALLED) {
    const peer = await Peer.upgraded(service.websocket, address, headers);
    peer.send(frame({ opcode: TEXT, payload: '{"type":"subscribe","room":"global"}' }));
    await peer.has('"subscribed"');
    // Neither a byte nor an end comes from it any more, as from a machine that has lost its network.
    peer.net.pause();
    return peer;
  }
  const peer = await Peer.open(url, address);
  if (kind.startsWith("half")) {
    peer.send("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSo");
  } else if (kind.startsWith("a head")) peer.send("GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ");
  else if (kind.startsWith("a body")) {
    peer.send(
      `POST /api/requests/get_status HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: ${
        headers["authorization"]
      }\r\n` +
        'Content-Type: application/json\r\nContent-Length: 60000\r\n\r\n{"a":"',
    );
  }
  return peer;
}
