/**
 * A small service with every kind of request, and the host that lends it to an MCP endpoint: what the dispatch does is
 * real, only the WebSocket side is made up.
 *
 * @module
 */
import * as v from "valibot";
import { mayAccess, mayJoin } from "../../src/auth/permissions.ts";
import type { CreateBroker } from "../../src/broker/broker.ts";
import type { ChannelAccess } from "../../src/mcp/channel-access.ts";
import type { McpHost, ServerStatus } from "../../src/mcp/host.ts";
import type { Call } from "../../src/ports/call.ts";
import { type Clock, systemClock } from "../../src/ports/clock.ts";
import type { Retention } from "../../src/ports/journal.ts";
import { lineLog } from "../../src/ports/log.ts";
import { defineContract } from "../../src/protocol/contract.ts";
import { Refusal } from "../../src/protocol/errors.ts";
import type { JsonObject } from "../../src/protocol/json.ts";
import { Dispatch, type Route } from "../../src/service/dispatch.ts";
import { MemoryAnswers } from "../../src/storage/memory-answers.ts";
import { type NotesChannels, notesChannels } from "./notes-channels.ts";

const Note = v.object({ note_id: v.number(), text: v.string(), by: v.nullable(v.string()) });

const NoteEvent = v.looseObject({ note_id: v.string() });

export const notes = defineContract({
  name: "notes",
  ports: { http: 1, websocket: 11 },
  channels: {
    note: { description: "One note", id: "note_id" },
    pointer: { description: "Where somebody points in a note", id: "note_id", ephemeral: true },
    gauge: { description: "What is measured of a note", id: "note_id", latestBy: ["gauge"] },
  },
  events: {
    "note.added": { description: "A note is there", channels: ["note"], data: NoteEvent },
    "note.changed": { description: "A note is another", channels: ["note", "global"], data: NoteEvent },
    "note.pointed": { description: "Somebody points at a note", channels: ["pointer"], data: NoteEvent },
    "note.measured": { description: "A note was measured", channels: ["gauge"], data: NoteEvent },
    "note.waved": {
      description: "Somebody waved",
      channels: ["global"],
      data: v.object({ hand: v.string() }),
      publishable: "write",
    },
  },
  requests: {
    add_note: {
      description: "Keep a note",
      access: "write",
      input: v.object({ text: v.pipe(v.string(), v.maxLength(20)), pinned: v.optional(v.boolean(), false) }),
      output: Note,
    },
    list_notes: {
      description: "All notes",
      access: "read",
      input: v.object({ limit: v.optional(v.pipe(v.string(), v.transform(Number))) }),
      output: v.object({ notes: v.array(Note) }),
    },
    get_note: {
      description: "One note",
      access: "read",
      input: v.object({ note_id: v.number() }),
      output: Note,
    },
    break_note: {
      description: "Fails in a way that nobody foresaw",
      access: "write",
      input: v.object({}),
      output: v.object({}),
    },
    echo: {
      description: "The same again",
      access: "read",
      input: v.record(v.string(), v.unknown()),
      output: v.record(v.string(), v.unknown()),
    },
  },
});

export const RUNNING: ServerStatus = {
  running: true,
  enabled: true,
  initialized: true,
  host: "127.0.0.1",
  port: 11,
  uri: "ws://127.0.0.1:11",
  secure: false,
  connectionIds: ["a", "b"],
  ...roomsOf({ global: ["a", "b"], "note:1": ["a"] }),
  maxConnections: 1000,
  messageRateLimit: 100,
  uptimeSeconds: 4,
  totalConnections: 5,
  peakConnections: 3,
  totalBroadcasts: 7,
  totalMessages: 10,
};

