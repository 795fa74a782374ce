/**
 * Judges what was committed against what was asked: what a caller was told is done is there, once, as a whole, and
 * nothing is there that nobody asked for.
 *
 * @module
 */
import type { CommittedEvent } from "./committed.ts";
import type { Evidence } from "./judge-connection.ts";
import { labelOf } from "./model-service.ts";
import type { Operation } from "./record.ts";
import { Violation } from "./violation.ts";

/** @throws Violation */
export function judgeOperations({ committed, pulses, operations }: Evidence): void {
  const found = new Map<number, CommittedEvent[]>();
  const newest = new Map<string, number>();
  let last = 0;
  for (const event of committed.all) {
    const { seq, channel, prev } = event;
    if (seq <= last) throw new Violation(`event ${seq} was committed after ${last}`);
    if (prev !== (newest.get(channel) ?? 0)) {
      throw new Violation(
        `event ${seq} of ${channel} was committed with prev ${prev}, expected ${newest.get(channel)}`,
      );
    }
    newest.set(channel, last = seq);
  }
  for (const event of [...committed.all, ...pulses.all]) {
    const { n } = event.data;
    found.set(n, [...found.get(n) ?? [], event]);
    if (!operations.has(n)) throw new Violation(`event ${event.seq} of ${event.channel} was never asked for`);
  }
  for (const operation of operations.values()) judgeOperation(operation, found.get(operation.n) ?? []);
}

function judgeOperation(operation: Operation, found: readonly CommittedEvent[]): void {
  const { n, frame, causes, answered } = operation;
  const what = `operation ${n} (${frame.event})`;
  const isPulse = causes.every(({ channel }) => channel.startsWith("pulse:"));
  for (const event of found) {
    const cause = causes.find(({ channel, data }) =>
      channel === event.channel && labelOf(data) === labelOf(event.data)
    );
    if (!cause || cause.event !== event.event) {
      throw new Violation(`${what} was never to cause event ${event.seq} of ${event.channel}`);
    }
    for (const [field, value] of Object.entries(cause.data)) {
      if (event.data[field] === value) continue;
      throw new Violation(`${what} has come to event ${event.seq} with another ${field}`);
    }
  }
  const times = found.map(({ channel, data }) => `${channel} ${labelOf(data)}`);
  const twice = times.find((one, index) => times.indexOf(one) < index);
  if (twice !== undefined) throw new Violation(`${what} was done more than once: ${twice}`);
  // What goes to no database is known only where somebody has heard it.
  if (isPulse) return;
  if (found.length > 0 && found.length < causes.length) {
    throw new Violation(`${what} was done in part: ${found.length} of ${causes.length} events are there`);
  }
  if (answered && found.length === 0) {
    throw new Violation(`${what} was answered, and its events are not there`);
  }
  judgeIds(what, found);
}

/** One id for an event in all its channels, another one for each event. */
function judgeIds(what: string, found: readonly CommittedEvent[]): void {
  for (const one of found) {
    for (const other of found) {
      const same = labelOf(one.data) === labelOf(other.data);
      if (same !== (one.id === other.id)) {
        throw new Violation(`${what}: events ${one.seq} and ${other.seq} have ids ${one.id} and ${other.id}`);
      }
    }
  }
}
