import { describe, expect, it } from "vitest";
import type { Socket } from "../../src/ports/socket.ts";
import { serverOf } from "../../src/server/broadcast-methods.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { LinkedClient } from "../support/linked-socket.ts";
import { makeOwnService } from "./own-service.ts";

/** The server's end of a client that does not answer a close frame. */
class StubbornSocket implements Socket {
  readonly remoteAddress = "127.0.0.1";
  readonly closes: number[] = [];
  terminated = 0;
  write(): void {}
  buffered(): number {
    return 0;
  }
  ping(): boolean {
    return true;
  }
  close(code: number): void {
    this.closes.push(code);
  }
  terminate(): void {
    this.terminated++;
  }
  pause(): void {}
  resume(): void {}
}

function fullServer() {
  const clock = new FakeClock();
  const Server = serverOf(makeOwnService());
  const server = new Server({ clock, settings: { websocket: { max_connections: 1 } } });
  new LinkedClient(clock, (socket) => server.onConnect(socket));
  return { clock, server, before: clock.pending };
}

describe("a client that there is no place for", () => {
  it("is cut after five seconds where it does not go", () => {
    const { clock, server } = fullServer();
    const socket = new StubbornSocket();
    server.onConnect(socket);
    clock.advance(4_999);
    expect({ closes: socket.closes, terminated: socket.terminated }).toEqual({
      closes: [1013],
      terminated: 0,
    });
    clock.advance(1);
    expect(socket.terminated).toBe(1);
  });

  it("is forgotten as soon as it has gone", () => {
    const { clock, server, before } = fullServer();
    const socket = new StubbornSocket();
    server.onConnect(socket).closed(1013, "");
    expect(clock.pending).toBe(before);
    clock.advance(10_000);
    expect(socket.terminated).toBe(0);
  });
});
