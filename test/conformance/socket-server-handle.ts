/**
 * A running `socket-server.ts` and the ways to speak to it.
 *
 * @module
 */
import { expect } from "vitest";
import { makeAuthority } from "../support/certificates.ts";
import { get, type HttpAnswer, type TlsClient } from "../support/http-client.ts";
import { RawSocket } from "../support/raw-socket.ts";
import { type Program, type RuntimeName, startProgram } from "../support/start-program.ts";
import { TextClient } from "../support/text-client.ts";

export interface Ready {
  readonly port: number;
  readonly second: number;
  readonly name: string;
  readonly version: string;
  readonly failures: Readonly<Record<"inUse" | "outOfRange" | "foreign" | "unknown", string>>;
}

/** One way to a socket, and the guarantees that not every way gives. */
export interface Way {
  readonly name: string;
  readonly runtime: RuntimeName;
  readonly args?: readonly string[];
  /** Both ports speak TLS. @default false */
  readonly tls?: boolean;
  /** `terminate` ends the connection of a peer that has stopped reading. */
  readonly terminates: boolean;
  /** `pause` stops the peer. */
  readonly pauses: boolean;
  /** `ping` sends one. */
  readonly pings: boolean;
  /** Frames that come before the handshake is answered are kept. RFC 6455 forbids clients to send them. */
  readonly early: boolean;
}

/** A message's limit on the program's first port; on its second it is 1_000. */
export const MAX_MESSAGE_BYTES = 65_536;

const PROGRAM = new URL("./socket-server.ts", import.meta.url).pathname;

export class SocketServer {
  readonly way: Way;
  program!: Program<Ready>;
  /** How its certificate is checked; undefined where it speaks no TLS. */
  trust: TlsClient | undefined;
  #count = 0;

  constructor(way: Way) {
    this.way = way;
  }

  async start(): Promise<void> {
    const environment: Record<string, string> = {};
    if (this.way.tls) {
      const authority = await makeAuthority();
      const { cert, key } = await authority.issue();
      this.trust = { ca: authority.cert };
      Object.assign(environment, { SERVER_CERTIFICATE: cert, SERVER_KEY: key });
    }
    this.program = await startProgram<Ready>(this.way.runtime, PROGRAM, { args: this.way.args, environment });
  }

  get ready(): Ready {
    return this.program.ready;
  }

  /** A name for a connection that no other has. */
  id(): string {
    return `c${++this.#count}`;
  }

  url(path = "/ws", port: number = this.ready.port): string {
    return `${this.trust ? "wss" : "ws"}://127.0.0.1:${port}${path}`;
  }

  /** A plain request. */
  get(path: string, port: number = this.ready.port): Promise<HttpAnswer> {
    return get(this.url(path, port).replace("ws", "http"), {}, this.trust);
  }

  open(path = "/ws", port: number = this.ready.port): Promise<TextClient> {
    return TextClient.open(this.url(path, port), this.trust);
  }

  raw(): Promise<RawSocket> {
    return RawSocket.open(this.ready.port, this.trust?.ca);
  }

  /** Resolves when the program has written a line that starts like this. */
  seen(text: string): Promise<string> {
    return this.program.line((line) => line.startsWith(text));
  }

  /** The process is still there and serves. */
  async lives(): Promise<void> {
    const client = await this.open();
    expect(await client.ask("echo still here")).toBe("echo still here");
    await client.close();
  }

  /** A connection that has read its handshake and reads no more. */
  async stalled(name: string): Promise<RawSocket> {
    const peer = await this.raw();
    peer.request(`/ws?id=${name}&greet=1`);
    await peer.until("hello");
    peer.net.pause();
    return peer;
  }

  /** Write to a stalled connection until the operating system takes no more. Returns the bytes that wait. */
  async fill(admin: TextClient, name: string): Promise<number> {
    let buffered = 0;
    for (let i = 0; i < 40 && buffered < 4_000_000; i++) {
      buffered = Number((await admin.ask(`flood ${name} 1000000`)).replace("buffered ", ""));
    }
    return buffered;
  }
}
