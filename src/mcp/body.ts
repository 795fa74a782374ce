/**
 * The body of a POST, read up to a limit and parsed as frames are.
 *
 * @module
 */
import { readUpTo } from "../limits/read-up-to.ts";
import { type JsonValue, parseJson } from "../protocol/json.ts";
import { failure, RPC } from "./failure.ts";

export type Body = { readonly ok: true; readonly value: JsonValue } | {
  readonly ok: false;
  readonly refusal: Response;
};

/** @param maxBytes Larger ones are refused as soon as that many have come, or as soon as they say so. */
export async function readBody(request: Request, maxBytes: number): Promise<Body> {
  const tooLarge = (): Body => {
    const message = `The body is larger than ${maxBytes} bytes: send less at once`;
    // The rest of the body is in the way of a next request.
    return { ok: false, refusal: failure(413, RPC.REFUSED, message, { Connection: "close" }) };
  };
  const malformed = (reason: string): Body => ({ ok: false, refusal: failure(400, RPC.PARSE, reason) });
  if (Number(request.headers.get("content-length")) > maxBytes) return tooLarge();
  const bytes = await readUpTo(request.body, maxBytes);
  if (bytes === null) return tooLarge();
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return malformed("Parse error: the body is not UTF-8");
  }
  const parsed = parseJson(text);
  return parsed.ok ? { ok: true, value: parsed.value } : malformed(`Parse error: ${parsed.reason}`);
}
