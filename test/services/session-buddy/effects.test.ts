import { afterEach, expect, test } from "vitest";
import { sessionBuddy } from "../../../services/session-buddy/contract.ts";
import { EffectProof } from "../../mcp/effect-proof.ts";
import { type Started, startManager } from "./started-manager.ts";

let started: Started;
afterEach(() => started.stop());

test("every request of session-buddy does what its contract says of its effect", async () => {
  started = await startManager();
  const proof = new EffectProof(sessionBuddy, started, { rest: () => started.clock.advance(1_000) });
  await proof.of("start_session", { project: "app" });
  const { session_id } = await proof.of("start_session", { project: "app", context: { goal: "ship" } });
  await proof.of("update_session", { session_id, context: { goal: "ship it" } });
  await proof.of("get_session", { session_id });
  await proof.of("list_sessions", { project: "app" });
  const { checkpoint_id } = await proof.of("checkpoint_session", { session_id, reason: "before" });
  await proof.of("list_checkpoints", { session_id });
  await proof.of("get_checkpoint", { checkpoint_id });
  await proof.of("restore_checkpoint", { checkpoint_id });
  const { knowledge_id } = await proof.of("capture_knowledge", {
    ...{ session_id, kind: "decision", content: "Ship on Friday", topics: ["release"] },
    ...{ entities: ["Friday", "release"], relations: [{ from: "release", to: "Friday", type: "on" }] },
  });
  await proof.of("get_knowledge", { knowledge_id });
  await proof.of("query_graph", { entity: "Friday", depth: 2 });
  // It is `read`, and its findings are told to the session's channel: it has to say so.
  const { count } = await proof.of("search_knowledge", { query: "friday", session_id });
  expect(count).toBe(2);
  await proof.looks([["session", session_id], ["session", "nowhere"], ["knowledge", session_id]]);
  await proof.of("end_session", { session_id, summary: "Done" });
  proof.isWhole();
});
