/**
 * The version of a server, which it tells to MCP clients: a session is begun and ended for that.
 *
 * @module
 */
import { isJsonObject, type JsonObject } from "../../protocol/json-value.ts";
import { parseJson } from "../../protocol/json.ts";
import { VERSION } from "../../protocol/version.ts";
import type { Ask } from "../mcp/ask.ts";
import { readEvents } from "../mcp/event-stream.ts";
import { ANSWER_MS } from "../reach/get-json.ts";

const PROTOCOL = "2025-06-18";

export type FoundVersion = { readonly ok: true; readonly version: string } | {
  readonly ok: false;
  readonly reason: string;
};

/** @param headers With the token, where one is needed. */
export async function serverVersion(
  ask: Ask,
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<FoundVersion> {
  try {
    const answer = await ask(url, {
      method: "POST",
      headers: {
        ...headers,
        "Content-Type": "application/json",
        Accept: "application/json, text/event-stream",
      },
      body: JSON.stringify({
        jsonrpc: "2.0",
        id: 1,
        method: "initialize",
        params: {
          protocolVersion: PROTOCOL,
          capabilities: {},
          clientInfo: { name: "mcp-realtime-doctor", version: VERSION },
        },
      }),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    if (answer.status === 401 || answer.status === 403) {
      await answer.body?.cancel();
      return { ok: false, reason: "it wants a token, or a better one" };
    }
    const version = versionIn(await messageIn(answer));
    const session = answer.headers.get("mcp-session-id");
    if (session !== null) {
      const goodbye = { ...headers, "mcp-session-id": session, "mcp-protocol-version": PROTOCOL };
      const left = await ask(url, {
        method: "DELETE",
        headers: goodbye,
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      await left.body?.cancel();
    }
    if (version !== null) return { ok: true, version };
    return { ok: false, reason: `its MCP endpoint does not tell (HTTP ${answer.status})` };
  } catch {
    return { ok: false, reason: "its MCP endpoint does not answer" };
  }
}

/** The answer, as JSON or as the first event of a stream. */
async function messageIn(answer: Response): Promise<JsonObject | null> {
  let text = "";
  if (!answer.headers.get("content-type")?.includes("text/event-stream")) text = await answer.text();
  else if (answer.body !== null) {
    for await (const { data } of readEvents(answer.body)) {
      if (data === "") continue;
      text = data;
      break;
    }
  }
  const parsed = parseJson(text);
  return parsed.ok && isJsonObject(parsed.value) ? parsed.value : null;
}

function versionIn(message: JsonObject | null): string | null {
  const result = message?.["result"] ?? null;
  const info = isJsonObject(result) ? result["serverInfo"] ?? null : null;
  const version = isJsonObject(info) ? info["version"] : undefined;
  return typeof version === "string" ? version : null;
}
