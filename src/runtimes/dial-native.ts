/**
 * Connections to others by the WebSocket that Deno and Bun have.
 *
 * @module
 */
import { type Dial, MAX_DIALED_MESSAGE_BYTES } from "../ports/dial.ts";

/** Time until a connection that is not open is given up. */
const HANDSHAKE_MS = 10_000;
/** Time that a closing handshake may take. */
const CLOSE_MS = 1_000;

/** Deno and Bun take headers as a browser does not. */
type WithHeaders = new (url: string, options: { headers: Record<string, string> }) => WebSocket;

export const nativeDial: Dial = {
  connect(url, { headers, onOpen, onText, onClose }) {
    let silent = false;
    let over = false;
    let ws: WebSocket | undefined;
    const end = (code: number, reason: string): void => {
      if (over) return;
      over = true;
      silent = true;
      clearTimeout(timer);
      onClose(code, reason);
    };
    const close = (): void => {
      silent = true;
      try {
        ws?.close();
      } catch {
        // It was never open.
      }
      // Where the peer is gone, the runtime waits for it for long.
      if (!over) release(setTimeout(() => end(1006, "The closing handshake took too long"), CLOSE_MS));
    };
    const timer = release(setTimeout(() => {
      close();
      end(1006, "Not open in time");
    }, HANDSHAKE_MS));
    try {
      ws = headers
        ? new (WebSocket as unknown as WithHeaders)(url, { headers: { ...headers } })
        : new WebSocket(url);
    } catch (error) {
      queueMicrotask(() => end(1006, String(error)));
      return { send() {}, close() {} };
    }
    let reason = "";
    ws.onopen = () => {
      clearTimeout(timer);
      if (!silent) onOpen();
    };
    ws.onmessage = ({ data }) => {
      if (silent || typeof data !== "string") return;
      if (data.length > MAX_DIALED_MESSAGE_BYTES) close();
      else onText(data);
    };
    ws.onerror = (event) => reason ||= (event as ErrorEvent).message ?? "";
    // Deno tells 0 where there was no closing handshake.
    ws.onclose = ({ code, reason: text }) => end(code || 1006, text || reason);
    return {
      send(text) {
        if (ws.readyState === WebSocket.OPEN) ws.send(text);
      },
      close,
    };
  },
};

/** It must not hold the process. */
function release<T>(timer: T): T {
  (timer as { unref?: () => void }).unref?.();
  return timer;
}
