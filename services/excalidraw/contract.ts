/**
 * The contract of excalidraw: diagrams that several people edit at once, their cursors, and who is there.
 *
 * @module
 */
import * as v from "valibot";
import { defineContract } from "../../src/protocol/contract.ts";
import { count, cursor, jsonObject, limit, nextCursor } from "../../src/protocol/fields.ts";
import { SERVICE_PORTS } from "../../src/protocol/service-ports.ts";
import { prompts } from "./contract-prompts.ts";
import * as field from "./fields.ts";

const who = { user_id: v.nullish(field.userId) };
const joining = { diagram_id: field.diagramId, ...who, user_info: v.nullish(field.givenUserInfo) };
const leaving = { diagram_id: field.diagramId, ...who };
const moving = { diagram_id: field.diagramId, ...who, position: field.position };
const updating = { diagram_id: field.diagramId, ...who, elements: field.elements };

const events = {
  "diagram.created": {
    description: "A diagram was made or imported; its elements follow as an update",
    channels: ["diagram", "global"],
    data: v.object({ diagram_id: field.diagramId, title: field.title, version: field.version }),
  },
  "diagram.updated": {
    description: "Elements of a diagram were changed, added or deleted",
    channels: ["diagram"],
    publishable: "write",
    published: v.object(updating),
    data: v.object({
      diagram_id: field.diagramId,
      user_id: field.toldUserId,
      elements: field.changedElements,
      version: field.version,
    }),
  },
  "cursor.moved": {
    description: "A user's cursor was moved: the latest place, some times a second, and never stored",
    channels: ["cursor"],
    publishable: "write",
    published: v.object(moving),
    data: v.object({ diagram_id: field.diagramId, user_id: v.string(), position: field.position }),
  },
  "user.joined": {
    description: "A user has come to a diagram, or is now shown with another name or colour",
    channels: ["presence"],
    publishable: "write",
    published: v.object(joining),
    data: v.object({ diagram_id: field.diagramId, user_id: v.string(), user_info: field.userInfo }),
  },
  "user.left": {
    description: "A user has left a diagram on every connection, by request or because the connections ended",
    channels: ["presence"],
    publishable: "write",
    published: v.object(leaving),
    data: v.object({ diagram_id: field.diagramId, user_id: v.string(), user_info: field.userInfo }),
  },
} as const;