/** Channels as a server tells of them, from a list that has the fullest first. */
export function roomsOf(
  rooms: Record<string, readonly string[]>,
): Pick<ServerStatus, "roomCount" | "fullestRooms"> {
  const all = Object.entries(rooms);
  return {
    roomCount: all.length,
    fullestRooms: (count, ids) =>
      all.slice(0, count).map(([name, members]) => {
        return { name, subscribers: members.length, connectionIds: members.slice(0, ids) };
      }),
  };
}

export interface Broadcast {
  readonly eventType: string;
  readonly data: JsonObject;
  readonly room: string;
}

export interface NotesHost extends McpHost {
  /** What `broadcastTest` was called with. */
  readonly broadcasts: Broadcast[];
  /** Lines of the log. */
  readonly logged: string[];
  /** Calls that reached a handler. */
  readonly calls: Call[];
  /** Its channels; null while the service is not up. */
  live: NotesChannels | null;
}

export interface NotesOptions {
  readonly development?: boolean;
  readonly authRequired?: boolean;
  readonly clock?: Clock;
  readonly status?: () => ServerStatus;
  /** Carries the events. @default in memory */
  readonly createBroker?: CreateBroker;
  /** Of every kind's history. */
  readonly retention?: Partial<Retention>;
  /** States behind channels. @default none */
  readonly snapshot?: ChannelAccess["snapshot"];
}

export function notesHost(options: NotesOptions = {}): NotesHost {
  const { development = false, authRequired = false, clock = systemClock, status = () => RUNNING } = options;
  const broadcasts: Broadcast[] = [];
  const logged: string[] = [];
  const calls: Call[] = [];
  const log = lineLog({ write: (line) => logged.push(line) });
  const allowed: McpHost["mayAccess"] = (identity, access) =>
    mayAccess(identity, "notes", access, authRequired);
  const dispatch = new Dispatch({
    server: "notes",
    routes: routesOf(calls),
    answers: new MemoryAnswers({ clock }),
    mayAccess: allowed,
    clock,
    log,
  });
  const { createBroker, retention, snapshot } = options;
  const live = notesChannels({ contract: notes, clock, createBroker, retention, snapshot });
  return {
    contract: notes,
    version: "1.2.3",
    development,
    dispatch: (request) => dispatch.handle(request),
    mayAccess: allowed,
    mayRead: (identity, kind) => mayJoin(identity, "notes", kind, authRequired),
    live,
    channels() {
      return this.live?.access ?? null;
    },
    watches: live.watches,
    status,
    broadcastTest(eventType, data, room) {
      if (room === "note:closed") return { error: "Cannot send: the server is stopping" };
      broadcasts.push({ eventType, data, room });
      const known = RUNNING.fullestRooms(100, 0).find(({ name }) => name === room);
      return { subscribers: known?.subscribers ?? 0 };
    },
    clock,
    log,
    broadcasts,
    logged,
    calls,
  };
}

function routesOf(calls: Call[]): ReadonlyMap<string, Route> {
  const kept: { note_id: number; text: string; by: string | null }[] = [];
  const handlers: Record<string, Route["handle"]> = {
    add_note(input, call) {
      const note = { note_id: kept.length + 1, text: input.text, by: call.identity.userId };
      kept.push(note);
      return note;
    },
    list_notes: () => ({ notes: kept }),
    get_note({ note_id }) {
      const note = kept[note_id - 1];
      if (!note) throw new Refusal("NOT_FOUND", `Unknown note: ${note_id}`);
      return note;
    },
    break_note: () => {
      throw new Error("the secret of the house");
    },
    echo: (input) => input,
  };
  const own = Object.entries(notes.requests).map(([name, { access, input }]) => {
    const handle: Route["handle"] = (data, call) => {
      calls.push(call);
      return handlers[name]!(data, call);
    };
    return [name, { access, changesState: access !== "read", input, handle }] as const;
  });
  const status: Route = {
    access: "read",
    changesState: false,
    input: v.record(v.string(), v.unknown()),
    handle: () => ({ service: "notes", notes: kept.length }),
  };
  return new Map<string, Route>([...own, ["get_status", status]]);
}
