/**
 * A connection of a client over a real WebSocket.
 *
 * @module
 */
import { WebSocket } from "ws";
import type { Heard } from "./record.ts";
import type { Line, LineOwner } from "./world.ts";

/** The connections of a world, as long as they are open. */
export class SocketLines {
  readonly #open = new Set<Line>();

  connect(url: string, owner: LineOwner): Line {
    const line = openLine(url, {
      heard: (frame) => owner.heard(frame),
      ended: (code, reason) => {
        this.#open.delete(line);
        owner.ended(code, reason);
      },
    });
    this.#open.add(line);
    return line;
  }

  /** Whoever has stopped reading reads on: a server that stops waits for them for seconds. */
  flow(): void {
    for (const line of this.#open) line.flow();
  }
}

function openLine(url: string, owner: LineOwner): Line {
  const ws = new WebSocket(url);
  const waiting: string[] = [];
  let isOver = false;
  const end = (code: number, reason: string) => {
    if (isOver) return;
    isOver = true;
    owner.ended(code, reason);
  };
  ws.on("open", () => {
    for (const text of waiting.splice(0)) ws.send(text);
  });
  ws.on("message", (data) => {
    if (!isOver) owner.heard(JSON.parse(String(data)) as Heard);
  });
  ws.on("close", (code: number, reason: Uint8Array) => end(code, new TextDecoder().decode(reason)));
  ws.on("error", () => {});
  return {
    send(frame) {
      const text = JSON.stringify(frame);
      if (ws.readyState === ws.OPEN) ws.send(text);
      else if (ws.readyState === ws.CONNECTING) waiting.push(text);
    },
    cut() {
      end(1006, "");
      ws.terminate();
    },
    hangUp() {
      end(1000, "");
      // Who reads nothing does not read the answer either.
      ws.resume?.();
      ws.close(1000);
    },
    // Bun's own has neither.
    stall: () => ws.pause?.(),
    flow: () => ws.resume?.(),
  };
}
