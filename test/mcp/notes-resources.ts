/**
 * The channels of the notes service as resources, on a clock that stands still.
 *
 * @module
 */
import { resourcesOf } from "../../src/mcp/resources.ts";
import type { Caller } from "../../src/mcp/tool.ts";
import { ANONYMOUS } from "../../src/ports/call.ts";
import type { JsonObject } from "../../src/protocol/json.ts";
import { FakeClock } from "../support/fake-clock.ts";
import type { NotesChannels } from "./notes-channels.ts";
import { notesHost, type NotesOptions } from "./notes-service.ts";

export const ANYBODY: Caller = { identity: ANONYMOUS, origin: null };

export function callerWith(...permissions: string[]): Caller {
  return { identity: { userId: "ada", permissions, authenticated: true }, origin: null };
}

export function notesResources(options: NotesOptions = {}) {
  const clock = new FakeClock();
  const host = notesHost({ clock, ...options });
  const live = host.live!;
  const publish = (channel: string, data: JsonObject = {}) => live.publish(channel, "note.changed", data);
  return { clock, host, resources: resourcesOf(host), live, publish };
}

/** Somebody comes to a channel by WebSocket. Returns the way to leave it. */
export function join({ hub }: NotesChannels, name: string): () => void {
  const member = { id: crypto.randomUUID(), userId: null, deliver() {} };
  const [kind = ""] = name.split(":", 1);
  hub.join(member, { name, kind, wildcard: false }, { filter: null, start: 0, joinedAt: 0 });
  return () => hub.leave(member, name);
}
