/**
 * Connections to others, in the way of this runtime: the package `ws` on Node, the runtime's own WebSocket on Deno and
 * Bun.
 *
 * @module
 */
import type { Dial, DialedSocket, DialOptions } from "../ports/dial.ts";

export const dial: Dial = {
  connect(url: string, options: DialOptions): DialedSocket {
    let socket: DialedSocket | undefined;
    let closed = false;
    load().then(
      ({ connect }) => {
        if (closed) options.onClose(1006, "Closed before it was open");
        else socket = connect(url, options);
      },
      (error) => options.onClose(1006, String(error)),
    );
    return {
      send: (text) => socket?.send(text),
      close() {
        closed = true;
        socket?.close();
      },
    };
  },
};

function load(): Promise<Dial> {
  if ("Bun" in globalThis || "Deno" in globalThis) {
    return import("./dial-native.ts").then(({ nativeDial }) => nativeDial);
  }
  return import("./dial-node.ts").then(({ nodeDial }) => nodeDial);
}
