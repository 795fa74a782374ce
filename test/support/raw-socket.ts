/**
 * A WebSocket client on a bare TCP connection, for what a well-behaved client never does.
 *
 * @module
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectByTls } from "node:tls";

export const HANDSHAKE_HEADERS = {
  Host: "127.0.0.1",
  Connection: "Upgrade",
  Upgrade: "websocket",
  "Sec-WebSocket-Version": "13",
  "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
};

export class RawSocket {
  /** What bytes go through: encrypted, where the port is. */
  readonly net: Socket;
  readonly #tcp: Socket;
  #received: Buffer = Buffer.alloc(0);
  #ended = false;
  readonly #waiting = new Set<() => void>();

  private constructor(net: Socket, tcp: Socket) {
    this.net = net;
    this.#tcp = tcp;
    net.on("data", (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    net.on("error", () => {});
    net.on("close", () => {
      this.#ended = true;
      this.#wake();
    });
  }

  /** @param ca Whose certificate the port has, where it speaks TLS. */
  static async open(port: number, ca?: string): Promise<RawSocket> {
    const tcp = connect({ port, host: "127.0.0.1" });
    tcp.on("error", () => {});
    await once(tcp, "connect");
    if (ca === undefined) return new RawSocket(tcp, tcp);
    const net = connectByTls({ socket: tcp, ca, host: "127.0.0.1" });
    const socket = new RawSocket(net, tcp);
    await once(net, "secureConnect");
    return socket;
  }

  /** Send a request's head. A header given as undefined is left out. */
  request(target: string, headers: Record<string, string | undefined> = {}, method = "GET"): void {
    const all = Object.entries({ ...HANDSHAKE_HEADERS, ...headers }).filter(([, value]) =>
      value !== undefined
    );
    this.net.write(
      [`${method} ${target} HTTP/1.1`, ...all.map(([name, value]) => `${name}: ${value}`), "", ""].join(
        "\r\n",
      ),
    );
  }

  /** Send one frame with a mask of zeros, so that its payload is what it looks like. */
  frame(opcode: number, payload: string | Buffer, final = true): void {
    const bytes = Buffer.from(payload);
    const length = bytes.length < 126 ? [bytes.length] : [126, bytes.length >> 8, bytes.length & 255];
    const [first = 0, ...rest] = length;
    this.net.write(
      Buffer.concat([Buffer.from([(final ? 0x80 : 0) | opcode, 0x80 | first, ...rest, 0, 0, 0, 0]), bytes]),
    );
  }

  /** What has come so far, as Latin-1. */
  get text(): string {
    return this.#received.toString("latin1");
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Resolves with all text as soon as it holds `part`. Rejects at the connection's end. */
  until(part: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const check = () => {
        if (!this.text.includes(part) && !this.#ended) return;
        this.#waiting.delete(check);
        if (this.text.includes(part)) resolve(this.text);
        else reject(new Error(`Expected "${part}", got the connection's end after "${this.text}"`));
      };
      this.#waiting.add(check);
      check();
    });
  }

  /** Resolves with all that came when the connection is over. */
  async end(): Promise<string> {
    if (!this.#ended) await once(this.net, "close");
    return this.text;
  }

  /** Go away with a reset. */
  reset(): void {
    this.#tcp.resetAndDestroy();
  }

  #wake(): void {
    for (const check of [...this.#waiting]) check();
  }
}
