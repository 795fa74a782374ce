/**
 * The contract of session-buddy: sessions, their checkpoints, and the knowledge captured in them.
 *
 * @module
 */
import * as v from "valibot";
import { defineContract } from "../../src/protocol/contract.ts";
import { cursor, jsonObject, limit, nextCursor } from "../../src/protocol/fields.ts";
import { SERVICE_PORTS } from "../../src/protocol/service-ports.ts";
import { prompts } from "./contract-prompts.ts";
import * as field from "./fields.ts";

const events = {
  "session.created": {
    description: "A session was started",
    channels: ["session", "global"],
    data: v.object({
      session_id: field.sessionId,
      project: field.project,
      working_directory: v.nullable(v.string()),
      user: v.nullable(v.string()),
      context: field.context,
      version: field.version,
    }),
  },
  "session.updated": {
    description: "A session's context was changed, by an update or by restoring a checkpoint",
    channels: ["session", "global"],
    data: v.object({
      session_id: field.sessionId,
      changes: v.pipe(
        jsonObject(),
        v.description("Merge patch (RFC 7396) from the version before to this one"),
      ),
      version: field.version,
    }),
  },
  "session.checkpoint": {
    description: "A checkpoint of a session was made",
    channels: ["session", "checkpoint"],
    data: v.object({
      session_id: field.sessionId,
      checkpoint_id: field.checkpointId,
      reason: field.reason,
      quality_score: v.nullable(field.qualityScore),
      git: field.git,
      version: field.version,
    }),
  },
  "session.closed": {
    description: "A session was ended",
    channels: ["session", "global"],
    data: v.object({
      session_id: field.sessionId,
      summary: v.nullable(field.summary),
      duration_seconds: v.number(),
      checkpoints: v.number(),
      knowledge_items: v.number(),
    }),
  },
  "knowledge.captured": {
    description: "A knowledge item was captured in a session",
    channels: ["knowledge"],
    data: v.object(field.knowledgeItem),
  },
  "knowledge.search_result": {
    description:
      "Knowledge was searched. A search in one session is told to that session, also when nothing was " +
      "found; a search in all of them is told to each session that has a hit, with the hits of that session only",
    channels: ["knowledge"],
    data: v.object({
      session_id: field.sessionId,
      query: v.string(),
      count: v.pipe(v.number(), v.description("Length of `results`")),
      results: v.array(v.object(field.hit)),
      duration_ms: v.number(),
    }),
  },
} as const;

const page = {
  limit: v.nullish(limit()),
  cursor: v.nullish(cursor),
};

const sessionRequests = {
  start_session: {
    description: "Start a session. Without an id it gets a ULID; an id that was ever used is a CONFLICT",
    access: "write",
    effect: { destructive: false },
    input: v.object({
      session_id: v.nullish(field.sessionId),
      project: field.project,
      working_directory: v.nullish(field.workingDirectory),
      user: v.pipe(v.nullish(field.user), v.description("Default: who asks, where that is known")),
      context: v.pipe(
        v.nullish(field.context),
        v.description(
          "Default: empty. Members that are null are left out, as a merge patch cannot keep them",
        ),
      ),
    }),
    output: v.object(field.session),
  },
  update_session: {
    description: "Change a session's context by a merge patch: members replace, objects merge, null removes",
    access: "write",
    effect: { destructive: true },
    input: v.object({
      session_id: field.sessionId,
      context: v.pipe(
        field.context,
        v.description("Merge patch (RFC 7396), at most 256 KiB; so is the result"),
      ),
      expected_version: v.pipe(
        v.nullish(field.version),
        v.description("Change only this version; CONFLICT where the session has moved on"),
      ),
    }),
    output: v.object(field.session),
  },
  end_session: {
    description: "End a session. It can still be read, and takes no more changes",
    access: "write",
    effect: { destructive: true, idempotent: true },
    input: v.object({ session_id: field.sessionId, summary: v.nullish(field.summary) }),
    output: v.object(field.session),
  },
  get_session: {
    description: "A session with its context",
    access: "read",
    input: v.object({ session_id: field.sessionId }),
    output: v.object(field.session),
  },
  list_sessions: {
    description:
      "Sessions, newest first, without their contexts and with at most 200 characters of their summaries",
    access: "read",
    input: v.object({ project: v.nullish(field.project), state: v.nullish(field.state), ...page }),
    output: v.object({ sessions: v.array(v.object(field.sessionHead)), next_cursor: nextCursor }),
  },
} as const;

