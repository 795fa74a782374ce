import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { useBuiltScratch } from "../support/built-scratch.ts";
import { FrameClient, type Received } from "../support/frame-client.ts";
import { serve, type Serving } from "../support/serve-process.ts";
import { hasRuntime } from "../support/start-program.ts";

/** Answers of each kind that are waited for before the kill. Below the 256 events that a channel keeps. */
const ANSWERS = 30;

const scratch = useBuiltScratch();

interface Sent {
  readonly name: string;
  readonly data: Record<string, unknown>;
  readonly key: string;
  answer: Received | null;
}

/** Send three kinds of changes without a pause until enough of them were answered, and kill the server amid them. */
async function trafficUntilKilled(program: Serving): Promise<{ sent: Sent[]; watcher: FrameClient }> {
  const watcher = await FrameClient.open(program.websocket);
  await watcher.request("subscribe", { channel: "session:kept" });
  await watcher.request("subscribe", { channel: "knowledge:kept" });
  const client = await FrameClient.open(program.websocket);
  await client.request("start_session", { session_id: "kept", project: "kill" });
  const sent: Sent[] = [];
  const send = async (name: string, data: Record<string, unknown>) => {
    const entry: Sent = {
      name,
      data: { session_id: "kept", ...data },
      key: crypto.randomUUID(),
      answer: null,
    };
    sent.push(entry);
    entry.answer = await client.request(name, { ...entry.data, idempotency_key: entry.key });
  };
  const rounds = async (turn: (n: number) => Promise<void>) => {
    for (let n = 0; client.ws.readyState === client.ws.OPEN; n++) await turn(n);
  };
  const traffic = [
    rounds((n) => send("update_session", { context: { [`step_${n}`]: n } })),
    rounds((n) => send("checkpoint_session", { reason: `reason ${n}` })),
    rounds((n) => send("capture_knowledge", { kind: "note", content: `Learnt thing number ${n}` })),
  ].map((work) => work.catch(() => {}));
  const counted = (name: string) => sent.filter((entry) => entry.name === name && entry.answer).length;
  const enough = () =>
    ["update_session", "checkpoint_session", "capture_knowledge"].every((name) => counted(name) >= ANSWERS);
  while (!enough()) await client.frame(() => enough());
  program.kill("SIGKILL");
  expect((await program.ended).code).toBe("SIGKILL");
  await Promise.all([...traffic, client.closed, watcher.closed]);
  return { sent, watcher };
}

describe.each(["node", "deno", "bun"] as const)("kill -9 and a restart on %s", (runtime) => {
  it.runIf(hasRuntime(runtime))(
    "keep all that was answered, and the events that nobody was there for",
    async () => {
      // As fast as it goes.
      const settings = join(scratch.folder, "unlimited.yaml");
      await writeFile(settings, "websocket:\n  message_rate_limit: 0\n");
      const flags = ["session-buddy", "--settings", settings, ...scratch.flags(`kill-${runtime}`)];
      const before = await serve(runtime, { args: flags });
      const { sent, watcher } = await trafficUntilKilled(before);
      const answered = sent.filter((entry) => entry.answer);
      expect(answered.filter(({ answer }) => answer!.type !== "response")).toEqual([]);
      const seen = watcher.frames.filter((frame) => frame.type === "event" && frame.seq !== undefined);
      const last = seen.at(-1)!;

      const after = await serve(runtime, { args: flags });
      const client = await FrameClient.open(after.websocket);
      try {
        // State.
        const session = (await client.request("get_session", { session_id: "kept" })).data;
        for (const { name, data, answer } of answered) {
          if (name === "update_session") expect(session.context).toMatchObject(data.context as object);
          if (name === "checkpoint_session") {
            const id = answer!.data.checkpoint_id;
            const kept = await client.request("get_checkpoint", { checkpoint_id: id });
            expect(kept.data).toMatchObject({ checkpoint_id: id, reason: data.reason });
          }
          if (name === "capture_knowledge") {
            const id = answer!.data.knowledge_id;
            const kept = await client.request("get_knowledge", { knowledge_id: id });
            expect(kept.data).toMatchObject({ knowledge_id: id, content: data.content });
          }
        }
        const versions = answered.filter(({ name }) => name === "update_session")
          .map(({ answer }) => answer!.data.version as number);
        expect(session.version).toBeGreaterThanOrEqual(Math.max(...versions));
        const found = await client.request("search_knowledge", {
          query: "learnt",
          session_id: "kept",
          limit: 50,
        });
        expect(found.data.count).toBeGreaterThanOrEqual(ANSWERS);

        // Events: what was seen before the kill and what is replayed after it are together all there are.
        const since = { epoch: last.epoch, seq: last.seq };
        for (const channel of ["session:kept", "knowledge:kept"]) {
          const reply = await client.request("subscribe", { channel, since });
          expect(reply.data).toMatchObject({ status: "subscribed", recovered: true, epoch: last.epoch });
          const head = await client.request("get_history", { channel, limit: 1_000 });
          const all: number[] = head.data.events.map((event: { seq: number }) => event.seq);
          const end = all.at(-1) ?? 0;
          if (end > last.seq) await client.frame((frame) => frame.room === channel && frame.seq === end);
          const seqs = [...seen, ...client.frames]
            .filter((frame) => frame.type === "event" && frame.room === channel && frame.seq !== undefined)
            .filter((frame) => frame.event !== "knowledge.search_result")
            .map((frame) => frame.seq as number);
          const expected = head.data.events
            .filter((event: { event: string }) => event.event !== "knowledge.search_result")
            .map((event: { seq: number }) => event.seq);
          expect(seqs, channel).toEqual(expected);
        }
        const captured = [...seen, ...client.frames].filter((frame) => frame.event === "knowledge.captured");
        for (const { name, answer } of answered) {
          if (name !== "capture_knowledge") continue;
          const its = captured.filter((frame) => frame.data.knowledge_id === answer!.data.knowledge_id);
          expect(its).toHaveLength(1);
        }

        // The same key is the same answer; one that was never answered happens now, once.
        const again = new Map<string, Received>();
        for (const { name, data, key, answer } of sent) {
          const repeated = await client.request(name, { ...data, idempotency_key: key });
          expect(repeated).toMatchObject({ type: "response" });
          if (answer) expect(repeated.data).toEqual(answer.data);
          again.set(key, repeated);
        }
        const ids = [...again.values()].map(({ data }) => data.knowledge_id).filter((id) => id !== undefined);
        const captures = sent.filter(({ name }) => name === "capture_knowledge");
        expect(new Set(ids).size).toBe(captures.length);
        const closed = await client.request("end_session", { session_id: "kept" });
        expect(closed.data.state).toBe("ended");
        const end = await client.event("session.closed", "session:kept");
        expect(end.data.knowledge_items).toBe(captures.length);
        expect(end.data.checkpoints).toBe(sent.filter(({ name }) => name === "checkpoint_session").length);
      } finally {
        after.kill("SIGTERM");
      }
      expect(await after.ended).toMatchObject({ code: 0, complaints: [] });
    },
  );
});
