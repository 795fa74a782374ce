/**
 * A WebSocket client that writes any bytes and reads what comes back strictly: a server's frame that is not as RFC 6455
 * wants it is a fault.
 *
 * @module
 */
import { connect, type Socket } from "node:net";
import { HANDSHAKE_HEADERS } from "../support/raw-socket.ts";
import { CLOSE, PING, PONG, TEXT, wireFrame } from "./wire-frames.ts";

/** How a connection ended: the code of the server's close frame, or null where none came. */
export interface End {
  readonly code: number | null;
}

export interface Heard {
  text(text: string): void;
  pong(payload: Buffer): void;
  end(end: End): void;
  /** The server broke the protocol. */
  fault(what: string): void;
}

const PATIENCE_MS = 60_000;

export class FuzzSocket {
  readonly #net: Socket;
  #heard: Heard | null = null;
  #rest: Buffer = Buffer.alloc(0);
  #code: number | null = null;
  #closed = false;

  private constructor(net: Socket) {
    this.#net = net;
  }

  /** Resolves when the server has taken the upgrade. */
  static async open(port: number, heard: Heard): Promise<FuzzSocket> {
    const net = connect({ port, host: "127.0.0.1", noDelay: true });
    const socket = new FuzzSocket(net);
    const head = Object.entries(HANDSHAKE_HEADERS).map(([name, value]) => `${name}: ${value}\r\n`).join("");
    net.write(`GET / HTTP/1.1\r\n${head}\r\n`);
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`Expected an upgrade, got none in ${PATIENCE_MS} ms`)),
        PATIENCE_MS,
      );
      const end = (error: Error) => (clearTimeout(timer), net.destroy(), reject(error));
      net.on("error", end);
      net.on("close", () => end(new Error("Expected an upgrade, got the connection's end")));
      net.on("data", (chunk: Buffer) => {
        socket.#rest = Buffer.concat([socket.#rest, chunk]);
        const at = socket.#rest.indexOf("\r\n\r\n");
        if (at < 0) return;
        const status = socket.#rest.subarray(0, at).toString("latin1").split("\r\n")[0];
        if (!status?.startsWith("HTTP/1.1 101")) return end(new Error(`Expected an upgrade, got ${status}`));
        clearTimeout(timer);
        socket.#rest = socket.#rest.subarray(at + 4);
        resolve();
      });
    });
    for (const event of ["error", "close", "data"]) net.removeAllListeners(event);
    socket.#heard = heard;
    net.on("error", () => {});
    net.on("close", () => socket.#end());
    net.on("data", (chunk: Buffer) => {
      socket.#rest = socket.#rest.length === 0 ? chunk : Buffer.concat([socket.#rest, chunk]);
      socket.#read();
    });
    socket.#read();
    return socket;
  }

  write(bytes: Uint8Array): void {
    if (!this.#closed) this.#net.write(bytes);
  }

  /** End the writing side. */
  finish(): void {
    this.#net.end();
  }

  reset(): void {
    this.#net.resetAndDestroy();
  }

  /** Leave as a client does, and let the connection end. */
  close(): void {
    this.write(wireFrame({ opcode: CLOSE, payload: Uint8Array.of(0x03, 0xe8) }));
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#heard?.end({ code: this.#code });
  }

  #read(): void {
    for (;;) {
      const frame = this.#rest;
      if (frame.length < 2) return;
      const [first = 0, second = 0] = frame;
      const short = second & 0x7f;
      const header = short === 126 ? 4 : short === 127 ? 10 : 2;
      if (frame.length < header) return;
      const length = short === 126
        ? frame.readUInt16BE(2)
        : short === 127
        ? Number(frame.readBigUInt64BE(2))
        : short;
      if (frame.length < header + length) return;
      const payload = frame.subarray(header, header + length);
      this.#rest = frame.subarray(header + length);
      this.#take(first, second, payload);
    }
  }

  #take(first: number, second: number, payload: Buffer): void {
    const heard = this.#heard!;
    const opcode = first & 0x0f;
    if ((first & 0xf0) !== 0x80 || (second & 0x80) !== 0) {
      heard.fault(`a frame that begins with ${first}, ${second}`);
    } else if (this.#code !== null) heard.fault("a frame after its close frame");
    else if (opcode === TEXT) heard.text(payload.toString());
    else if (opcode === PONG) heard.pong(payload);
    else if (opcode === PING) this.write(wireFrame({ opcode: PONG, payload }));
    else if (opcode === CLOSE) {
      this.#code = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
      // The answer, after which the server ends the connection; both may have sent theirs at once.
      this.write(wireFrame({ opcode: CLOSE, payload: payload.subarray(0, 2) }));
      this.#net.end();
    } else heard.fault(`a frame with opcode ${opcode}`);
  }
}