const checkpointRequests = {
  checkpoint_session: {
    description: "Keep a copy of a session's context, and the state of its git checkout where it has one",
    access: "write",
    effect: { destructive: false },
    input: v.object({
      session_id: field.sessionId,
      reason: v.pipe(v.nullish(field.reason), v.description("Default: manual_checkpoint")),
      quality_score: v.nullish(field.qualityScore),
    }),
    output: v.object(field.checkpoint),
  },
  list_checkpoints: {
    description: "Checkpoints of a session without contexts and lists of paths, newest first",
    access: "read",
    input: v.object({ session_id: field.sessionId, ...page }),
    output: v.object({
      checkpoints: v.array(v.object(field.checkpointRow)),
      next_cursor: nextCursor,
    }),
  },
  get_checkpoint: {
    description: "A checkpoint with its copy of the context",
    access: "read",
    input: v.object({ checkpoint_id: field.checkpointId, session_id: v.nullish(field.sessionId) }),
    output: v.object({ ...field.checkpoint, context: field.context }),
  },
  restore_checkpoint: {
    description: "Put a checkpoint's context back, as a new version of the session. Files are left alone",
    access: "write",
    effect: { destructive: true },
    input: v.object({ checkpoint_id: field.checkpointId, session_id: v.nullish(field.sessionId) }),
    output: v.object(field.session),
  },
} as const;

const knowledgeRequests = {
  capture_knowledge: {
    description: "Keep something learnt in a session, and add its entities and relations to the graph",
    access: "write",
    effect: { destructive: false },
    input: v.object({
      session_id: field.sessionId,
      kind: field.kind,
      content: field.content,
      topics: v.nullish(field.topics),
      confidence: v.nullish(field.confidence),
      entities: v.nullish(field.entitiesInput),
      relations: v.nullish(field.relations),
    }),
    output: v.object({ ...field.knowledgeItem, created_at: field.capturedAt }),
  },
  get_knowledge: {
    description: "A knowledge item in full",
    access: "read",
    input: v.object({ knowledge_id: field.knowledgeId }),
    output: v.object({ ...field.knowledgeItem, created_at: field.capturedAt }),
  },
  search_knowledge: {
    description:
      "Full-text search over contents, topics and names of entities, best first. Any of the words is " +
      "enough; characters that join a word, as in foo-bar, make a phrase of it. Of words that stand nearly " +
      "everywhere only the newest items are ranked, about 4 million characters of them. Tells the sessions' channels",
    access: "read",
    effect: { destructive: false },
    input: v.object({
      query: field.query,
      session_id: v.pipe(v.nullish(field.sessionId), v.description("Search this session only")),
      kind: v.nullish(field.kind),
      limit: v.nullish(limit(field.MAX_SEARCH_LIMIT, field.DEFAULT_SEARCH_LIMIT)),
    }),
    output: v.object({
      query: v.string(),
      session_id: v.nullable(field.sessionId),
      count: v.number(),
      results: v.array(v.object({ ...field.hit, session_id: field.sessionId })),
      duration_ms: v.number(),
    }),
  },
  query_graph: {
    description: "Entities and relations around an entity, nearest first, over all sessions",
    access: "read",
    input: v.object({
      entity: v.pipe(v.string(), v.minLength(1), v.maxLength(200), v.description("Name of the entity")),
      depth: v.nullish(v.pipe(
        v.number(),
        v.integer(),
        v.minValue(0),
        v.maxValue(field.MAX_GRAPH_DEPTH),
        v.description("Steps to go, 0 to 5; 1 where it is left out"),
      )),
    }),
    output: v.object({
      entity: v.string(),
      depth: v.number(),
      entities: v.array(v.object({
        name: v.string(),
        type: v.nullable(v.string()),
        mentions: v.pipe(v.number(), v.description("Knowledge items that name it")),
        distance: v.pipe(v.number(), v.description("Steps from the entity asked for, which has 0")),
      })),
      relations: v.array(v.object({
        from: v.string(),
        to: v.string(),
        type: v.string(),
        mentions: v.pipe(v.number(), v.description("Knowledge items that state it")),
      })),
      truncated: v.pipe(
        v.boolean(),
        v.description("True where more than 200 entities or 500 relations are near"),
      ),
    }),
  },
} as const;

export const sessionBuddy = defineContract({
  name: "session-buddy",
  greeting: "Connected to Session-Buddy",
  ports: SERVICE_PORTS["session-buddy"],
  channels: {
    session: {
      description: "One session: its context, its checkpoints, its end",
      id: "session_id",
      snapshot: v.object(field.session),
    },
    knowledge: { description: "Knowledge captured and searched in one session", id: "session_id" },
    checkpoint: { description: "Checkpoints of one session", id: "session_id" },
  },
  events,
  requests: { ...sessionRequests, ...checkpointRequests, ...knowledgeRequests },
  prompts,
});

export type SessionBuddyContract = typeof sessionBuddy;
