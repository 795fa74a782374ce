/**
 * Delivery by HTTP: the content is PUT to a URL of the settings, and the answer is to be JSON with the `sha256` of what
 * was stored there. Redirects are not followed: where content goes is the settings' to say, and nobody else's.
 *
 * @module
 */
import type { Clock } from "../../../src/ports/clock.ts";
import { isJsonObject } from "../../../src/protocol/json-value.ts";
import { parseJson } from "../../../src/protocol/json.ts";
import { piecesOf, streamOf } from "../../../src/service/byte-stream.ts";
import { DeliveryError, type Parcel } from "./parcel.ts";
import type { UrlTarget } from "./settings.ts";

/** Bytes of an answer that are read. */
const MAX_ANSWER_BYTES = 65_536;

/** @returns the SHA-256 that the target answers. @throws {DeliveryError} and what the network says */
export async function deliverToUrl(
  clock: Clock,
  { url, token }: UrlTarget,
  parcel: Parcel,
  signal: AbortSignal,
): Promise<string> {
  const pace = { clock, idleMs: 0 };
  let unreadable: unknown = null;
  const body = streamOf(parcel.read(), {
    ...pace,
    onEnd: (error) => unreadable = error ?? null,
  });
  const init: RequestInit & { duplex: "half" } = {
    method: "PUT",
    headers: {
      "content-type": "application/octet-stream",
      "x-adapter-id": parcel.adapter_id,
      "x-adapter-version": parcel.version,
      "x-content-sha256": parcel.sha256,
      ...token === undefined ? {} : { authorization: `Bearer ${token}` },
    },
    body,
    // Node wants it said that the answer comes after the body.
    duplex: "half",
    redirect: "manual",
    signal,
  };
  let response: Response;
  try {
    response = await fetch(filled(url, parcel), init);
  } catch (error) {
    // Not for an answer that came before all was read: that one has not failed.
    if (unreadable instanceof Error && !signal.aborted) throw unreadable;
    throw new DeliveryError(`Cannot reach it: ${reasonOf(error)}`, { cause: error });
  }
  const text = await readAnswer(response, pace);
  if (response.status >= 300 && response.status < 400) {
    throw new DeliveryError(`It answered with a redirect (${response.status}), which is not followed`);
  }
  if (!response.ok) throw new DeliveryError(`It answered ${response.status}, expected 200 or 201`);
  return sha256In(text);
}

/** Places are filled in behind the origin only, which the settings' schema sees to. */
function filled(url: string, parcel: Parcel): string {
  const values: Readonly<Record<string, string>> = {
    sha256: parcel.sha256,
    adapter_id: parcel.adapter_id,
    version: parcel.version,
  };
  return url.replaceAll(/\{(\w+)\}/g, (place, name: string) => {
    const value = values[name];
    return value === undefined ? place : encodeURIComponent(value);
  });
}

async function readAnswer(response: Response, pace: { clock: Clock; idleMs: number }): Promise<string> {
  let text = "";
  let bytes = 0;
  const decoder = new TextDecoder();
  try {
    for await (const piece of piecesOf(response.body, pace)) {
      bytes += piece.byteLength;
      if (bytes > MAX_ANSWER_BYTES) {
        throw new DeliveryError(`Its answer is larger than ${MAX_ANSWER_BYTES} bytes`);
      }
      text += decoder.decode(piece, { stream: true });
    }
  } catch (error) {
    if (error instanceof DeliveryError) throw error;
    throw new DeliveryError(`Its answer broke off: ${reasonOf(error)}`, { cause: error });
  }
  return text;
}

function sha256In(text: string): string {
  const parsed = parseJson(text);
  const sha256 = parsed.ok && isJsonObject(parsed.value) ? parsed.value["sha256"] : undefined;
  if (typeof sha256 === "string" && /^[0-9a-f]{64}$/i.test(sha256)) return sha256.toLowerCase();
  throw new DeliveryError('Its answer is not JSON with the "sha256" of what it has stored');
}

/** Runtimes put the reason into the cause, or say it themselves. */
function reasonOf(error: unknown): string {
  const { message = String(error), cause } = error as {
    message?: string;
    cause?: { code?: string; message?: string };
  };
  return cause?.code ?? cause?.message ?? message;
}
