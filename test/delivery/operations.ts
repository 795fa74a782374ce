/**
 * What an act of a plan is on the wire, and which events it causes.
 *
 * @module
 */
import type { Act } from "./plan.ts";
import type { Heard, Operation } from "./record.ts";

/** So much that a few of them are too much for a reader that has stopped. */
const LARGE = "x".repeat(40_000);
const BURST = 5;

type Cause = Operation["causes"][number];

export function operationOf(act: Act, reader: string, n: number): Operation {
  const said: Heard = { n, ...(act.large ? { pad: LARGE } : {}) };
  const isEvent = act.what.includes(".");
  const { data, causes } = isEvent ? published(act, said) : requested(act, said);
  const frame = !isEvent
    ? { type: "request", event: act.what, data }
    : act.by === "event"
    ? { type: "event", event: act.what, data }
    : { type: "request", event: "publish", data: { event: act.what, data } };
  return {
    n,
    reader,
    by: isEvent ? act.by : act.what,
    frame: act.keyed ? { ...frame, data: { ...frame.data, idempotency_key: crypto.randomUUID() } } : frame,
    causes,
    keyed: act.keyed,
    answered: false,
    sent: 0,
  };
}

function published({ what, id, key }: Act, said: Heard): { data: Heard; causes: Cause[] } {
  const kind = what.slice(0, what.indexOf("."));
  const data = { [`${kind}_id`]: id, ...said, ...(kind === "meter" ? { key } : {}) };
  return { data, causes: [{ channel: `${kind}:${id}`, event: what, data }] };
}

function requested({ what, id, other }: Act, said: Heard): { data: Heard; causes: Cause[] } {
  const doc = { doc_id: id };
  if (what === "post") {
    const data = { ...doc, log_id: other, ...said };
    const cause = (channel: string) => ({ channel, event: "doc.posted", data });
    return { data, causes: [cause(`doc:${id}`), cause(`log:${other}`)] };
  }
  if (what === "share") {
    const data = { ...doc, to: other, ...said };
    const cause = (to: string) => ({ channel: `doc:${to}`, event: "doc.shared", data });
    return { data, causes: [...new Set([id, other])].map(cause) };
  }
  if (what === "burst") {
    const causes = Array.from({ length: BURST }, (_, part): Cause => {
      const more = { ...said, part };
      if (part % 3 === 2) {
        return { channel: `log:${other}`, event: "log.written", data: { log_id: other, ...more } };
      }
      const event = part % 3 === 0 ? "doc.edited" : "doc.noted";
      return { channel: `doc:${id}`, event, data: { ...doc, ...more } };
    });
    return { data: { ...doc, log_id: other, ...said, count: BURST }, causes };
  }
  const event = { note: "doc.noted", seal: "doc.sealed" }[what as string] ?? "doc.edited";
  const data = { ...doc, ...said };
  return { data, causes: [{ channel: `doc:${id}`, event, data }] };
}
