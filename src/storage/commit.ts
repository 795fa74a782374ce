/**
 * The one way to change state and say what happened: state, events and the answer for an idempotency key are one
 * transaction, and the events are published when it has been committed.
 *
 * @module
 */
import type { Answers } from "../ports/answers.ts";
import type { Call, Once } from "../ports/call.ts";
import type { Journal } from "../ports/journal.ts";
import type { Contract, EventData, EventName } from "../protocol/contract.ts";
import type { EventDraft, SequencedEvent } from "../protocol/event.ts";
import { stringifyJson } from "../protocol/json.ts";
import { Drafter, type DrafterOptions } from "./draft-events.ts";

export interface CommitOptions<C extends Contract> extends DrafterOptions {
  readonly contract: C;
  readonly journal: Journal;
  readonly answers: Answers;
  /** Told of a transaction or an event that could not be written. @default nobody */
  readonly onFailure?: (error: unknown) => void;
  /** Takes the events of a commit when it has succeeded. Must not throw. */
  readonly pump: { push(events: readonly SequencedEvent[], cause?: symbol): void };
}

/** What `work` is given. Of no use when `work` has returned. */
export interface EventTransaction<C extends Contract> {
  /** Say what happened. See `Transaction.emit` of `service/define-service.ts`. */
  emit<E extends EventName<C>>(event: E, data: EventData<C, E>): void;
}

/** The three ways by which a manager speaks, as `ManagerContext` describes them. */
export interface Committer<C extends Contract> {
  /**
   * Run `work` in a transaction. Called inside another commit it joins that one: the events are published and the answers
   * are kept when the outermost has succeeded. Where a joined commit has thrown, the outermost is undone too, even if
   * its work caught what was thrown.
   *
   * With `call.once`, what `work` returns is kept as the answer, and `call.remembered` is set.
   *
   * @throws what `work` throws, after everything was undone.
   * @throws {TypeError} where `work` is asynchronous: a promise cannot be part of a transaction.
   */
  commit<T>(work: (transaction: EventTransaction<C>) => T, call?: Call): T;
  /** Say one thing and change nothing. Ephemeral events do not touch the database. */
  publish<E extends EventName<C>>(event: E, data: EventData<C, E>, call?: Call): void;
  /**
   * Send an event to one channel instead of those of the contract.
   *
   * @returns false, and nothing was sent, where the channel's name is malformed, a wildcard, or of an unknown kind.
   */
  broadcastUpdate<E extends EventName<C>>(
    event: E,
    data: EventData<C, E>,
    room: string,
    call?: Call,
  ): boolean;
}

/** What is gathered until the outermost commit succeeds. */
interface Gathered {
  readonly drafts: { readonly draft: EventDraft; readonly cause: symbol | undefined }[];
  readonly answers: { readonly once: Once; readonly answer: string; readonly call: Call }[];
  /** Of the outermost commit's call. */
  readonly traceparent: string | undefined;
  /** What a joined commit threw. Half of its work is done, so the whole can only be undone. */
  broken: { readonly error: unknown } | null;
}

/** Make the ways to commit of one service. Functions of the result can be handed on alone. */
export function createCommit<C extends Contract>(options: CommitOptions<C>): Committer<C> {
  const { journal, answers, pump, onFailure = () => {} } = options;
  const drafter = new Drafter(options);
  let gathered: Gathered | null = null;

  function outermost<T>(work: (mine: Gathered) => T, call: Call | undefined): T {
    const mine: Gathered = gathered = {
      drafts: [],
      answers: [],
      traceparent: call?.traceparent,
      broken: null,
    };
    let events: SequencedEvent[] = [];
    let result: T;
    try {
      result = journal.transaction(() => {
        const result = work(mine);
        // Before answers are saved, which in memory no rollback would take back.
        if (mine.broken) {
          throw new Error("Cannot commit: a call inside this transaction failed", {
            cause: mine.broken.error,
          });
        }
        events = journal.append(mine.drafts.map(({ draft }) => draft));
        for (const { once, answer } of mine.answers) answers.save(once, answer);
        return result;
      });
    } catch (error) {
      onFailure(error);
      throw error;
    } finally {
      gathered = null;
    }
    for (const { call } of mine.answers) call.remembered = true;
    push(events, mine, call?.cause);
    return result;
  }

  /** One parcel for the whole commit; events of joined commits with a cause of their own go in parcels of theirs. */
  function push(events: readonly SequencedEvent[], mine: Gathered, own: symbol | undefined): void {
    let start = 0;
    while (start < events.length) {
      const cause = mine.drafts[start]!.cause ?? own;
      let end = start + 1;
      while (end < events.length && (mine.drafts[end]!.cause ?? own) === cause) end++;
      pump.push(events.slice(start, end), cause);
      start = end;
    }
  }

  function run<T>(work: (transaction: EventTransaction<C>) => T, call: Call | undefined, mine: Gathered): T {
    let over = false;
    const transaction: EventTransaction<C> = {
      emit(event, data) {
        if (over) throw new TypeError(`Cannot emit '${event}': its commit is over; emit before work returns`);
        const drafts = drafter.routed(event, data, traceOf(call, mine));
        for (const draft of drafts) mine.drafts.push({ draft, cause: call?.cause });
      },
    };
    try {
      const result = work(transaction);
      refusePromise(result);
      if (call?.once) mine.answers.push({ once: call.once, answer: stringifyJson(result), call });
      return result;
    } finally {
      over = true;
    }
  }

  function join<T>(
    work: (transaction: EventTransaction<C>) => T,
    call: Call | undefined,
    outer: Gathered,
  ): T {
    try {
      return run(work, call, outer);
    } catch (error) {
      outer.broken ??= { error };
      throw error;
    }
  }

  function commit<T>(work: (transaction: EventTransaction<C>) => T, call?: Call): T {
    const outer = gathered;
    if (outer) return join(work, call, outer);
    return outermost((mine) => run(work, call, mine), call);
  }

  /** Events without a change of state: into the commit under way, or on their own. */
  function say(drafts: readonly EventDraft[], call: Call | undefined): void {
    if (gathered) {
      for (const draft of drafts) gathered.drafts.push({ draft, cause: call?.cause });
    } else pump.push(append(drafts), call?.cause);
  }

  function append(drafts: readonly EventDraft[]): SequencedEvent[] {
    try {
      return journal.append(drafts);
    } catch (error) {
      onFailure(error);
      throw error;
    }
  }

  return {
    commit,
    publish(event, data, call) {
      say(drafter.routed(event, data, traceOf(call, gathered)), call);
    },
    broadcastUpdate(event, data, room, call) {
      const draft = drafter.addressed(event, data, room, traceOf(call, gathered));
      if (draft) say([draft], call);
      return draft !== null;
    },
  };
}

/** What is said within a commit belongs to the request that the commit is for, unless it comes of another one. */
function traceOf(call: Call | undefined, gathered: Gathered | null): string | undefined {
  return call ? call.traceparent : gathered?.traceparent;
}

function refusePromise(result: unknown): void {
  if (typeof (result as { then?: unknown } | null | undefined)?.then !== "function") return;
  // What it does from here on is lost either way, but must not end the process.
  Promise.resolve(result).catch(() => {});
  throw new TypeError(
    "Cannot commit: work returned a promise, expected it to be synchronous: do what takes time before the commit",
  );
}
