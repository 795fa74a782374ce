/**
 * The fields that the contract of session-buddy is made of, each with its bounds.
 *
 * Optional fields of requests may also be null: clients that serialise a model send one for what is not set.
 *
 * @module
 */
import * as v from "valibot";
import { between, count, jsonObject, text, time } from "../../src/protocol/fields.ts";

/** Bytes of a session's context, written as JSON. */
export const MAX_CONTEXT_BYTES = 262_144;
/** Levels of objects and arrays in a context. */
export const MAX_CONTEXT_DEPTH = 64;
/** Bytes of a knowledge item's content in UTF-8. */
export const MAX_CONTENT_BYTES = 65_536;
/** Characters of a session's id: the channel `checkpoint:{session_id}` must stay within 255. */
export const MAX_SESSION_ID_LENGTH = 200;
export const DEFAULT_SEARCH_LIMIT = 10;
export const MAX_SEARCH_LIMIT = 50;
export const MAX_GRAPH_DEPTH = 5;

export const sessionId = text(
  1,
  MAX_SESSION_ID_LENGTH,
  "Id of the session: 1 to 200 characters, no control characters, neither '*' nor ending in ':*'",
);

export const project = text(1, 200, "Name of the project that the session belongs to");

export const workingDirectory = text(
  1,
  4096,
  "Absolute path of an existing folder on the machine of the service; " +
    "where it is in a git checkout, checkpoints note its state",
);

export const user = text(1, 200, "Who works in the session");
export const context = v.pipe(
  jsonObject(),
  v.description("What the session knows: a JSON object of at most 256 KiB and 64 levels"),
);
export const version = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(1),
  v.description("Version of the context: 1 at the start, one more with every update and restore"),
);
export const state = v.pipe(
  v.picklist(["active", "ended"]),
  v.description("An ended session takes no more changes"),
);
export const summary = text(0, 16_384, "What came of the session");
export const checkpointId = text(1, 64, "Id of the checkpoint (ULID)");
export const reason = text(1, 500, "Why the checkpoint was made, such as manual_checkpoint or pre_compact");
export const qualityScore = between(0, 100, "Quality of the work so far, 0 to 100");
export const knowledgeId = text(1, 64, "Id of the knowledge item (ULID)");
export const kind = text(1, 64, "What sort of knowledge, such as decision, pattern or gotcha");
export const content = text(1, MAX_CONTENT_BYTES, "The knowledge itself: text of at most 64 KiB in UTF-8");
export const confidence = between(0, 1, "How sure it is, 0 to 1");
export const topics = v.pipe(
  v.array(text(1, 100, "A topic")),
  v.maxLength(32),
  v.description("What it is about; searched together with the content"),
);
export const query = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(1000),
  v.description("Words to look for. Items that hold more of them, and rarer ones, come first"),
);

const entityName = v.pipe(
  v.string(),
  v.maxLength(200),
  v.regex(/\S/, "Expected a name that is not blank"),
  v.description("Name of an entity, not blank; upper and lower case name the same one"),
);
const entityType = text(1, 64, "What sort of entity, such as module, person or tool");
const entityFields = v.object({ name: entityName, type: v.nullish(entityType) });

export const entitiesInput = v.pipe(
  v.array(v.union([entityName, entityFields])),
  v.maxLength(100),
  v.description("Entities that the knowledge speaks of: names, or objects {name, type?}"),
);
export const entities = v.array(v.object({ name: entityName, type: v.nullable(entityType) }));
export const relations = v.pipe(
  v.array(v.object({ from: entityName, to: entityName, type: text(1, 64, "What joins them, such as uses") })),
  v.maxLength(200),
  v.description("Relations between entities: {from, to, type}. Entities that are named only here are added"),
);

export const git = v.pipe(
  v.nullable(v.object({
    branch: v.pipe(v.nullable(v.string()), v.description("Null where HEAD is detached")),
    head: v.pipe(v.nullable(v.string()), v.description("Commit id; null before the first commit")),
    dirty: v.pipe(
      v.array(v.string()),
      v.description("Changed and untracked paths, from the top of the checkout; at most 100"),
    ),
    dirty_count: v.pipe(
      v.nullable(count("How many paths are dirty, also those that the list leaves out")),
      v.description("Null where git gave too many to count"),
    ),
  })),
  v.description("State of the git checkout; null where there is none"),
);

/** A checkout's state without the list of paths. */
export const gitHead = v.nullable(v.object({
  branch: v.nullable(v.string()),
  head: v.nullable(v.string()),
  dirty_count: v.nullable(v.number()),
}));

/** A session without its context. */
export const sessionHead = {
  session_id: sessionId,
  project,
  working_directory: v.nullable(v.string()),
  user: v.nullable(v.string()),
  version,
  state,
  summary: v.nullable(v.string()),
  created_at: time("When it was started"),
  updated_at: time("When anything last happened in it"),
  ended_at: v.nullable(time("When it was ended")),
  duration_seconds: v.pipe(v.number(), v.description("From the start to the end, or to now")),
  checkpoints: count("Checkpoints made"),
  knowledge_items: count("Knowledge items captured"),
};

/** A session: what `get_session` answers, and every request that changes one. */
export const session = { ...sessionHead, context };

const checkpointHead = {
  checkpoint_id: checkpointId,
  session_id: sessionId,
  reason,
  quality_score: v.nullable(qualityScore),
  version,
  created_at: time("When it was made"),
};

/** A checkpoint without the copy of the context. */
export const checkpoint = { ...checkpointHead, git };
/** A checkpoint as lists show it. */
export const checkpointRow = { ...checkpointHead, git: gitHead };

export const knowledgeItem = {
  knowledge_id: knowledgeId,
  session_id: sessionId,
  kind,
  content,
  topics,
  confidence: v.nullable(confidence),
  entities,
  relations,
};

export const capturedAt = time("When it was captured");

export const hit = {
  knowledge_id: knowledgeId,
  kind,
  excerpt: v.pipe(
    v.string(),
    v.description("The part of the content that fits best, at most 400 characters"),
  ),
  score: between(0, 1, "Rank within this answer: 1 is its best hit. Not comparable between searches"),
};
