/**
 * WebSockets to a service whose certificate nobody has signed but itself: the one that the settings name is trusted.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { rootCertificates } from "node:tls";
// @ts-types="@types/ws"
import { WebSocket } from "ws";
import type { WebSocketClass } from "../../client/mod.ts";
import { firstCertificate, isLoopback } from "../mcp/ask.ts";
import type { Reached } from "./reach.ts";

/** As the client's own on Node. */
const BOUNDS = { maxPayload: 1_048_576, perMessageDeflate: false };

/**
 * @returns undefined where the runtime's own will do: no certificate is named, or the file is not there and the runtime
 * is to know whom to trust.
 */
export async function trustingSocket({ url, certificateFile }: Reached): Promise<WebSocketClass | undefined> {
  if (certificateFile === undefined) return undefined;
  const text = await readFile(certificateFile, "utf8").catch(() => "");
  const own = firstCertificate(text);
  if (own === undefined) return undefined;
  // Besides: what serves may be an older one, whose issuer is known.
  const ca = [own, ...rootCertificates];
  // It is the very certificate of the settings, which need not name this machine's own address.
  const identity = isLoopback(new URL(url).hostname) ? { checkServerIdentity: () => undefined } : {};
  const options: object = { ...BOUNDS, ca, allowPartialTrustChain: true, ...identity };
  class TrustingSocket extends WebSocket {
    constructor(address: string, protocols: string[] = []) {
      super(address, protocols, options);
    }
  }
  return TrustingSocket as unknown as WebSocketClass;
}
