/**
 * The parameters of `tools/call`, checked before the MCP package does: it answers bad ones as a fault of the server.
 *
 * @module
 */
import * as v from "valibot";
import { isJsonObject, type JsonValue } from "../protocol/json-value.ts";
import { explainIssues } from "../service/issues.ts";
import { failure, RPC } from "./failure.ts";

const Params = v.object({
  name: v.string(),
  // Not `record`, which takes an array.
  arguments: v.optional(
    v.pipe(v.unknown(), v.check((value) => isJsonObject(value as JsonValue), "expected an object")),
  ),
});

/** The answer to a call with bad parameters; null for all else, batches included. */
export function refuseBadCall(body: JsonValue): Response | null {
  if (!isJsonObject(body) || body.method !== "tools/call") return null;
  const parsed = v.safeParse(Params, body.params ?? {});
  if (parsed.success) return null;
  const id = typeof body.id === "string" || typeof body.id === "number" ? body.id : null;
  return failure(400, RPC.INVALID_PARAMS, explainIssues("tools/call", parsed.issues), {}, id);
}