const diagramRequests = {
  create_diagram: {
    description: "Make an empty diagram. Without an id it gets a ULID; an id that is taken is a CONFLICT",
    access: "write",
    effect: { destructive: false },
    input: v.object({
      diagram_id: v.nullish(field.diagramId),
      title: v.pipe(v.nullish(field.title), v.description("Default: Untitled")),
    }),
    output: v.object(field.diagramHead),
  },
  update_diagram: {
    description:
      "Change elements of a diagram: of two states of an element the higher `version` wins, then the lower " +
      "`versionNonce`. All of them are taken in one step, or none",
    access: "write",
    effect: { destructive: true },
    input: v.object(updating),
    output: v.object({
      status: v.picklist(["updated", "unchanged"]),
      diagram_id: field.diagramId,
      version: field.version,
      applied: count("Elements that are now as they were sent"),
      discarded: v.pipe(
        v.array(v.string()),
        v.description("Ids of elements that are there already in this version or one that wins over it"),
      ),
    }),
  },
  get_diagram: {
    description: "A diagram with its elements, from the back to the front",
    access: "read",
    input: v.object({
      diagram_id: field.diagramId,
      include_deleted: v.pipe(
        v.nullish(v.boolean()),
        v.description("With the deleted elements that are still kept, which an editor needs. Default: false"),
      ),
    }),
    output: v.object(field.diagram),
  },
  get_diagram_status: {
    description:
      "A diagram without its elements, and who is in it. One that does not exist has status not_found",
    access: "read",
    input: v.object({ diagram_id: field.diagramId }),
    output: v.object({
      diagram_id: field.diagramId,
      status: v.picklist(["found", "not_found"]),
      diagram: v.optional(v.object({ ...field.diagramHead, users: field.users })),
    }),
  },
  list_diagrams: {
    description: "Diagrams without their elements, newest first",
    access: "read",
    input: v.object({ limit: v.nullish(limit()), cursor: v.nullish(cursor) }),
    output: v.object({ diagrams: v.array(v.object(field.diagramHead)), next_cursor: nextCursor }),
  },
  import_diagram: {
    description:
      "Take over a `.excalidraw` file, as text (`content`) or as JSON (`document`): as a new diagram, or into one that " +
      "is there",
    access: "write",
    effect: { destructive: true },
    input: v.object({
      content: v.nullish(field.content),
      document: v.nullish(field.documentInput),
      diagram_id: v.pipe(v.nullish(field.diagramId), v.description("Default for a new diagram: a ULID")),
      title: v.pipe(v.nullish(field.title), v.description("Of a new diagram. Default: Untitled")),
      merge: v.pipe(
        v.nullish(v.boolean()),
        v.description("True: into the diagram of this id, as an update. Default: false"),
      ),
      ...who,
    }),
    output: v.object({
      ...field.diagramHead,
      applied: count("Elements that were taken over"),
      discarded: v.array(v.string()),
    }),
  },
  export_diagram: {
    description: "A diagram as the `.excalidraw` file that Excalidraw opens, without deleted elements",
    access: "read",
    input: v.object({ diagram_id: field.diagramId }),
    output: v.object({
      diagram_id: field.diagramId,
      filename: v.string(),
      document: v.pipe(
        v.object({
          type: v.literal("excalidraw"),
          version: v.number(),
          source: v.string(),
          elements: v.array(jsonObject()),
          appState: field.appState,
          files: field.files,
        }),
        v.description("The file: write it as JSON"),
      ),
    }),
  },
} as const;

const presenceRequests = {
  join_diagram: {
    description:
      "Say that a user is in a diagram, until it leaves or the connection ends; over HTTP and MCP until the lease ends, " +
      "unless it is renewed by joining, drawing or moving the cursor",
    access: "write",
    effect: { destructive: true, idempotent: true },
    input: v.object(joining),
    output: v.object({
      status: v.picklist(["joined", "unchanged"]),
      diagram_id: field.diagramId,
      user_id: v.string(),
      user_info: field.userInfo,
      users: field.users,
    }),
  },
  leave_diagram: {
    description: "Say that a user has left a diagram on this connection",
    access: "write",
    effect: { destructive: true, idempotent: true },
    input: v.object(leaving),
    output: v.object({
      status: v.picklist(["left", "not_joined"]),
      diagram_id: field.diagramId,
      user_id: v.string(),
    }),
  },
  move_cursor: {
    description:
      "Show where a user's cursor is. Moves that come fast are told some times a second, the latest only",
    access: "write",
    effect: { destructive: false },
    input: v.object(moving),
    output: v.object({
      status: v.pipe(
        v.picklist(["moved", "held"]),
        v.description("Held: told in a moment, unless it moves on"),
      ),
      diagram_id: field.diagramId,
      user_id: v.string(),
    }),
  },
} as const;

export const excalidraw = defineContract({
  name: "excalidraw",
  greeting: "Connected to Excalidraw collaboration",
  ports: SERVICE_PORTS.excalidraw,
  channels: {
    diagram: {
      description: "One diagram: its making and its changes",
      id: "diagram_id",
      snapshot: v.object(field.diagram),
    },
    cursor: {
      description: "Cursors over one diagram",
      id: "diagram_id",
      ephemeral: true,
      latestBy: ["user_id"],
    },
    presence: {
      description: "Who comes to one diagram and leaves it",
      id: "diagram_id",
      snapshot: v.object({ diagram_id: field.diagramId, users: field.users }),
    },
  },
  events,
  requests: { ...diagramRequests, ...presenceRequests },
  prompts,
});

export type ExcalidrawContract = typeof excalidraw;
