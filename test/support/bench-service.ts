/**
 * A small made-up service for tests: every kind of channel, events that clients may publish and one that goes to two
 * channels, handlers that commit, wait, refuse and fail.
 *
 * @module
 */
import * as v from "valibot";
import { defineContract } from "../../src/protocol/contract.ts";
import { Refusal } from "../../src/protocol/errors.ts";
import type { Call } from "../../src/ports/call.ts";
import type { Commit } from "../../src/service/define-service.ts";

const Doc = v.object({ doc_id: v.string(), n: v.number() });

export const benchContract = defineContract({
  name: "demo",
  ports: { http: 0, websocket: 10 },
  channels: {
    doc: { description: "One document", id: "doc_id", history: { events: 40 } },
    cursor: { description: "Cursors in a document", id: "doc_id", ephemeral: true },
    feed: { description: "All documents" },
    gauge: { description: "Readings of which the latest counts", id: "doc_id", latestBy: ["name"] },
  },
  events: {
    "doc.changed": { description: "Changed", channels: ["doc"], data: Doc },
    "doc.noted": { description: "Noted", channels: ["doc"], data: Doc },
    "doc.shared": { description: "Shared", channels: ["doc", "feed"], data: Doc },
    "cursor.moved": { description: "Moved", channels: ["cursor"], data: Doc, publishable: "read" },
    "gauge.read": {
      description: "Read",
      channels: ["gauge"],
      data: v.object({ doc_id: v.string(), name: v.string(), n: v.number(), pad: v.optional(v.string()) }),
    },
    "feed.posted": {
      description: "Posted",
      channels: ["feed"],
      publishable: "write",
      data: v.object({ when: v.pipe(v.string(), v.transform((text) => text.length)) }),
    },
  },
  requests: {
    get_doc: {
      description: "Read",
      access: "read",
      input: v.object({ doc_id: v.string() }),
      output: v.looseObject({}),
    },
    set_doc: { description: "Write", access: "write", input: Doc, output: v.looseObject({}) },
    set_and_wait: { description: "Write, then wait", access: "write", input: Doc, output: v.looseObject({}) },
    read_and_wait: {
      description: "Tell a reading, then wait",
      access: "write",
      input: v.object({ doc_id: v.string(), name: v.string(), n: v.number() }),
      output: v.looseObject({}),
    },
    wait: { description: "Wait", access: "read", input: v.object({}), output: v.looseObject({}) },
    fail_now: { description: "Throw", access: "write", input: v.object({}), output: v.object({}) },
    fail_later: { description: "Reject", access: "write", input: v.object({}), output: v.object({}) },
    refuse: { description: "Refuse", access: "read", input: v.object({}), output: v.object({}) },
    big: {
      description: "A long answer",
      access: "read",
      input: v.object({ size: v.number() }),
      output: v.looseObject({}),
    },
    cyclic: { description: "No JSON", access: "read", input: v.object({}), output: v.looseObject({}) },
  },
});

export type BenchContract = typeof benchContract;

/** What handlers share with tests. */
export interface BenchState {
  readonly docs: Map<string, number>;
  /** Names of the handlers that ran. */
  readonly ran: string[];
  /** Ends what `wait` and `set_and_wait` wait for. */
  readonly gates: (() => void)[];
}

interface DocInput {
  doc_id: string;
  n: number;
}

export function benchHandlers(state: BenchState, commit: Commit<BenchContract>) {
  const gate = () => new Promise<void>((resolve) => state.gates.push(resolve));
  const set = (input: DocInput, call: Call) =>
    commit((transaction) => {
      state.docs.set(input.doc_id, input.n);
      transaction.emit("doc.changed", input);
      return { status: "ok", n: input.n };
    }, call);
  const handlers = {
    get_doc({ doc_id }: DocInput) {
      const n = state.docs.get(doc_id);
      return n === undefined ? { doc_id, status: "not_found" } : { doc_id, status: "found", n };
    },
    set_doc: set,
    async set_and_wait(input: DocInput, call: Call) {
      const answer = set(input, call);
      await gate();
      return answer;
    },
    async read_and_wait(input: DocInput & { name: string }, call: Call) {
      commit((transaction) => transaction.emit("gauge.read", input), call);
      await gate();
      return { status: "ok" };
    },
    async wait() {
      await gate();
      return { status: "waited" };
    },
    fail_now() {
      throw new Error("the password is hunter2");
    },
    async fail_later() {
      await Promise.resolve();
      throw new Error("the password is hunter2");
    },
    refuse() {
      throw new Refusal("CONFLICT", "Version 3 was expected, 4 is there");
    },
    big: ({ size }: { size: number }) => ({ text: "x".repeat(size) }),
    cyclic() {
      const answer: Record<string, unknown> = {};
      answer.self = answer;
      return answer;
    },
  };
  // deno-lint-ignore no-explicit-any
  return Object.entries(handlers).map(([name, handle]: [string, any]) => {
    const counted = (input: unknown, call: Call) => {
      state.ran.push(name);
      return handle(input, call);
    };
    return [name, counted] as const;
  });
}
