/**
 * Connections to others by the package `ws`.
 *
 * @module
 */
// @ts-types="@types/ws"
import { WebSocket } from "ws";
import { type Dial, MAX_DIALED_MESSAGE_BYTES } from "../ports/dial.ts";

/** Time until a connection that is not open is given up, and one that is being closed is cut. */
const HANDSHAKE_MS = 10_000;

export const nodeDial: Dial = {
  connect(url, { headers, onOpen, onText, onClose }) {
    let reason = "";
    let silent = false;
    let ws: WebSocket;
    try {
      ws = new WebSocket(url, {
        headers: { ...headers },
        handshakeTimeout: HANDSHAKE_MS,
        maxPayload: MAX_DIALED_MESSAGE_BYTES,
        perMessageDeflate: false,
      });
    } catch (error) {
      queueMicrotask(() => onClose(1006, String(error)));
      return { send() {}, close() {} };
    }
    ws.on("open", () => {
      if (!silent) onOpen();
    });
    ws.on("message", (data, isBinary) => {
      if (!silent && !isBinary) onText(String(data));
    });
    ws.on("error", (error) => reason ||= error.message || String((error as { code?: string }).code ?? error));
    ws.on("close", (code, text) => onClose(code, String(text) || reason));
    return {
      send(text) {
        if (ws.readyState === WebSocket.OPEN) ws.send(text);
      },
      close() {
        silent = true;
        // A peer that is gone does not answer a closing handshake, and what is heard no more needs none.
        if (ws.readyState === WebSocket.OPEN) ws.close(1000);
        setTimeout(() => ws.terminate(), ws.readyState === WebSocket.CONNECTING ? 0 : 1_000).unref();
      },
    };
  },
};
