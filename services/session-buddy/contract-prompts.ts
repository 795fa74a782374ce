/**
 * Prompts of session-buddy.
 *
 * @module
 */
import type { PromptSpec } from "../../src/protocol/contract.ts";

export const prompts: Readonly<Record<string, PromptSpec>> = {
  catch_up: {
    title: "Catch up on a session",
    description: "Find out where the work of a session stands, so that it can go on",
    arguments: {
      session_id: { description: "Session to catch up on", required: true, channel: "session" },
      question: { description: "What to look for above all" },
    },
    text(given) {
      const id = given.json("session_id");
      const channel = given.channel("session_id");
      const knowledge = given.channel("session_id", "knowledge");
      const question = given.has("question")
        ? [
          `4. Call \`search_knowledge\` with {"query": ${
            given.json("question")
          }, "session_id": ${id}}. Where that ` +
          "finds too little, call it once more without `session_id`, over all sessions. The excerpts are short: " +
          "`get_knowledge` brings an item in full.",
        ]
        : [];
      return [
        "Find out where the work of one session stands. Change nothing.",
        `1. Call \`get_session\` with {"session_id": ${id}}: its project, its context, whether it has ended.`,
        `2. Call \`read_events\` with {"channel": ${channel}}: how the context came about of late. ` +
        "Keep the `cursor`.",
        `3. Call \`read_events\` with {"channel": ${knowledge}, ` +
        '"events": ["knowledge.captured"]}: what was learnt. And `list_checkpoints` with ' +
        `{"session_id": ${id}, "limit": 5}: where it can go back to.`,
        ...question,
        "Then say in a few lines what the session is about, what was done last, what was decided and learnt (with the " +
        "`knowledge_id`s), and what is open. Say too what you looked for and did not find.",
        `To hear how it goes on, call \`wait_for_event\` with {"channel": ${channel}, "events": ` +
        '["session.updated", "session.checkpoint", "session.closed"], "since": "CURSOR"}, CURSOR being that of step 2.',
      ].join("\n");
    },
  },
  hand_over: {
    title: "Hand a session over",
    description: "Keep what was learnt and where the work stands, so that somebody else can catch up",
    arguments: {
      session_id: { description: "Session to hand over", required: true, channel: "session" },
    },
    text(given) {
      const id = given.json("session_id");
      return [
        "Leave one session so that somebody else can go on with it.",
        `1. Call \`get_session\` with {"session_id": ${id}} and compare its context with what you know.`,
        `2. For each thing learnt that is not kept yet, call \`capture_knowledge\` with {"session_id": ${id}, "kind": ` +
        '"KIND", "content": "CONTENT"}: one fact, decision or pitfall each, in sentences that stand alone. Before that see ' +
        "with `search_knowledge` that it is not there already.",
        `3. Call \`update_session\` with {"session_id": ${id}, "context": {"handover": "WHERE_IT_STANDS"}, ` +
        '"expected_version": 1}, the version being that of step 1: what is done, what is next, what is in the way. On a ' +
        "CONFLICT read it again; somebody else works on it.",
        `4. Call \`checkpoint_session\` with {"session_id": ${id}, "reason": "handover"}.`,
        "Do not end the session. Report what you have kept, with the ids.",
      ].join("\n");
    },
  },
};
