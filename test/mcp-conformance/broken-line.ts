/**
 * A line between a client and a server that can be cut: connections break as they do where a network goes away, without
 * an end that anybody has asked for.
 *
 * @module
 */
import { connect, createServer, type Server, type Socket } from "node:net";

/** `both`: both sides see their connection break. `client`: the server hears nothing, as behind a router that is gone. */
export type Cut = "both" | "client";

export class BrokenLine {
  readonly #target: URL;
  readonly #server: Server;
  /** Of each connection that stands, its end towards the client and its end towards the server. */
  readonly #pairs = new Map<Socket, Socket>();
  /** Ends towards the server of connections whose clients are gone. */
  readonly #orphans = new Set<Socket>();
  #isCut = false;

  private constructor(target: URL) {
    this.#target = target;
    this.#server = createServer((socket) => this.#join(socket));
  }

  static async to(url: string): Promise<BrokenLine> {
    const line = new BrokenLine(new URL(url));
    await new Promise<void>((resolve) => line.#server.listen(0, "127.0.0.1", resolve));
    return line;
  }

  /** The same resource by way of this line. */
  get url(): string {
    const url = new URL(this.#target);
    url.port = String((this.#server.address() as { port: number }).port);
    return url.href;
  }

  /** Break every connection, and each that is tried until the line is mended. */
  cut(sides: Cut): void {
    this.#isCut = true;
    for (const [near, far] of this.#pairs) {
      near.unpipe(far);
      far.unpipe(near);
      this.#pairs.delete(near);
      near.resetAndDestroy();
      if (sides === "both") far.resetAndDestroy();
      else this.#orphans.add(far.pause());
    }
  }

  mend(): void {
    this.#isCut = false;
  }

  async close(): Promise<void> {
    this.cut("both");
    for (const far of this.#orphans) far.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(near: Socket): void {
    near.on("error", () => {});
    if (this.#isCut) return void near.resetAndDestroy();
    const far = connect(Number(this.#target.port), this.#target.hostname);
    far.on("error", () => near.destroy());
    this.#pairs.set(near, far);
    near.on("close", () => {
      if (this.#pairs.delete(near)) far.destroy();
    });
    far.on("close", () => near.destroy());
    near.pipe(far);
    far.pipe(near);
  }
}
